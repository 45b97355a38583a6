//! `kafka-reassign-partitions`. Source of flags and output: Kafka `ReassignPartitionsCommand`.

pub mod assignment;
mod cancel;
mod dirs;
mod execute;
mod generate;
mod throttles;
mod verify;

use std::io::{self, Write};

use client::admin::reassignments::Outcomes;
use client::{Client, ClientError, Place};

use super::exceptions::{exception, message};
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult, connect_to_either};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "The brokers to connect to."),
    value(
        "bootstrap-controller",
        "host:port,…",
        "The controllers to connect to; only with --cancel and --list.",
    ),
    value("command-config", "file", "Client properties."),
    switch("generate", "Propose an assignment; nothing is moved."),
    switch("execute", "Begin the moves that --reassignment-json-file names."),
    switch("verify", "Say how far those moves are; if they are done, remove the throttles."),
    switch("cancel", "Take those moves back that are under way."),
    switch("list", "List the moves under way."),
    value(
        "reassignment-json-file",
        "file",
        "{\"partitions\": [{\"topic\", \"partition\", \"replicas\", \"log_dirs\"}]}",
    ),
    value("topics-to-move-json-file", "file", "{\"topics\": [{\"topic\"}], \"version\": 1}"),
    value("broker-list", "0,1,2", "The brokers to spread the topics of --generate over."),
    switch("disable-rack-aware", "Let --generate pay no heed to racks."),
    value(
        "throttle",
        "bytes/s",
        "The most that moves between brokers may use, for each broker. (default: -1)",
    ),
    value(
        "replica-alter-log-dirs-throttle",
        "bytes/s",
        "The most that moves between log directories may use. (default: -1)",
    ),
    value("timeout", "ms", "How long moves between log directories may take to begin. (10000)"),
    switch("additional", "Begin these moves beside others, or change the throttle of them."),
    switch(
        "disallow-replication-factor-change",
        "Refuse to give a partition more or fewer replicas than it has.",
    ),
    switch("preserve-throttles", "Leave the throttles of brokers and topics alone."),
];

static TOOL: Tool = Tool {
    name: "kafka-reassign-partitions",
    about: "This tool helps to move topic partitions between replicas.",
    flags: FLAGS,
};

type Names = &'static [&'static str];

/// Each action with the flags that it requires and those that it permits.
const ACTIONS: &[(&str, Names, Names)] = &[
    ("generate", &["topics-to-move-json-file", "broker-list"], &["disable-rack-aware"]),
    (
        "execute",
        &["reassignment-json-file"],
        &[
            "additional",
            "disallow-replication-factor-change",
            "replica-alter-log-dirs-throttle",
            "throttle",
            "timeout",
        ],
    ),
    ("verify", &["reassignment-json-file"], &["preserve-throttles"]),
    ("cancel", &["reassignment-json-file"], &["preserve-throttles", "timeout"]),
    ("list", &[], &[]),
];
const FOR_EVERY_ACTION: &[&str] = &["bootstrap-server", "bootstrap-controller", "command-config"];

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    let action = check(&parsed)?;
    act(&parsed, action).map_err(ScriptError::from)
}

/// An error that this tool tells in its own form, on stdout.
pub enum ReassignError {
    /// As it is.
    Terse(String),
    /// After `Error: `.
    Failed(String),
    Script(ScriptError),
}

impl From<ReassignError> for ScriptError {
    fn from(error: ReassignError) -> ScriptError {
        match error {
            ReassignError::Terse(sentence) => ScriptError::Stdout(sentence),
            ReassignError::Failed(sentence) => ScriptError::Stdout(format!("Error: {sentence}")),
            ReassignError::Script(error) => error,
        }
    }
}

impl From<ClientError> for ReassignError {
    fn from(error: ClientError) -> ReassignError {
        ReassignError::Failed(exception(&error))
    }
}

impl From<ScriptError> for ReassignError {
    fn from(error: ScriptError) -> ReassignError {
        ReassignError::Script(error)
    }
}

impl From<io::Error> for ReassignError {
    fn from(error: io::Error) -> ReassignError {
        ReassignError::Script(error.into())
    }
}

fn check(parsed: &Parsed) -> Result<&'static str, ScriptError> {
    let mut given = ACTIONS.iter().filter(|(action, ..)| parsed.has(action));
    let (Some((action, required, permitted)), None) = (given.next(), given.next()) else {
        let all: Vec<String> = ACTIONS.iter().map(|(action, ..)| format!("--{action}")).collect();
        let all = all.join(", ");
        return Err(parsed.usage(format!("Command must include exactly one action: {all}")));
    };
    super::check_bootstrap(parsed)?;
    parsed.require(required)?;
    for flag in FLAGS.iter().filter(|flag| parsed.has(flag.name)) {
        let is_permitted = flag.name == *action
            || [*required, *permitted, FOR_EVERY_ACTION].iter().any(|f| f.contains(&flag.name));
        if !is_permitted {
            let name = flag.name;
            let sentence = format!("Option \"[{name}]\" can't be used with action \"[{action}]\"");
            return Err(parsed.usage(sentence));
        }
    }
    Ok(action)
}

fn act(parsed: &Parsed, action: &str) -> Result<(), ReassignError> {
    if parsed.has("bootstrap-controller") && !matches!(action, "cancel" | "list") {
        let sentence = "The --bootstrap-controller option is not supported with these action.";
        return Err(ReassignError::Failed(sentence.to_owned()));
    }
    let mut client = connect_to_either(parsed)?;
    match action {
        "generate" => generate::run(parsed, &mut client),
        "execute" => execute::run(parsed, &mut client),
        "verify" => verify::run(parsed, &mut client),
        "cancel" => cancel::run(parsed, &mut client),
        _ => list(&mut client),
    }
}

fn list(client: &mut Client) -> Result<(), ReassignError> {
    let moves = client.reassignments(None)?;
    let mut out = io::stdout().lock();
    if moves.is_empty() {
        writeln!(out, "No partition reassignments found.")?;
        return Ok(());
    }
    writeln!(out, "Current partition reassignments:")?;
    for (place, reassignment) in moves {
        let replicas = commas(&reassignment.replicas);
        let some = |word: &str, brokers: &[i32]| match brokers {
            [] => String::new(),
            brokers => format!(" {word}: {}.", commas(brokers)),
        };
        let adding = some("adding", &reassignment.adding);
        let removing = some("removing", &reassignment.removing);
        writeln!(out, "{}: replicas: {replicas}.{adding}{removing}", name(&place))?;
    }
    Ok(())
}

/// `topic-0`
fn name((topic, partition): &Place) -> String {
    format!("{topic}-{partition}")
}

fn commas(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(",")
}

/// A line for each partition that could not be moved.
fn failures(outcomes: &Outcomes) -> Vec<String> {
    let failed = outcomes.iter().filter_map(|(place, outcome)| {
        outcome.as_ref().err().map(|error| format!("{}: {}", name(place), message(error)))
    });
    failed.collect()
}

/// An `s` unless there is one.
fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn file_text(parsed: &Parsed, flag: &str) -> Result<String, ReassignError> {
    let path = parsed.value(flag).unwrap_or_default();
    std::fs::read_to_string(path)
        .map_err(|_| ReassignError::Failed(format!("Unable to read file {path}")))
}

/// A number after a flag; -1 where it is missing.
fn limit(parsed: &Parsed, flag: &str) -> Result<i64, ReassignError> {
    Ok(parsed.number(flag)?.unwrap_or(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(arguments: &[&str], sentence: &str) {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        match TOOL.parse(&arguments).and_then(|parsed| check(&parsed).map(|_| ())) {
            Err(ScriptError::Usage(_, told)) => assert_eq!(told, sentence),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_that_do_not_go_together_are_refused_in_kafkas_words() {
        let all = "Command must include exactly one action: --generate, --execute, --verify, \
                   --cancel, --list";
        refuses(&["--bootstrap-server", "a:1"], all);
        refuses(&["--bootstrap-server", "a:1", "--cancel", "--list"], all);
        refuses(&["--list"], "Please specify either --bootstrap-server or --bootstrap-controller");
        refuses(
            &["--bootstrap-server", "a:1", "--verify"],
            "Missing required argument \"[reassignment-json-file]\"",
        );
        refuses(
            &["--bootstrap-server", "a:1", "--list", "--throttle", "4"],
            "Option \"[throttle]\" can't be used with action \"[list]\"",
        );
    }
}
