//! `kafka-delete-records`. Source of flags and output: Kafka `DeleteRecordsCommand`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use client::Place;
use serde::Deserialize;

use super::exceptions::exception;
use super::options::{Flag, Tool, value};
use super::{ScriptError, ScriptResult, connect};
use crate::failure::file_failure;

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("offset-json-file", "file", "REQUIRED: the offsets below which records are deleted."),
    value("command-config", "file", "Client properties."),
];

static TOOL: Tool = Tool {
    name: "kafka-delete-records",
    about: "This tool helps to delete records of the given partitions down to the specified \
            offset.",
    flags: FLAGS,
};

/// The file: `{"partitions": [{"topic", "partition", "offset"}], "version": 1}`.
#[derive(Deserialize)]
struct OffsetFile {
    #[serde(default = "version_1")]
    version: i32,
    partitions: Vec<PartitionOffset>,
}

#[derive(Deserialize)]
struct PartitionOffset {
    topic: String,
    partition: i32,
    offset: i64,
}

fn version_1() -> i32 {
    1
}

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    parsed.require(&["bootstrap-server", "offset-json-file"])?;
    let path = parsed.value("offset-json-file").unwrap_or_default();
    let text = std::fs::read_to_string(path).map_err(|error| file_failure("read", path, &error))?;
    let below = read(&text).map_err(ScriptError::Stderr)?;
    let mut client = connect(&parsed, &["command-config"])?;
    let mut out = io::stdout().lock();
    writeln!(out, "Executing records delete operation")?;
    let results =
        client.delete_records(&below).map_err(|error| ScriptError::Stderr(exception(&error)))?;
    writeln!(out, "Records delete operation completed:")?;
    for ((topic, partition), result) in results {
        match result {
            Ok(low) => writeln!(out, "partition: {topic}-{partition}\tlow_watermark: {low}")?,
            Err(error) => {
                let told = exception(&error);
                writeln!(out, "partition: {topic}-{partition}\terror: {told}")?;
            }
        }
    }
    Ok(())
}

fn read(text: &str) -> Result<BTreeMap<Place, i64>, String> {
    let file: OffsetFile = serde_json::from_str(text)
        .map_err(|error| format!("The input string is not a valid JSON: {error}"))?;
    if file.version != 1 {
        return Err(format!("Not supported version field value {}", file.version));
    }
    let mut below = BTreeMap::new();
    for p in file.partitions {
        let place = (p.topic, p.partition);
        if below.insert(place.clone(), p.offset).is_some() {
            let (topic, partition) = place;
            return Err(format!(
                "Offset json file contains duplicate topic partitions: {topic}-{partition}"
            ));
        }
    }
    Ok(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_file_is_kafkas() {
        let one = r#"{"partitions":[{"topic":"t","partition":0,"offset":7}],"version":1}"#;
        assert_eq!(read(one), Ok(BTreeMap::from([(("t".to_owned(), 0), 7)])));
        assert!(read(r#"{"partitions":[],"version":2}"#).is_err());
        assert!(read("{").unwrap_err().contains("not a valid JSON"));
        let place = r#"{"topic":"t","partition":0,"offset":7}"#;
        let twice = format!(r#"{{"partitions":[{place},{place}]}}"#);
        assert!(read(&twice).unwrap_err().contains("duplicate topic partitions: t-0"));
    }
}
