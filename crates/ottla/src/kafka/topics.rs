//! `kafka-topics`. Source of flags and output: Kafka `TopicCommand`.

mod alter;
mod create;
mod describe;

use client::{Client, TopicsWanted};
use regex_lite::Regex;

use super::exceptions::message;
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult, connect};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("command-config", "file", "Client properties."),
    switch("list", "List topics."),
    switch("create", "Create a topic."),
    switch("describe", "Show topics and their partitions."),
    switch("alter", "Add partitions to topics."),
    switch("delete", "Delete topics."),
    value("topic", "topic", "The topic; except with --create, a regular expression."),
    value("topic-id", "id", "The topic to describe, by its id."),
    value("partitions", "number", "Partitions of a topic to be created or altered."),
    value("replication-factor", "number", "Replicas of each partition of a new topic."),
    value("replica-assignment", "b:b,…", "Brokers of each partition: 1:2,2:3."),
    value("config", "name=value", "A property of the new topic; may be repeated."),
    value("delete-config", "name", "Not supported by Kafka since 4.0; use kafka-configs."),
    switch("if-exists", "Do nothing if the topic does not exist."),
    switch("if-not-exists", "Do nothing if the topic exists."),
    switch("exclude-internal", "Leave out internal topics."),
    switch("topics-with-overrides", "Only topics with properties of their own."),
    switch("under-replicated-partitions", "Only partitions that lack replicas in sync."),
    switch("under-min-isr-partitions", "Only partitions below min.insync.replicas."),
    switch("at-min-isr-partitions", "Only partitions at min.insync.replicas."),
    switch("unavailable-partitions", "Only partitions without a leader."),
    value("partition-size-limit-per-response", "number", "Accepted; the broker's limit holds."),
];

static TOOL: Tool = Tool {
    name: "kafka-topics",
    about: "This tool helps to create, delete, describe, or change a topic.",
    flags: FLAGS,
};

const ACTIONS: &[&str] = &["list", "describe", "create", "alter", "delete"];

pub fn run(arguments: &[String]) -> ScriptResult {
    if arguments.is_empty() {
        return Err(ScriptError::Usage(&TOOL, TOOL.about.to_owned()));
    }
    let parsed = TOOL.parse(arguments)?;
    check(&parsed)?;
    let mut client = connect(&parsed, &["command-config"])?;
    let done = if parsed.has("create") {
        create::run(&parsed, &mut client)
    } else if parsed.has("alter") {
        alter::run(&parsed, &mut client)
    } else if parsed.has("delete") {
        delete(&parsed, &mut client)
    } else if parsed.has("describe") {
        describe::run(&parsed, &mut client)
    } else {
        list(&parsed, &mut client)
    };
    done.map_err(|error| match error {
        TopicError::Told(sentence) => {
            ScriptError::Stdout(format!("Error while executing topic command : {sentence}"))
        }
        TopicError::Script(error) => error,
    })
}

/// An error that `kafka-topics` tells in its own form.
enum TopicError {
    Told(String),
    Script(ScriptError),
}

impl From<client::ClientError> for TopicError {
    fn from(error: client::ClientError) -> TopicError {
        TopicError::Told(message(&error))
    }
}

impl From<ScriptError> for TopicError {
    fn from(error: ScriptError) -> TopicError {
        TopicError::Script(error)
    }
}

impl From<std::io::Error> for TopicError {
    fn from(error: std::io::Error) -> TopicError {
        TopicError::Script(error.into())
    }
}

fn check(parsed: &Parsed) -> ScriptResult {
    parsed.require(&["bootstrap-server"])?;
    let actions = ACTIONS.iter().filter(|action| parsed.has(action)).count();
    if actions != 1 {
        return Err(parsed.usage(
            "Command must include exactly one action: --list, --describe, --create, --alter or \
             --delete",
        ));
    }
    if parsed.has("create") {
        parsed.require(&["topic"])?;
    }
    if !parsed.has("describe") && !parsed.has("list") && !parsed.has("topic") {
        return Err(parsed.usage("Missing required argument \"[topic]\""));
    }
    if parsed.has("alter") {
        parsed.require(&["partitions"])?;
    }
    if !parsed.has("create") && parsed.has("config") {
        return Err(parsed.usage("Option \"[config]\" can't be used without option \"[create]\""));
    }
    parsed.refuse_together("replica-assignment", &["replication-factor"])?;
    if parsed.has("create") {
        parsed.refuse_together("replica-assignment", &["partitions"])?;
    }
    Ok(())
}

fn list(parsed: &Parsed, client: &mut Client) -> Result<(), TopicError> {
    for name in matching(parsed, client)? {
        print_line(&name)?;
    }
    Ok(())
}

fn delete(parsed: &Parsed, client: &mut Client) -> Result<(), TopicError> {
    let names = existing(parsed, client)?;
    for name in names {
        client.delete_topic(&name)?;
    }
    Ok(())
}

/// Topics that match `--topic`; a name that matches nothing is an error without `--if-exists`.
fn existing(parsed: &Parsed, client: &mut Client) -> Result<Vec<String>, TopicError> {
    let names = matching(parsed, client)?;
    if let (true, Some(topic), false) =
        (names.is_empty(), parsed.value("topic"), parsed.has("if-exists"))
    {
        return Err(TopicError::Told(format!("Topic '{topic}' does not exist as expected")));
    }
    Ok(names)
}

/// Names of topics that `--topic` and `--exclude-internal` leave.
fn matching(parsed: &Parsed, client: &mut Client) -> Result<Vec<String>, TopicError> {
    let pattern = parsed.value("topic").map(|topic| topic_pattern(parsed, topic)).transpose()?;
    let cluster = client.refresh(TopicsWanted::All)?;
    let names = cluster.topics.values().filter(|topic| {
        let is_named = pattern.as_ref().is_none_or(|pattern| pattern.is_match(&topic.name));
        is_named && !(topic.is_internal && parsed.has("exclude-internal"))
    });
    Ok(names.map(|topic| topic.name.clone()).collect())
}

/// A comma means "or", quotes mean nothing. Source: Kafka `TopicFilter`.
pub(super) fn topic_pattern(parsed: &Parsed, text: &str) -> Result<Regex, ScriptError> {
    let pattern = text.trim().replace(',', "|").replace(' ', "");
    let pattern = pattern.trim_start_matches(['"', '\'']).trim_end_matches(['"', '\'']);
    Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|_| parsed.usage(format!("{text} is an invalid regex.")))
}

fn print_line(line: &str) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}")
}
