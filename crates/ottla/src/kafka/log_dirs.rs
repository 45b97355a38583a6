//! `kafka-log-dirs`. Source of flags and output: Kafka `LogDirsCommand`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use client::ClientError;
use client::admin::replica_dirs::LogDir;
use serde::Serialize;

use super::exceptions::{class, exception};
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult, connect};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("command-config", "file", "Client properties."),
    switch("describe", "REQUIRED: describe the log directories."),
    value("topic-list", "a,b", "Only replicas of these topics."),
    value("broker-list", "0,1,2", "Only these brokers."),
];

static TOOL: Tool = Tool {
    name: "kafka-log-dirs",
    about: "This tool helps to query log directory usage on the specified brokers.",
    flags: FLAGS,
};

/// The fields stand in the order in which Kafka's tool writes them.
#[derive(Serialize)]
struct Described {
    brokers: Vec<DescribedBroker>,
    version: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribedBroker {
    broker: i32,
    log_dirs: Vec<DescribedDir>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribedDir {
    partitions: Vec<DescribedReplica>,
    error: Option<String>,
    log_dir: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribedReplica {
    partition: String,
    size: i64,
    offset_lag: i64,
    is_future: bool,
}

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    parsed.require(&["bootstrap-server", "describe"])?;
    let topics: BTreeSet<&str> = listed(&parsed, "topic-list").collect();
    let asked = brokers(&parsed)?;
    let mut client = connect(&parsed, &["command-config"])?;
    let known: BTreeSet<i32> = client.cluster().brokers.keys().copied().collect();
    let strangers = &asked - &known;
    if !strangers.is_empty() {
        return Err(ScriptError::Stderr(format!(
            "ERROR: The given brokers do not exist from --broker-list: {}. Current existent \
             brokers: {}",
            commas(&strangers),
            commas(&known)
        )));
    }
    let asked = if asked.is_empty() { known } else { asked };
    let mut out = io::stdout().lock();
    writeln!(out, "Querying brokers for log directories information")?;
    let mut described = Vec::new();
    for broker in &asked {
        let dirs = client.log_dir_replicas(*broker);
        let dirs = dirs.map_err(|error| ScriptError::Stderr(exception(&error)))?;
        let log_dirs = dirs.into_iter().map(|dir| describe(dir, &topics)).collect();
        described.push(DescribedBroker { broker: *broker, log_dirs });
    }
    writeln!(out, "Received log directory information from brokers {}", commas(&asked))?;
    let text = serde_json::to_string(&Described { brokers: described, version: 1 });
    writeln!(out, "{}", text.map_err(io::Error::from)?)?;
    Ok(())
}

fn describe(dir: LogDir, topics: &BTreeSet<&str>) -> DescribedDir {
    let replicas = dir.replicas.into_iter();
    let shown = replicas.filter(|r| topics.is_empty() || topics.contains(r.place.0.as_str()));
    let partitions = shown.map(|replica| DescribedReplica {
        partition: format!("{}-{}", replica.place.0, replica.place.1),
        size: replica.bytes,
        offset_lag: replica.lag,
        is_future: replica.is_future,
    });
    let error = (dir.error != 0).then(|| {
        let error = ClientError::broker("read the directory", dir.error, None);
        format!("org.apache.kafka.common.errors.{}", class(&error))
    });
    DescribedDir { partitions: partitions.collect(), error, log_dir: dir.path }
}

fn listed<'a>(parsed: &'a Parsed, flag: &str) -> impl Iterator<Item = &'a str> {
    parsed.value(flag).unwrap_or_default().split(',').filter(|word| !word.is_empty())
}

fn brokers(parsed: &Parsed) -> Result<BTreeSet<i32>, ScriptError> {
    let number = |word: &str| {
        word.parse().map_err(|_| ScriptError::Stderr(format!("For input string: \"{word}\"")))
    };
    listed(parsed, "broker-list").map(number).collect()
}

fn commas(brokers: &BTreeSet<i32>) -> String {
    brokers.iter().map(i32::to_string).collect::<Vec<String>>().join(",")
}

#[cfg(test)]
mod tests {
    use client::admin::replica_dirs::ReplicaInDir;

    use super::*;

    #[test]
    fn a_directory_is_written_as_kafkas_tool_writes_it() {
        let replica =
            ReplicaInDir { place: ("t".to_owned(), 1), bytes: 7, lag: 0, is_future: false };
        let other = ReplicaInDir { place: ("u".to_owned(), 0), ..replica.clone() };
        let dir = LogDir { path: "/d".to_owned(), error: 0, replicas: vec![replica, other] };
        let text = |dir, topics: &[&str]| {
            serde_json::to_string(&describe(dir, &topics.iter().copied().collect())).unwrap()
        };
        assert_eq!(
            text(dir, &["t"]),
            r#"{"partitions":[{"partition":"t-1","size":7,"offsetLag":0,"isFuture":false}],"error":null,"logDir":"/d"}"#
        );
        let broken = LogDir { path: "/d".to_owned(), error: 56, replicas: Vec::new() };
        assert_eq!(
            text(broken, &[]),
            r#"{"partitions":[],"error":"org.apache.kafka.common.errors.KafkaStorageException","logDir":"/d"}"#
        );
    }
}
