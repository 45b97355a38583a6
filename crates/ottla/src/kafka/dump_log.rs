//! `kafka-dump-log`. Source of flags and output: Kafka `DumpLogSegments`.

mod metadata_decoder;
mod offsets_decoder;

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use records::{Record, RecordBatch, TimestampType};

use super::options::{Flag, Parsed, Takes, Tool, switch, value};
use super::{ScriptError, ScriptResult};
use crate::log_dump::{BatchFile, Found, index_entries, time_index_entries};

const FLAGS: &[Flag] = &[
    Flag { name: "files", takes: Takes::Values("file,…"), about: "REQUIRED: the files to dump." },
    switch("print-data-log", "Show keys and values of records."),
    switch("deep-iteration", "Show records; also without their data."),
    switch("offsets-decoder", "Decode records of __consumer_offsets."),
    switch("skip-record-metadata", "Show only keys and values of records."),
    switch("index-sanity-check", "Check that an index can be used."),
    switch("verify-index-only", "Read an index without printing it."),
    value("max-bytes", "bytes", "Stop after this many bytes of each segment."),
    value("max-message-size", "bytes", "Accepted; every batch is read whole."),
    value("key-decoder-class", "class", "Accepted: keys are shown as text."),
    value("value-decoder-class", "class", "Accepted: values are shown as text."),
    switch("transaction-log-decoder", "Decode records of __transaction_state."),
    switch("cluster-metadata-decoder", "Decode records of __cluster_metadata."),
    switch("share-group-state-decoder", "Decode records of __share_group_state."),
    switch("remote-log-metadata-decoder", "Decode records of the remote log's metadata."),
];

static TOOL: Tool = Tool {
    name: "kafka-dump-log",
    about: "This tool helps to parse a log file and dump its contents to the console, useful for \
            debugging a seemingly corrupt log segment.",
    flags: FLAGS,
};

/// What a node begins its metadata with. Source: Kafka `BootstrapDirectory`.
const BOOTSTRAP: &str = "bootstrap.checkpoint";

/// What keys and values are read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Text,
    Offsets,
    Metadata,
}

const NOT_YET: &[&str] =
    &["transaction-log-decoder", "share-group-state-decoder", "remote-log-metadata-decoder"];

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    parsed.require(&["files"])?;
    if let Some(flag) = NOT_YET.iter().find(|flag| parsed.has(flag)) {
        return Err(ScriptError::Stderr(format!("--{flag} is not supported here yet")));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let files: Vec<&str> = parsed.values("files").flat_map(|files| files.split(',')).collect();
    for path in files {
        writeln!(out, "Dumping {path}")?;
        match Path::new(path).extension().and_then(|extension| extension.to_str()) {
            Some("log" | "checkpoint") => segment(&parsed, path, &mut out)?,
            Some("index") => index(&parsed, path, &mut out)?,
            Some("timeindex") => time_index(&parsed, path, &mut out)?,
            Some("snapshot" | "txnindex") => {
                eprintln!("{path}: this kind of file is not supported here yet");
            }
            _ => eprintln!("Ignoring unknown file {path}"),
        }
    }
    out.flush()?;
    Ok(())
}

fn segment(parsed: &Parsed, path: &str, out: &mut dyn Write) -> ScriptResult {
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.split(['.', '-']).next().unwrap_or_default();
    match digits.parse::<i64>() {
        Ok(base) if path.ends_with(".log") => writeln!(out, "Log starting offset: {base}")?,
        Ok(base) => writeln!(out, "Snapshot end offset: {base}, epoch: {}", epoch_of(name))?,
        Err(_) if name == BOOTSTRAP => writeln!(out, "KRaft bootstrap snapshot")?,
        Err(_) => {
            return Err(ScriptError::Stderr(format!(
                "{path}: its name does not begin with an offset"
            )));
        }
    }
    let max: Option<u64> = parsed.number("max-bytes")?;
    for found in BatchFile::open(path)? {
        let found = found?;
        if max.is_some_and(|max| found.position >= max) {
            break;
        }
        writeln!(out, "{}", batch_line(&found))?;
        write_records(parsed, &found.batch, out)?;
    }
    Ok(())
}

/// `00000000000000000010-0000000001.checkpoint` is of epoch 1.
fn epoch_of(name: &str) -> i64 {
    let epoch = name.split(['.', '-']).nth(1).and_then(|digits| digits.parse().ok());
    epoch.unwrap_or(-1)
}

fn batch_line(found: &Found) -> String {
    let header = found.batch.header();
    let horizon = match header.delete_horizon() {
        Some(horizon) => format!("OptionalLong[{}]", horizon.0),
        None => "OptionalLong.empty".to_owned(),
    };
    format!(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} \
         producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} \
         deleteHorizonMs: {horizon} position: {} {}: {} size: {} magic: 2 compresscodec: {} crc: \
         {} isvalid: {}",
        found.batch.base_offset(),
        found.batch.last_offset(),
        header.records_count,
        header.base_sequence,
        last_sequence(found),
        header.producer_id,
        header.producer_epoch.0,
        header.leader_epoch.0,
        header.is_transactional(),
        header.is_control(),
        found.position,
        time_name(header.timestamp_type()),
        header.max_timestamp.0,
        found.batch.size_bytes(),
        header.compression().map_or("unknown", |codec| codec.name()),
        header.crc,
        found.is_valid(),
    )
}

/// Kafka's tool calculates it only where there is a base.
fn last_sequence(found: &Found) -> i32 {
    let header = found.batch.header();
    match header.base_sequence.0 {
        -1 => -1,
        _ => header.last_sequence().0,
    }
}

fn time_name(kind: TimestampType) -> &'static str {
    match kind {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

impl Shown {
    fn from_flags(parsed: &Parsed) -> Shown {
        if parsed.has("offsets-decoder") {
            Shown::Offsets
        } else if parsed.has("cluster-metadata-decoder") {
            Shown::Metadata
        } else if parsed.has("print-data-log") {
            Shown::Text
        } else {
            Shown::Nothing
        }
    }
}

fn write_records(parsed: &Parsed, batch: &RecordBatch, out: &mut dyn Write) -> ScriptResult {
    let shown = Shown::from_flags(parsed);
    if shown == Shown::Nothing && !parsed.has("deep-iteration") {
        return Ok(());
    }
    let unreadable = |error| ScriptError::Stderr(format!("the batch cannot be read: {error}"));
    let skips_metadata = parsed.has("skip-record-metadata");
    for (index, record) in batch.records().map_err(unreadable)?.enumerate() {
        let record = record.map_err(unreadable)?;
        let mut line = String::new();
        if !skips_metadata {
            line.push('|');
            write_metadata(&mut line, batch, &record, index);
        }
        match (batch.header().is_control(), skips_metadata) {
            // Without their metadata an empty line is left of them, as of Kafka's.
            (true, true) => {}
            (true, false) => line += &format!(" {}", metadata_decoder::control(&record)),
            (false, _) => write_data(&mut line, &record, shown),
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn write_metadata(line: &mut String, batch: &RecordBatch, record: &Record, index: usize) {
    let header = batch.header();
    let sequence = match header.base_sequence.0 {
        -1 => -1,
        _ => header.base_sequence.plus(i32::try_from(index).unwrap_or(i32::MAX)).0,
    };
    let size = |bytes: Option<usize>| bytes.map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let keys: Vec<_> = record.headers.iter().map(|header| header.key_text()).collect();
    let _ = write!(
        line,
        " offset: {} {}: {} keySize: {} valueSize: {} sequence: {sequence} headerKeys: [{}]",
        record.offset,
        time_name(header.timestamp_type()),
        record.timestamp.0,
        size(record.key.as_ref().map(bytes::Bytes::len)),
        size(record.value.as_ref().map(bytes::Bytes::len)),
        keys.join(","),
    );
}

fn write_data(line: &mut String, record: &Record, shown: Shown) {
    let text = |bytes: &bytes::Bytes| String::from_utf8_lossy(bytes).into_owned();
    let (key, value) = match shown {
        Shown::Nothing => return,
        Shown::Text => (record.key.as_ref().map(text), record.value.as_ref().map(text)),
        // Nobody reads their keys.
        Shown::Metadata => (None, Some(metadata_decoder::decode(record))),
        Shown::Offsets => {
            let (key, value) = offsets_decoder::decode(record);
            (Some(key), Some(value))
        }
    };
    for (name, told) in [("key", key), ("payload", value)] {
        if let Some(told) = told {
            let bar = if line.is_empty() { "|" } else { "" };
            let _ = write!(line, "{bar} {name}: {told}");
        }
    }
}

fn index(parsed: &Parsed, path: &str, out: &mut dyn Write) -> ScriptResult {
    let entries = index_entries(path)?;
    if entries.is_empty() {
        writeln!(out, "{path} is empty.")?;
        return Ok(());
    }
    if parsed.has("index-sanity-check") {
        let grows = entries.is_sorted_by(|a, b| a.offset < b.offset && a.position < b.position);
        let verdict = if grows { "passed sanity check." } else { "is not in order." };
        writeln!(out, "{path} {verdict}")?;
        return Ok(());
    }
    if parsed.has("verify-index-only") {
        return Ok(());
    }
    for entry in entries {
        writeln!(out, "offset: {} position: {}", entry.offset, entry.position)?;
    }
    Ok(())
}

fn time_index(parsed: &Parsed, path: &str, out: &mut dyn Write) -> ScriptResult {
    let entries = time_index_entries(path)?;
    if entries.is_empty() {
        writeln!(out, "{path} is empty.")?;
        return Ok(());
    }
    if parsed.has("index-sanity-check") {
        let grows = entries.is_sorted_by(|a, b| a.timestamp < b.timestamp && a.offset <= b.offset);
        let verdict = if grows { "passed sanity check." } else { "is not in order." };
        writeln!(out, "{path} {verdict}")?;
        return Ok(());
    }
    if parsed.has("verify-index-only") {
        return Ok(());
    }
    for entry in entries {
        writeln!(out, "timestamp: {} offset: {}", entry.timestamp, entry.offset)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use records::{BatchBuilder, Header, NewRecord};
    use types::{ProducerEpoch, ProducerId, Sequence, WallTime};

    use super::*;

    fn found() -> Found {
        let mut builder =
            BatchBuilder::new().producer(ProducerId(1), ProducerEpoch(0), Sequence(0));
        builder.push(NewRecord {
            timestamp: WallTime(1_795_490_665_595),
            key: Some(b"k"),
            value: Some(b"val"),
            headers: &[Header::new("h1", "v1"), Header::new("h2", "v2")],
        });
        Found { position: 0, batch: builder.build() }
    }

    fn records(flags: &[&str]) -> String {
        let arguments: Vec<String> =
            ["--files", "x.log"].iter().chain(flags).map(|a| (*a).to_owned()).collect();
        let mut out = Vec::new();
        write_records(&TOOL.parse(&arguments).unwrap(), &found().batch, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_batch_is_told_in_kafkas_words() {
        let line = batch_line(&found());
        let (front, back) = line.split_once(" crc: ").unwrap();
        assert_eq!(
            front,
            "baseOffset: 0 lastOffset: 0 count: 1 baseSequence: 0 lastSequence: 0 producerId: 1 \
             producerEpoch: 0 partitionLeaderEpoch: -1 isTransactional: false isControl: false \
             deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1795490665595 size: 84 \
             magic: 2 compresscodec: none"
        );
        assert!(back.ends_with(" isvalid: true"), "{back}");
    }

    #[test]
    fn records_are_told_in_kafkas_words() {
        assert_eq!(records(&[]), "");
        assert_eq!(
            records(&["--print-data-log"]),
            "| offset: 0 CreateTime: 1795490665595 keySize: 1 valueSize: 3 sequence: 0 headerKeys: \
             [h1,h2] key: k payload: val\n"
        );
        assert_eq!(
            records(&["--print-data-log", "--skip-record-metadata"]),
            "| key: k payload: val\n"
        );
    }
}
