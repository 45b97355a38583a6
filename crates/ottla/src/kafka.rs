//! Kafka's tools under Kafka's names, with Kafka's flags and the output that people's scripts
//! parse.
//!
//! Chosen by the name the binary is called by (a symbolic link `kafka-topics.sh`), or as the first
//! argument (`ottla kafka-topics …`). One tool, one file.

mod broker_api_versions;
mod cluster;
mod configs;
mod console_consumer;
mod console_producer;
mod consumer_groups;
mod delete_records;
mod dump_log;
mod exceptions;
mod feature_levels;
mod features;
mod get_offsets;
mod leader_election;
mod log_dirs;
mod metadata_quorum;
mod options;
pub mod reassign_partitions;
mod server_start;
mod storage;
mod topics;

use std::process::ExitCode;

use client::{Client, Options};

use crate::context::read_properties;
use crate::failure::Failure;
use options::{Parsed, Tool};

/// How a tool ends: what it printed stands; this is the exit code.
pub type ScriptResult = Result<(), ScriptError>;

/// A tool: it gets its arguments.
pub type Script = fn(&[String]) -> ScriptResult;

/// Every tool by its name.
pub const SCRIPTS: &[(&str, Script)] = &[
    ("kafka-topics", topics::run),
    ("kafka-console-producer", console_producer::run),
    ("kafka-console-consumer", console_consumer::run),
    ("kafka-consumer-groups", consumer_groups::run),
    ("kafka-configs", configs::run),
    ("kafka-get-offsets", get_offsets::run),
    ("kafka-delete-records", delete_records::run),
    ("kafka-broker-api-versions", broker_api_versions::run),
    ("kafka-reassign-partitions", reassign_partitions::run),
    ("kafka-leader-election", leader_election::run),
    ("kafka-metadata-quorum", metadata_quorum::run),
    ("kafka-features", features::run),
    ("kafka-log-dirs", log_dirs::run),
    ("kafka-cluster", cluster::run),
    ("kafka-dump-log", dump_log::run),
    ("kafka-storage", storage::run),
    ("kafka-server-start", server_start::run),
];

/// Why a tool fails.
#[derive(Debug)]
pub enum ScriptError {
    /// The flags are wrong: the sentence, then the tool's help, on stderr.
    Usage(&'static Tool, String),
    /// This line on stderr.
    Stderr(String),
    /// This line on stdout, where some of Kafka's tools say it.
    Stdout(String),
    /// Everything has been said.
    Silent,
    /// Nobody reads our output any more.
    Gone,
}

impl From<std::io::Error> for ScriptError {
    fn from(error: std::io::Error) -> ScriptError {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => ScriptError::Gone,
            _ => ScriptError::Stderr(error.to_string()),
        }
    }
}

impl From<Failure> for ScriptError {
    fn from(failure: Failure) -> ScriptError {
        match failure.is_broken_pipe() {
            true => ScriptError::Gone,
            false => ScriptError::Stderr(failure.to_string()),
        }
    }
}

/// The tool that these arguments call, and its own arguments.
pub fn script_call(arguments: &[String]) -> Option<(Script, &[String])> {
    let (called, rest) = arguments.split_first()?;
    let base = called.rsplit(['/', '\\']).next()?;
    if let Some(script) = script(base) {
        return Some((script, rest));
    }
    let (first, rest) = rest.split_first()?;
    script(first).map(|script| (script, rest))
}

fn script(name: &str) -> Option<Script> {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let name = name.strip_suffix(".sh").or_else(|| name.strip_suffix(".bat")).unwrap_or(name);
    SCRIPTS.iter().find(|(known, _)| *known == name).map(|(_, script)| *script)
}

/// Runs a tool and turns its end into an exit code. Kafka's tools know 0 and 1.
pub fn run(script: Script, arguments: &[String]) -> ExitCode {
    match script(arguments) {
        Ok(()) | Err(ScriptError::Gone) => return ExitCode::SUCCESS,
        Err(ScriptError::Usage(tool, sentence)) => {
            eprintln!("{sentence}");
            eprint!("{}", options::usage(tool));
        }
        Err(ScriptError::Stderr(line)) => eprintln!("{line}"),
        Err(ScriptError::Stdout(line)) => println!("{line}"),
        Err(ScriptError::Silent) => {}
    }
    ExitCode::FAILURE
}

/// Connects as `--bootstrap-server` and the properties file say.
fn connect(parsed: &Parsed, file_flags: &[&str]) -> Result<Client, ScriptError> {
    let options = client_options(parsed, file_flags)?;
    Client::connect(options).map_err(|error| ScriptError::Stderr(error.to_string()))
}

/// An error in the form of argparse4j, which reads the flags of some of Kafka's tools.
fn argparse_error(tool: &str, sentence: &str) -> ScriptError {
    ScriptError::Stderr(format!("usage: {tool} [-h] …\n{tool}: error: {sentence}"))
}

/// The command that a tool with commands is called with.
fn subcommand<'a>(
    parsed: &'a Parsed,
    tool: &str,
    commands: &[&'static str],
) -> Result<&'a str, ScriptError> {
    let has_bootstrap = ["bootstrap-server", "bootstrap-controller"].iter();
    let choices = || {
        let all: Vec<String> = commands.iter().map(|command| format!("'{command}'")).collect();
        all.join(", ")
    };
    match parsed.positional.first().map(String::as_str) {
        Some(command) if commands.contains(&command) => {
            let needs_none = ["version-mapping", "feature-dependencies"].contains(&command);
            match needs_none || has_bootstrap.clone().any(|flag| parsed.may_have(flag)) {
                true => Ok(command),
                false => Err(argparse_error(
                    tool,
                    "one of the arguments --bootstrap-server --bootstrap-controller is required",
                )),
            }
        }
        Some(other) => {
            let sentence = format!("invalid choice: '{other}' (choose from {})", choices());
            Err(argparse_error(tool, &sentence))
        }
        None => Err(argparse_error(tool, "too few arguments")),
    }
}

/// Refuses a command line that names brokers and controllers, or neither.
fn check_bootstrap(parsed: &Parsed) -> ScriptResult {
    let sentence = match (parsed.has("bootstrap-server"), parsed.has("bootstrap-controller")) {
        (true, true) => "Please don't specify both --bootstrap-server and --bootstrap-controller",
        (false, false) => "Please specify either --bootstrap-server or --bootstrap-controller",
        _ => return Ok(()),
    };
    Err(parsed.usage(sentence))
}

/// Connects to brokers or to controllers, whichever are named (KIP-919).
fn connect_to_either(parsed: &Parsed) -> Result<Client, ScriptError> {
    let Some(controllers) = parsed.value("bootstrap-controller") else {
        return connect(parsed, &["command-config"]);
    };
    let mut options = client_options(parsed, &["command-config"])?;
    options.bootstrap = Options::new(controllers).bootstrap;
    Client::connect_to_controllers(options).map_err(|error| ScriptError::Stderr(error.to_string()))
}

fn client_options(parsed: &Parsed, file_flags: &[&str]) -> Result<Options, ScriptError> {
    let bootstrap = parsed.value("bootstrap-server").unwrap_or_default();
    let mut options = Options::new(bootstrap);
    options.client_id = "adminclient-1".to_owned();
    for flag in file_flags {
        for path in parsed.values(flag) {
            let properties = read_properties(path)?;
            options = options
                .with_properties(&properties)
                .map_err(|error| ScriptError::Stderr(error.to_string()))?;
        }
    }
    options.bootstrap = Options::new(bootstrap).bootstrap;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(arguments: &[&str]) -> Option<Vec<String>> {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        script_call(&arguments).map(|(_, rest)| rest.to_vec())
    }

    #[test]
    fn a_tool_is_called_by_the_binarys_name_or_by_the_first_argument() {
        assert_eq!(calls(&["/opt/bin/kafka-topics.sh", "--list"]), Some(vec!["--list".into()]));
        assert_eq!(calls(&["ottla", "kafka-topics", "--list"]), Some(vec!["--list".into()]));
        assert_eq!(calls(&["ottla", "kafka-configs.sh"]), Some(vec![]));
        assert_eq!(calls(&["ottla", "topic", "list"]), None);
        assert_eq!(calls(&["ottla"]), None);
    }
}
