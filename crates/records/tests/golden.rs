//! Batches that Kafka 4.2's own classes wrote, byte for byte, and what those classes read in them.
//! `testdata/golden/README.md` says how they came about.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use records::control::ControlRecord;
use records::legacy::{self, LegacyEntry, Stored};
use records::validate::{ProduceRules, validate_produce};
use records::{
    BatchBuilder, Compression, NewRecord, Record, RecordBatch, Retained, TimestampType, batches,
    crc32,
};
use types::{LeaderEpoch, Offset, WallTime};

const T: i64 = 1_700_000_000_000;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/golden")
}

fn load(case: &str) -> Bytes {
    let text = fs::read_to_string(directory().join(format!("{case}.hex"))).unwrap();
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Each case with the lines that Kafka's readers printed for it.
fn cases() -> Vec<(String, String)> {
    let text = fs::read_to_string(directory().join("expectations.txt")).unwrap();
    text.split("case ")
        .skip(1)
        .map(|case| {
            let (name, lines) = case.split_once('\n').unwrap();
            (name.to_owned(), lines.to_owned())
        })
        .collect()
}

fn show(bytes: Option<&Bytes>) -> String {
    match bytes {
        None => "null".to_owned(),
        Some(bytes) if bytes.len() <= 32 => format!("x{}", hex(bytes)),
        Some(bytes) => format!("{}:{:08x}", bytes.len(), crc32(bytes)),
    }
}

fn time_name(kind: TimestampType) -> &'static str {
    match kind {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

fn print_record(out: &mut String, record: &Record) {
    let (key, value) = (show(record.key.as_ref()), show(record.value.as_ref()));
    let Record { offset, timestamp, .. } = record;
    write!(out, "record {offset} at {} key={key} value={value}", timestamp.0).unwrap();
    for header in &record.headers {
        write!(out, " {}={}", header.key_text(), show(header.value.as_ref())).unwrap();
    }
    out.push('\n');
}

fn print_batch(out: &mut String, batch: &RecordBatch) {
    batch.verify_crc().unwrap();
    let header = batch.header();
    write!(
        out,
        "batch offsets={}..{} bytes={} epoch={} crc={:08x} codec={} time={} max={} \
         producer={}/{}/{}..{}",
        header.base_offset,
        header.last_offset(),
        batch.size_bytes(),
        header.leader_epoch,
        header.crc,
        header.compression().unwrap(),
        time_name(header.timestamp_type()),
        header.max_timestamp.0,
        header.producer_id,
        header.producer_epoch,
        header.base_sequence,
        header.last_sequence(),
    )
    .unwrap();
    out.push_str(if header.is_transactional() { " transactional" } else { "" });
    out.push_str(if header.is_control() { " control" } else { "" });
    if let Some(horizon) = header.delete_horizon() {
        write!(out, " horizon={}", horizon.0).unwrap();
    }
    writeln!(out, " count={}", header.records_count).unwrap();
    for record in batch.records().unwrap() {
        print_record(out, &record.unwrap());
    }
}

fn print_entry(out: &mut String, entry: &LegacyEntry) {
    entry.verify_crc().unwrap();
    writeln!(
        out,
        "entry magic={} last={} bytes={} codec={} time={} max={}",
        entry.magic(),
        entry.last_offset(),
        entry.size_bytes(),
        entry.compression().unwrap(),
        time_name(entry.timestamp_type()),
        entry.max_timestamp().0,
    )
    .unwrap();
    for record in entry.records().unwrap() {
        print_record(out, &record);
    }
}

fn print(mut bytes: Bytes) -> String {
    let mut out = String::new();
    while !bytes.is_empty() {
        let stored = Stored::parse(&bytes).unwrap();
        match &stored {
            Stored::Batch(batch) => print_batch(&mut out, batch),
            Stored::Legacy(entry) => print_entry(&mut out, entry),
        }
        bytes = bytes.slice(stored.size_bytes()..);
    }
    out
}

/// The batches of format 2 among the cases.
fn format_2() -> Vec<(String, RecordBatch)> {
    cases()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("format-"))
        .flat_map(|(name, _)| {
            let bytes = load(&name);
            batches(&bytes).map(move |batch| (name.clone(), batch.unwrap())).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn everything_kafka_wrote_is_read_as_kafka_reads_it() {
    let cases = cases();
    assert_eq!(cases.len(), 35, "cases were lost");
    for (name, expected) in cases {
        assert_eq!(print(load(&name)), expected, "{name}");
    }
}

/// The same records and settings, put together by our builder.
fn rebuilt(batch: &RecordBatch, records: &[Record]) -> RecordBatch {
    let header = batch.header();
    let mut builder = BatchBuilder::new()
        .base_offset(header.base_offset)
        .leader_epoch(header.leader_epoch)
        .compression(header.compression().unwrap())
        .producer(header.producer_id, header.producer_epoch, header.base_sequence);
    if header.is_transactional() {
        builder = builder.transactional();
    }
    if header.is_control() {
        builder = builder.control();
    }
    for record in records {
        builder.push(NewRecord {
            timestamp: record.timestamp,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &record.headers,
        });
    }
    builder.build()
}

#[test]
fn our_builder_writes_the_bytes_that_kafkas_writes() {
    let mut uncompressed = 0;
    for (name, batch) in format_2() {
        let append_time = batch.header().timestamp_type() == TimestampType::LogAppendTime;
        if name == "compacted" || append_time {
            continue;
        }
        let records: Vec<Record> = batch.records().unwrap().map(Result::unwrap).collect();
        let ours = rebuilt(&batch, &records);
        if batch.header().compression() == Ok(Compression::None) {
            assert_eq!(hex(ours.bytes()), hex(batch.bytes()), "{name}");
            uncompressed += 1;
        }
        let again: Vec<Record> = ours.records().unwrap().map(Result::unwrap).collect();
        assert_eq!(again, records, "{name}");
    }
    assert_eq!(uncompressed, 12, "batches were skipped");
}

#[test]
fn what_kafkas_producer_sends_is_accepted_unchanged() {
    for (name, batch) in format_2() {
        let is_produced = name.starts_with("plain") || name.starts_with("large");
        if !is_produced {
            continue;
        }
        let sent = batch.moved_to(Offset::ZERO, LeaderEpoch::NONE).into_bytes();
        let accepted = validate_produce(sent.clone(), &ProduceRules::default(), WallTime(T));
        assert_eq!(accepted.unwrap().to_bytes(), sent, "{name}");
    }
}

#[test]
fn control_records_are_written_as_kafka_writes_them() {
    let mut kinds = Vec::new();
    for (name, batch) in format_2() {
        if !batch.header().is_control() {
            continue;
        }
        let record = batch.records().unwrap().next().unwrap().unwrap();
        let control = ControlRecord::from_record(&record).unwrap();
        assert_eq!(hex(&control.value()), hex(record.value.as_ref().unwrap()), "{name}");
        let header = batch.header();
        let ours = match control {
            ControlRecord::Abort { .. } | ControlRecord::Commit { .. } => control
                .marker_batch(header.producer_id, header.producer_epoch, record.timestamp)
                .moved_to(header.base_offset, header.leader_epoch),
            _ => control.quorum_batch(header.base_offset, header.leader_epoch, record.timestamp),
        };
        assert_eq!(hex(ours.bytes()), hex(batch.bytes()), "{name}");
        kinds.push(control.kind());
    }
    assert_eq!(kinds, [1, 0, 2, 2, 3, 4, 5, 6]);
}

#[test]
fn compaction_leaves_what_kafkas_cleaner_leaves() {
    let before: Vec<RecordBatch> =
        batches(&load("before-compaction")).map(Result::unwrap).collect();
    let after: Vec<RecordBatch> = batches(&load("compacted")).map(Result::unwrap).collect();
    // Cleaned at T + 500 with a delete retention of one second; records 12 and 14 are the latest of
    // their keys.
    let horizon = WallTime(T + 1500);
    let keep = |record: &Record| matches!(record.offset.0, 12 | 14);
    let first = before[0].retain(horizon, false, keep).unwrap();
    assert_eq!(first, Retained::Rewritten(after[0].clone()));
    assert_eq!(before[1].retain(horizon, false, keep).unwrap(), Retained::Nothing);
    assert_eq!(hex(before[1].emptied().bytes()), hex(after[1].bytes()));
    // Once there, a horizon stays, and nothing is left to rewrite.
    let later = WallTime(T + 9000);
    assert_eq!(after[0].retain(later, false, |_| true).unwrap(), Retained::Unchanged);
    let Retained::Rewritten(last) =
        after[0].retain(later, false, |record| record.offset == Offset(14)).unwrap()
    else {
        panic!("a record went, so the batch changes");
    };
    assert_eq!(last.header().delete_horizon(), Some(horizon));
    let record = last.records().unwrap().next().unwrap().unwrap();
    assert_eq!((record.offset, record.timestamp), (Offset(14), WallTime(T + 40)));
    assert_eq!((last.base_offset(), last.last_offset()), (Offset(10), Offset(15)));
}

#[test]
fn old_formats_become_format_2_with_their_offsets_and_times() {
    for (name, _) in cases().into_iter().filter(|(name, _)| name.starts_with("format-")) {
        let mut seen = Vec::new();
        for entry in legacy::entries(&load(&name)) {
            let entry = entry.unwrap();
            let batch = entry.to_format_2().unwrap();
            batch.verify_crc().unwrap();
            assert_eq!(batch.last_offset(), entry.last_offset(), "{name}");
            assert_eq!(batch.header().max_timestamp, entry.max_timestamp(), "{name}");
            let records: Vec<Record> = batch.records().unwrap().map(Result::unwrap).collect();
            assert_eq!(records, entry.records().unwrap(), "{name}");
            seen.extend(records.iter().map(|record| record.offset.0));
        }
        let expected = if name.ends_with("append-time") { 40..42 } else { 40..43 };
        assert_eq!(seen, expected.collect::<Vec<_>>(), "{name}");
    }
}
