//! `kafka-leader-election`. Source of flags and output: Kafka `LeaderElectionCommand`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use client::{Client, ClientError, ErrorKind, Place};
use serde::Deserialize;
use types::ErrorCode;

use super::exceptions::exception;
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult, connect};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("command-config", "file", "Client properties."),
    value("admin.config", "file", "Deprecated: --command-config."),
    value("election-type", "type", "REQUIRED: preferred or unclean."),
    value("topic", "topic", "The topic of --partition."),
    value("partition", "number", "The partition of --topic to elect a leader of."),
    switch("all-topic-partitions", "All partitions that need it."),
    value("path-to-json-file", "file", "{\"partitions\": [{\"topic\", \"partition\"}]}"),
];

static TOOL: Tool = Tool {
    name: "kafka-leader-election",
    about: "This tool attempts to elect a new leader for a set of topic partitions. The type of \
            elections supported are preferred replicas and unclean replicas.",
    flags: FLAGS,
};

const SCOPES: &[&str] = &["topic", "all-topic-partitions", "path-to-json-file"];

/// Which replicas may win.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ElectionType {
    Preferred,
    Unclean,
}

impl ElectionType {
    fn word(self) -> &'static str {
        match self {
            ElectionType::Preferred => "PREFERRED",
            ElectionType::Unclean => "UNCLEAN",
        }
    }
}

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    let election = check(&parsed)?;
    let places = places(&parsed)?;
    if parsed.has("admin.config") {
        writeln!(
            io::stdout(),
            "Option --admin.config has been deprecated and will be removed in a future version. \
             Use --command-config instead."
        )?;
    }
    let mut client = connect(&parsed, &["admin.config", "command-config"])?;
    elect(&mut client, election, places.as_deref())
}

fn refused(sentence: impl Into<String>) -> ScriptError {
    ScriptError::Stderr(sentence.into())
}

fn check(parsed: &Parsed) -> Result<ElectionType, ScriptError> {
    let election = match parsed.value("election-type") {
        Some(word) if word.eq_ignore_ascii_case("preferred") => Some(ElectionType::Preferred),
        Some(word) if word.eq_ignore_ascii_case("unclean") => Some(ElectionType::Unclean),
        Some(word) => {
            let sentence = format!("Cannot parse argument '{word}' of option election-type");
            return Err(refused(sentence));
        }
        None => None,
    };
    let required = ["bootstrap-server", "election-type"];
    let missing: Vec<&str> = required.into_iter().filter(|flag| !parsed.has(flag)).collect();
    let (Some(election), true) = (election, missing.is_empty()) else {
        return Err(refused(format!("Missing required option(s): {}", missing.join(", "))));
    };
    if SCOPES.iter().filter(|scope| parsed.has(scope)).count() != 1 {
        let scopes = SCOPES.join(", ");
        return Err(refused(format!(
            "One and only one of the following options is required: {scopes}"
        )));
    }
    match (parsed.has("topic"), parsed.has("partition")) {
        (true, false) => Err(refused("Missing required option(s): partition")),
        (false, true) => Err(refused("Option partition is only allowed if topic is used")),
        _ => Ok(election),
    }
}

/// The partitions that are named; `None` for all.
fn places(parsed: &Parsed) -> Result<Option<Vec<Place>>, ScriptError> {
    if let (Some(topic), Some(partition)) = (parsed.value("topic"), parsed.number("partition")?) {
        return Ok(Some(vec![(topic.to_owned(), partition)]));
    }
    let Some(path) = parsed.value("path-to-json-file") else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|_| refused(format!("java.io.IOException: Unable to read file {path}")))?;
    read(&text).map(Some).map_err(refused)
}

#[derive(Deserialize)]
struct ElectionFile {
    partitions: Option<Vec<Named>>,
}

#[derive(Deserialize)]
struct Named {
    topic: String,
    partition: i32,
}

fn read(text: &str) -> Result<Vec<Place>, String> {
    let file: ElectionFile =
        serde_json::from_str(text).map_err(|_| "Replica election data is empty".to_owned())?;
    let missing = || "Replica election data is missing \"partitions\" field".to_owned();
    let named = file.partitions.ok_or_else(missing)?;
    let mut places = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for Named { topic, partition } in named {
        let name = format!("{topic}-{partition}");
        if !places.insert((topic, partition)) {
            twice.insert(name);
        }
    }
    if !twice.is_empty() {
        let twice: Vec<String> = twice.into_iter().collect();
        let twice = twice.join(", ");
        return Err(format!("Replica election data contains duplicate partitions: [{twice}]"));
    }
    Ok(places.into_iter().collect())
}

fn elect(client: &mut Client, election: ElectionType, of: Option<&[Place]>) -> ScriptResult {
    let is_unclean = election == ElectionType::Unclean;
    let outcomes = client.elect_leaders(of, is_unclean).map_err(|error| as_a_whole(&error))?;
    let (mut elected, mut needless, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for ((topic, partition), outcome) in &outcomes {
        let name = format!("{topic}-{partition}");
        match outcome {
            Ok(()) => elected.push(name),
            Err(error) if error.is_broker(ErrorCode::ElectionNotNeeded) => needless.push(name),
            Err(error) => failed.push((name, exception(error))),
        }
    }
    let word = election.word();
    let mut out = io::stdout().lock();
    if !elected.is_empty() {
        let all = elected.join(", ");
        writeln!(out, "Successfully completed leader election ({word}) for partitions {all}")?;
    }
    if !needless.is_empty() {
        writeln!(out, "Valid replica already elected for partitions {}", needless.join(", "))?;
    }
    for (name, why) in &failed {
        writeln!(out, "Error completing leader election ({word}) for partition: {name}: {why}")?;
    }
    match failed.len() {
        0 => Ok(()),
        count => Err(refused(format!("{count} replica(s) could not be elected"))),
    }
}

/// The request failed for all partitions.
fn as_a_whole(error: &ClientError) -> ScriptError {
    let sentence = match error.kind {
        ErrorKind::TimedOut | ErrorKind::Broker(ErrorCode::RequestTimedOut) => {
            "Timeout waiting for election results"
        }
        ErrorKind::Broker(ErrorCode::ClusterAuthorizationFailed) => {
            "Not authorized to perform leader election"
        }
        _ => return refused(exception(error)),
    };
    println!("{sentence}");
    refused(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(arguments: &[&str], sentence: &str) {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        match TOOL.parse(&arguments).and_then(|parsed| check(&parsed)) {
            Err(ScriptError::Stderr(told)) => assert_eq!(told, sentence),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_that_do_not_go_together_are_refused_in_kafkas_words() {
        let server = ["--bootstrap-server", "a:1"];
        let with = |more: &[&'static str]| -> Vec<&str> {
            server.iter().chain(&["--election-type", "preferred"]).chain(more).copied().collect()
        };
        refuses(&[], "Missing required option(s): bootstrap-server, election-type");
        refuses(&with(&["--topic", "t"]), "Missing required option(s): partition");
        refuses(
            &with(&["--all-topic-partitions", "--partition", "1"]),
            "Option partition is only allowed if topic is used",
        );
        refuses(
            &with(&["--topic", "t", "--partition", "0", "--all-topic-partitions"]),
            "One and only one of the following options is required: topic, \
             all-topic-partitions, path-to-json-file",
        );
        refuses(
            &["--election-type", "clean"],
            "Cannot parse argument 'clean' of option election-type",
        );
    }

    #[test]
    fn the_file_names_each_partition_once() {
        let one = r#"{"topic":"t","partition":1}"#;
        assert_eq!(read(&format!(r#"{{"partitions":[{one}]}}"#)), Ok(vec![("t".to_owned(), 1)]));
        assert_eq!(
            read(&format!(r#"{{"partitions":[{one},{one}]}}"#)),
            Err("Replica election data contains duplicate partitions: [t-1]".to_owned())
        );
        assert!(read("{}").unwrap_err().contains("missing \"partitions\""));
    }
}
