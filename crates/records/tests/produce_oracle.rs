//! Every answer that Kafka 4.2's own `LogValidator` gave to a produced batch, sound or broken, and
//! ours. `testdata/produce/README.md` says how they came about.

use std::fmt::Write;

use bytes::Bytes;
use records::validate::{ProduceRules, RecordsRejected, TargetCompression, validate_produce};
use records::{Compression, TimestampType};
use types::WallTime;

const NOW: WallTime = WallTime(1_700_000_000_000);
const CASES: &str = include_str!("../testdata/produce/cases.txt");

/// Where we answer differently, and why that is better. A name stands for all that start with it.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("offset-gap", "INVALID_RECORD records 1", "readers would see offsets that are not theirs"),
    ("record-offset-delta-negative", "INVALID_RECORD records 0", "the same"),
    ("record-varint-33-bits", "INVALID_RECORD", "a delta that Java cuts to another number"),
    ("codec-", "UNSUPPORTED_COMPRESSION_TYPE", "a client's fault, not a server error"),
    ("length-2147483647", "CORRUPT_MESSAGE", "the same"),
    ("framing-empty-part-behind-lz4", "INVALID_RECORD", "other readers would decode it too"),
    ("framing-zeros-behind", "INVALID_RECORD", "readers differ about bytes behind a block"),
    ("framing-noise-behind", "INVALID_RECORD", "the same"),
    ("framing-one-byte-behind", "INVALID_RECORD", "the same"),
    ("transactional-without-producer", "INVALID_RECORD", "no marker could ever end it"),
];

struct Case<'a> {
    name: &'a str,
    rules: ProduceRules,
    bytes: Bytes,
    kafka: &'a str,
}

impl Case<'_> {
    fn is_about_a_block(&self) -> bool {
        ["framing-", "garbled-", "block-cut-off-"].iter().any(|kind| self.name.starts_with(kind))
    }
}

fn cases() -> Vec<Case<'static>> {
    CASES
        .split("\n\n")
        .filter(|case| !case.trim().is_empty())
        .map(|case| {
            let line = |key: &str| {
                let found = case.lines().find_map(|line| line.strip_prefix(key));
                found.unwrap_or_else(|| panic!("{case} has no {key}"))
            };
            Case {
                name: line("case "),
                rules: rules(line("rules ")),
                bytes: unhex(line("bytes ")),
                kafka: line("kafka "),
            }
        })
        .collect()
}

fn rules(text: &str) -> ProduceRules {
    let mut rules = ProduceRules::default();
    for setting in text.split(' ') {
        let (name, value) = setting.split_once('=').unwrap();
        match name {
            "version" => rules.zstd_allowed = value.parse::<i16>().unwrap() >= 7,
            "max" => rules.batch_bytes_max = value.parse().unwrap(),
            "compression" if value == "producer" => {
                rules.compression = TargetCompression::Producer;
            }
            "compression" => {
                let codec: Compression = value.parse().unwrap();
                rules.compression = TargetCompression::Fixed(codec.into());
            }
            "compact" => rules.keys_required = value == "true",
            "time" if value == "LogAppendTime" => {
                rules.timestamp_type = TimestampType::LogAppendTime;
            }
            "time" => {}
            "before" => rules.timestamp_before_max_ms = value.parse().unwrap(),
            "after" => rules.timestamp_after_max_ms = value.parse().unwrap(),
            _ => panic!("{name} is no rule"),
        }
    }
    rules
}

fn unhex(digits: &str) -> Bytes {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

/// Our answer in the words of the case file.
fn answer(case: &Case) -> String {
    let accepted = match validate_produce(case.bytes.clone(), &case.rules, NOW) {
        Ok(accepted) => accepted.into_batch(),
        Err(RecordsRejected { code, record_errors, .. }) => {
            let mut text = code.name().to_owned();
            text.push_str(if record_errors.is_empty() { "" } else { " records" });
            for error in record_errors {
                write!(text, " {}", error.batch_index).unwrap();
            }
            return text;
        }
    };
    accepted.verify_crc().unwrap();
    let header = accepted.header();
    let time = match header.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    };
    // Kafka gives no checksum where it compressed anew: no two libraries compress alike.
    let crc = match case.kafka.contains("crc=-") {
        true => "-".to_owned(),
        false => format!("{:08x}", header.crc),
    };
    let codec = header.compression().unwrap();
    let mut text = format!("ok codec={codec} time={time} max={}", header.max_timestamp.0);
    write!(text, " crc={crc} records").unwrap();
    for record in accepted.records().unwrap() {
        let record = record.unwrap();
        write!(text, " {}@{}", record.offset, record.timestamp.0).unwrap();
    }
    text
}

#[test]
fn every_produced_batch_gets_kafkas_answer() {
    let cases = cases();
    assert_eq!(cases.len(), 305, "cases were lost");
    let mut differing = Vec::new();
    for case in &cases {
        let ours = answer(case);
        let known = DIFFERENCES.iter().find(|(name, ..)| case.name.starts_with(name));
        match known {
            Some((name, expected, why)) => {
                assert_eq!(&ours, expected, "{}: {why}", case.name);
                assert_ne!(ours, case.kafka, "{} differs no longer", case.name);
                differing.push(*name);
            }
            // A block that cannot be decoded: Kafka lets the decoder's exception through.
            None if case.kafka == "UNKNOWN_SERVER_ERROR" && case.is_about_a_block() => {
                assert!(ours.starts_with("INVALID_RECORD"), "{}: {ours}", case.name);
            }
            None => assert_eq!(ours, case.kafka, "{}", case.name),
        }
    }
    for (name, ..) in DIFFERENCES {
        assert!(differing.contains(name), "{name} stands for no case");
    }
}
