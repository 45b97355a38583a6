//! `kafka-consumer-groups`. Source of flags and output: Kafka `ConsumerGroupCommand`.

mod delete;
mod describe;
mod list;
mod reset;
mod scope;

use std::io::{self, Write};

use client::{Client, ClientError};

use super::exceptions::exception;
use super::options::{Flag, Parsed, Tool, optional, switch, value};
use super::{ScriptError, ScriptResult, connect};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("command-config", "file", "Client properties."),
    switch("list", "List consumer groups."),
    switch("describe", "Show a group: its offsets, or --members, or --state."),
    switch("delete", "Delete groups that have no members."),
    switch("delete-offsets", "Forget what a group has committed for topics."),
    switch("reset-offsets", "Move a group that has no members to other offsets."),
    value("group", "group", "The group; may be repeated."),
    switch("all-groups", "All groups."),
    value("topic", "topic[:partitions]", "A topic, or some of its partitions; may be repeated."),
    switch("all-topics", "All topics that the group has committed for."),
    switch("offsets", "With --describe: offsets and lag, the default."),
    switch("members", "With --describe: the members."),
    optional("state", "states", "With --describe: the state. With --list: show or choose states."),
    optional("type", "types", "With --list: show or choose types."),
    switch("verbose", "Show more columns."),
    value("timeout", "ms", "How long the group may take to answer; 5000 is the default."),
    switch("dry-run", "With --reset-offsets: only show what would happen."),
    switch("execute", "With --reset-offsets: do it."),
    switch("export", "With --reset-offsets: print the plan as CSV."),
    switch("to-earliest", "Reset to the beginning."),
    switch("to-latest", "Reset to the end."),
    switch("to-current", "Reset to what is committed."),
    value("to-offset", "offset", "Reset to this offset."),
    value("to-datetime", "time", "Reset to this time: YYYY-MM-DDTHH:mm:SS.sss."),
    value("by-duration", "duration", "Reset to this long ago: PnDTnHnMnS."),
    value("shift-by", "number", "Reset by this many records forth, or back if negative."),
    value("from-file", "file", "Reset to the offsets of a CSV file."),
];

static TOOL: Tool = Tool {
    name: "kafka-consumer-groups",
    about: "This tool helps to list all consumer groups, describe a consumer group, delete \
            consumer group info, or reset consumer group offsets.",
    flags: FLAGS,
};

const ACTIONS: &[&str] = &["list", "describe", "delete", "reset-offsets", "delete-offsets"];

pub fn run(arguments: &[String]) -> ScriptResult {
    if arguments.is_empty() {
        return Err(ScriptError::Usage(&TOOL, TOOL.about.to_owned()));
    }
    let parsed = TOOL.parse(arguments)?;
    check(&parsed)?;
    let mut client = connect(&parsed, &["command-config"])?;
    let mut out = io::stdout().lock();
    let done = if parsed.has("list") {
        list::run(&parsed, &mut client, &mut out)
    } else if parsed.has("describe") {
        describe::run(&parsed, &mut client, &mut out)
    } else if parsed.has("delete") {
        delete::groups(&parsed, &mut client, &mut out)
    } else if parsed.has("delete-offsets") {
        delete::offsets(&parsed, &mut client, &mut out)
    } else {
        reset::run(&parsed, &mut client, &mut out)
    };
    match done {
        Err(GroupError::Client(error)) => {
            // Kafka's tool says so on stdout and ends with 0; scripts look for the text.
            let told = exception(&error);
            writeln!(out, "\nError: Executing consumer group command failed due to {told}")?;
            eprintln!("java.util.concurrent.ExecutionException: {told}");
            Ok(())
        }
        Err(GroupError::Script(error)) => Err(error),
        Ok(()) => Ok(()),
    }
}

/// An error of `kafka-consumer-groups`: the cluster's, or the command line's.
enum GroupError {
    Client(ClientError),
    Script(ScriptError),
}

impl From<ClientError> for GroupError {
    fn from(error: ClientError) -> GroupError {
        GroupError::Client(error)
    }
}

impl From<ScriptError> for GroupError {
    fn from(error: ScriptError) -> GroupError {
        GroupError::Script(error)
    }
}

impl From<io::Error> for GroupError {
    fn from(error: io::Error) -> GroupError {
        GroupError::Script(error.into())
    }
}

type GroupResult = Result<(), GroupError>;

fn check(parsed: &Parsed) -> ScriptResult {
    parsed.require(&["bootstrap-server"])?;
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        return Err(parsed.usage(
            "Command must include exactly one action: --list, --describe, --delete, \
             --reset-offsets, --delete-offsets.",
        ));
    }
    let needs_group = !parsed.has("list");
    if needs_group && !parsed.has("group") && !parsed.has("all-groups") {
        let action = ACTIONS.iter().find(|action| parsed.has(action)).unwrap_or(&"");
        return Err(parsed.usage(format!(
            "Option [{action}] takes one of these options: [all-groups], [group]"
        )));
    }
    if parsed.has("delete-offsets") && (!parsed.has("group") || !parsed.has("topic")) {
        let why = "Option [delete-offsets] takes the following options: [group], [topic]";
        return Err(parsed.usage(why));
    }
    if parsed.has("describe") {
        let kinds = ["members", "offsets", "state"].iter().filter(|kind| parsed.has(kind)).count();
        if kinds > 1 {
            let why = "Option [describe] takes at most one of these options: [members], \
                       [offsets], [state]";
            return Err(parsed.usage(why));
        }
    }
    if parsed.has("reset-offsets") {
        reset::check(parsed)?;
    }
    Ok(())
}

/// The groups that the flags name.
fn groups(parsed: &Parsed, client: &mut Client) -> Result<Vec<String>, ClientError> {
    if parsed.has("all-groups") {
        let listed = client.list_groups(&[], &[])?;
        let consumer = listed.into_iter().filter(|group| group.is_consumer_group());
        return Ok(consumer.map(|group| group.id).collect());
    }
    Ok(parsed.values("group").map(str::to_owned).collect())
}
