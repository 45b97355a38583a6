//! `kafka-console-producer`. Source of flags: Kafka `ConsoleProducer`, `LineMessageReader`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{Acks, Outgoing, Producer, ProducerOptions};
use records::{Compression, Compressor, Header};
use types::WallTime;

use super::exceptions::exception;
use super::options::{Flag, Parsed, Tool, optional, switch, value};
use super::{ScriptError, ScriptResult, client_options};
use crate::lines::{Lines, Next};
use crate::moment::now_ms;
use crate::produce::find;

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("topic", "topic", "REQUIRED: the topic to produce to."),
    value("command-config", "file", "Producer properties."),
    value("producer.config", "file", "The older name of --command-config."),
    value("command-property", "name=value", "A producer property; may be repeated."),
    value("producer-property", "name=value", "The older name of --command-property."),
    value("reader-property", "name=value", "parse.key, key.separator, parse.headers, …"),
    value("property", "name=value", "The older name of --reader-property."),
    value("reader-config", "file", "A file with reader properties."),
    value("line-reader", "class", "The class that reads records; the default one is built in."),
    optional("compression-codec", "codec", "none, gzip, snappy, lz4 or zstd; alone: gzip."),
    value("request-required-acks", "acks", "0, 1, -1 or all; all is the default."),
    value("batch-size", "bytes", "The size at which a batch is sent."),
    value("max-partition-memory-bytes", "bytes", "The older name of --batch-size."),
    value("timeout", "ms", "How long to gather records before they are sent."),
    value("request-timeout-ms", "ms", "How long an answer may take."),
    value("message-send-max-retries", "number", "Accepted; sending is retried until time is up."),
    value("retry-backoff-ms", "ms", "Accepted; pauses grow by themselves."),
    value("max-block-ms", "ms", "How long to wait for the topic."),
    value("max-memory-bytes", "bytes", "Accepted; memory is bounded by itself."),
    value("metadata-expiry-ms", "ms", "Accepted; metadata is renewed when it is wrong."),
    value("socket-buffer-size", "bytes", "Accepted; the system chooses."),
    switch("sync", "Send each record by itself and wait for it."),
];

static TOOL: Tool = Tool {
    name: "kafka-console-producer",
    about: "This tool helps to read data from standard input and publish it to Kafka.",
    flags: FLAGS,
};

const LINGER: Duration = Duration::from_millis(20);
const BATCH_BYTES: usize = 256 * 1024;
const DEFAULT_READER: &str = "org.apache.kafka.tools.LineMessageReader";
const OLD_READER: &str = "kafka.tools.ConsoleProducer$LineMessageReader";

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    parsed.require(&["bootstrap-server", "topic"])?;
    for (old, new) in [
        ("property", "reader-property"),
        ("producer-property", "command-property"),
        ("producer.config", "command-config"),
        ("max-partition-memory-bytes", "batch-size"),
    ] {
        if parsed.has(old) {
            // On stderr, so that nothing mixes with what the tool is piped into.
            eprintln!(
                "Warning: --{old} is deprecated and will be removed in a future version. Use \
                 --{new} instead."
            );
        }
    }
    let reader = LineReader::new(&parsed)?;
    let mut producer = producer(&parsed)?;
    let topic: Arc<str> = Arc::from(parsed.value("topic").unwrap_or_default());
    let is_person = io::stdin().is_terminal();
    let lines = Lines::stdin();
    let mut number = 0;
    prompt(is_person)?;
    loop {
        match lines.next(LINGER)? {
            Next::End => return flush(&mut producer),
            Next::Pause => flush(&mut producer)?,
            Next::Line(line) => {
                number += 1;
                let record = match reader.read(number, &Bytes::from(line)) {
                    Ok(record) => record,
                    Err(why) => {
                        flush(&mut producer)?;
                        let line = format!("org.apache.kafka.common.KafkaException: {why}");
                        return Err(ScriptError::Stderr(line));
                    }
                };
                producer.send(&topic, &record).map_err(|e| ScriptError::Stderr(exception(&e)))?;
                if parsed.has("sync") || is_person {
                    flush(&mut producer)?;
                }
                prompt(is_person)?;
            }
        }
    }
}

fn prompt(is_person: bool) -> io::Result<()> {
    if !is_person {
        return Ok(());
    }
    print!(">");
    io::stdout().flush()
}

fn flush(producer: &mut Producer) -> ScriptResult {
    producer.flush().map(|_| ()).map_err(|error| ScriptError::Stderr(exception(&error)))
}

fn producer(parsed: &Parsed) -> Result<Producer, ScriptError> {
    let mut properties: BTreeMap<String, String> = BTreeMap::new();
    for flag in ["producer.config", "command-config"] {
        for path in parsed.values(flag) {
            properties.extend(crate::context::read_properties(path)?);
        }
    }
    for flag in ["producer-property", "command-property"] {
        properties.extend(pairs(parsed, flag)?);
    }
    let mut options = client_options(parsed, &[])?
        .with_properties(&properties)
        .map_err(|error| ScriptError::Stderr(error.to_string()))?;
    options.bootstrap = client_options(parsed, &[])?.bootstrap;
    options.client_id = "console-producer".to_owned();
    let codec = match (parsed.has("compression-codec"), parsed.value("compression-codec")) {
        (true, None) => "gzip",
        (_, Some(codec)) => codec,
        (false, None) => properties.get("compression.type").map_or("none", String::as_str),
    };
    let codec: Compression = codec.parse().map_err(|error| parsed.usage(format!("{error}")))?;
    let acks = parsed.value("request-required-acks");
    let acks = acks.or(properties.get("acks").map(String::as_str)).unwrap_or("all");
    let acks = Acks::from_text(acks)
        .ok_or_else(|| parsed.usage(format!("Invalid value {acks} for configuration acks")))?;
    let batch: Option<usize> = match parsed.number("batch-size")? {
        Some(size) => Some(size),
        None => parsed.number("max-partition-memory-bytes")?,
    };
    let options_of_producer = ProducerOptions {
        acks,
        compression: Compressor::new(codec),
        batch_bytes: batch.unwrap_or(BATCH_BYTES),
        buffer_bytes: 4 * BATCH_BYTES,
        is_idempotent: properties.get("enable.idempotence").is_none_or(|text| text != "false"),
        seed: std::process::id(),
    };
    let client =
        client::Client::connect(options).map_err(|error| ScriptError::Stderr(error.to_string()))?;
    Producer::new(client, options_of_producer)
        .map_err(|error| ScriptError::Stderr(exception(&error)))
}

/// The `name=value` of a repeated flag.
pub(super) fn pairs(parsed: &Parsed, flag: &str) -> Result<BTreeMap<String, String>, ScriptError> {
    let mut pairs = BTreeMap::new();
    for text in parsed.values(flag) {
        // Values may hold commas and equals signs: only the first one separates.
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        if name.is_empty() {
            return Err(parsed.usage(format!("Invalid command line properties: {text}")));
        }
        pairs.insert(name.to_owned(), value.to_owned());
    }
    Ok(pairs)
}

/// Lines become records as the reader properties say.
#[derive(Debug)]
struct LineReader {
    parses_key: bool,
    parses_headers: bool,
    ignores_errors: bool,
    key_separator: String,
    headers_delimiter: String,
    headers_separator: String,
    headers_key_separator: String,
    null_marker: Option<String>,
}

impl LineReader {
    fn new(parsed: &Parsed) -> Result<LineReader, ScriptError> {
        if let Some(class) = parsed.value("line-reader")
            && class != DEFAULT_READER
            && class != OLD_READER
        {
            let why = format!("--line-reader {class}: other classes are not supported here yet");
            return Err(ScriptError::Stderr(why));
        }
        let mut properties = BTreeMap::new();
        for path in parsed.values("reader-config") {
            properties.extend(crate::context::read_properties(path)?);
        }
        for flag in ["property", "reader-property"] {
            properties.extend(pairs(parsed, flag)?);
        }
        Ok(LineReader::of(&properties))
    }

    fn of(properties: &BTreeMap<String, String>) -> LineReader {
        let is_true = |name: &str| properties.get(name).is_some_and(|text| text.trim() == "true");
        let text = |name: &str, default: &str| {
            properties
                .get(name)
                .map_or(default.to_owned(), |text| crate::record_format::unescape(text))
        };
        LineReader {
            parses_key: is_true("parse.key"),
            parses_headers: is_true("parse.headers"),
            ignores_errors: is_true("ignore.error"),
            key_separator: text("key.separator", "\t"),
            headers_delimiter: text("headers.delimiter", "\t"),
            headers_separator: text("headers.separator", ","),
            headers_key_separator: text("headers.key.separator", ":"),
            null_marker: properties.get("null.marker").cloned(),
        }
    }

    fn read(&self, number: u64, line: &Bytes) -> Result<Outgoing, String> {
        let mut rest = line.clone();
        let headers = match self.parses_headers {
            true => self.cut(&mut rest, &self.headers_delimiter, "headers", number, line)?,
            false => None,
        };
        let key = match self.parses_key {
            true => self.cut(&mut rest, &self.key_separator, "key", number, line)?,
            false => None,
        };
        // Last, so that a missing key separator is what is told first.
        let headers = match headers.filter(|text| !self.is_null(text)) {
            Some(text) => self.headers(&text, number)?,
            None => Vec::new(),
        };
        Ok(Outgoing {
            partition: None,
            timestamp: WallTime(now_ms()),
            key: key.filter(|key| !self.is_null(key)),
            value: Some(rest).filter(|value| !self.is_null(value)),
            headers,
        })
    }

    /// Takes what stands before `separator` off the front of `rest`.
    fn cut(
        &self,
        rest: &mut Bytes,
        separator: &str,
        what: &str,
        number: u64,
        line: &Bytes,
    ) -> Result<Option<Bytes>, String> {
        match find(rest, separator.as_bytes()) {
            Some(at) => {
                let front = rest.slice(..at);
                *rest = rest.slice(at + separator.len()..);
                Ok(Some(front))
            }
            None if self.ignores_errors => Ok(None),
            None => {
                let what = if what == "key" { "key separator" } else { "headers delimiter" };
                let line = String::from_utf8_lossy(line);
                Err(format!("No {what} found on line number {number}: '{line}'"))
            }
        }
    }

    fn headers(&self, text: &Bytes, number: u64) -> Result<Vec<Header>, String> {
        let mut headers = Vec::new();
        let mut rest = text.clone();
        while !rest.is_empty() {
            let at = find(&rest, self.headers_separator.as_bytes());
            let pair = rest.slice(..at.unwrap_or(rest.len()));
            rest = match at {
                Some(at) => rest.slice(at + self.headers_separator.len()..),
                None => Bytes::new(),
            };
            match find(&pair, self.headers_key_separator.as_bytes()) {
                Some(at) => {
                    let value = pair.slice(at + self.headers_key_separator.len()..);
                    headers.push(Header {
                        key: pair.slice(..at),
                        value: Some(value).filter(|value| !self.is_null(value)),
                    });
                }
                None if self.ignores_errors => headers.push(Header { key: pair, value: None }),
                None => {
                    let pair = String::from_utf8_lossy(&pair);
                    return Err(format!(
                        "No header key separator found in pair '{pair}' on line number {number}"
                    ));
                }
            }
        }
        Ok(headers)
    }

    fn is_null(&self, bytes: &Bytes) -> bool {
        self.null_marker.as_ref().is_some_and(|marker| bytes == marker.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)], line: &'static str) -> Result<Outgoing, String> {
        let properties = properties.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        LineReader::of(&properties.collect()).read(4, &Bytes::from(line))
    }

    #[test]
    fn keys_and_headers_stand_before_the_value() {
        let both = [("parse.key", "true"), ("parse.headers", "true")];
        let record = read(&both, "h1:v1,h2:v2\tk\tval").unwrap();
        assert_eq!(record.key, Some(Bytes::from("k")));
        assert_eq!(record.value, Some(Bytes::from("val")));
        assert_eq!(record.headers, [Header::new("h1", "v1"), Header::new("h2", "v2")]);
    }

    #[test]
    fn a_line_without_separator_is_told_as_kafka_tells_it() {
        let keyed = [("parse.key", "true"), ("key.separator", ":")];
        let why = read(&keyed, "nokey").unwrap_err();
        assert_eq!(why, "No key separator found on line number 4: 'nokey'");
        let ignoring = [("parse.key", "true"), ("ignore.error", "true")];
        assert_eq!(read(&ignoring, "nokey").unwrap().value, Some(Bytes::from("nokey")));
    }

    #[test]
    fn the_null_marker_makes_null_keys_and_values() {
        let marked = [("parse.key", "true"), ("null.marker", "NULL")];
        let record = read(&marked, "NULL\tNULL").unwrap();
        assert_eq!((record.key, record.value), (None, None));
    }
}
