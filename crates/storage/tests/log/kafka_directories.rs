//! Log directories that Apache Kafka wrote, opened here. `EXPECTED.txt` is what Kafka's dump tool
//! finds in the files, `expectations` what Kafka's clients were told by the broker that wrote them.

use crate::support::{NOW, small};
use env::{Disk, DiskFile, OpenMode};
use env_sim::SimDisk;
use records::RecordBatch;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use storage::{LogConfig, LogDir, LogReader, LogSettings, PartitionLog};
use types::{Offset, ProducerId, WallTime};

pub fn directories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/logdirs");
    let mut found: Vec<_> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    found
}

/// The directory's files, on a disk where they may be changed.
pub fn copy(disk: &SimDisk, from: &Path, to: &Path) {
    disk.create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(disk, &entry.path(), &target),
            false => {
                let file = disk.open(&target, OpenMode::Create).unwrap();
                file.write_at(&fs::read(entry.path()).unwrap(), 0).unwrap();
            }
        }
    }
}

type Logs = BTreeMap<String, PartitionLog<SimDisk>>;

fn open(disk: &SimDisk, was_clean: bool) -> (LogDir<SimDisk>, Logs) {
    let dir = LogDir::open(disk.clone(), Path::new("/d")).unwrap();
    assert_eq!(dir.was_clean(), was_clean);
    assert!(dir.warnings().is_empty(), "{:?}", dir.warnings());
    let config = Arc::new(LogConfig { producer_id_expiration_ms: i64::MAX, ..small() });
    let mut logs = Logs::new();
    for found in dir.partitions().unwrap() {
        assert!(found.topic_id.is_some(), "{found:?}");
        let settings = LogSettings { config: config.clone(), now: NOW, jitter_seed: 0 };
        let (log, report) = dir.open_log(&found, settings).unwrap();
        assert_eq!((report.cut, report.dropped_segments, report.rebuilt_epochs), (None, 0, false));
        assert_eq!(report.scanned_segments > 0, !was_clean);
        logs.insert(found.partition.to_string(), log);
    }
    dir.finish_loading().unwrap();
    (dir, logs)
}

fn batches(reader: &LogReader<SimDisk>, from: Offset) -> Vec<RecordBatch> {
    let (mut at, end) = (from, reader.log_end());
    let mut all: Vec<RecordBatch> = Vec::new();
    while at < end {
        let slice = reader.read(at, 500, end, true).unwrap();
        if slice.is_empty() {
            break;
        }
        all.extend(records::batches(&slice.bytes).map(Result::unwrap));
        at = slice.next_offset;
    }
    all
}

#[test]
fn every_directory_that_kafka_wrote_opens_reads_closes_and_opens_again() {
    let mut checked = 0;
    for source in directories() {
        let disk = SimDisk::new(0);
        copy(&disk, &source, Path::new("/d"));
        let mut was_clean = source.join(".kafka_cleanshutdown").exists();
        // As Kafka left it; after our clean stop; after a crash of ours.
        for round in 0..3 {
            let (dir, logs) = open(&disk, was_clean);
            checked += compare(&source, &logs, round == 0);
            if round == 0 {
                logs.into_values().for_each(|log| log.close().unwrap());
                dir.close(1).unwrap().unwrap();
                was_clean = true;
            } else {
                disk.crash(env_sim::Crash::Kill);
                was_clean = false;
            }
        }
    }
    assert!(checked > 1000, "{checked} facts were compared");
}

fn compare(source: &Path, logs: &Logs, is_first: bool) -> usize {
    let mut checked = 0;
    if let Ok(text) = fs::read_to_string(source.join("EXPECTED.txt")) {
        checked += compare_dump(&text, logs);
    }
    if let Ok(text) = fs::read_to_string(source.join("expectations")) {
        for section in text.split("partition ").skip(1) {
            let mut lines = section.lines();
            let name = lines.next().unwrap().replace(' ', "-");
            let log = &logs[&name];
            checked += lines.map(|line| compare_answer(&name, log, line, is_first)).count();
        }
    }
    assert!(checked > 0, "{} has expectations", source.display());
    checked
}

/// Each `batch <partition> key=value…` line is a batch of ours, in order, and the other way round.
fn compare_dump(text: &str, logs: &Logs) -> usize {
    let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        if words.next() != Some("batch") {
            continue;
        }
        let name = words.next().unwrap();
        let value = |key: &str| {
            let word = line.split(' ').find(|word| word.starts_with(&format!("{key}=")));
            word.unwrap_or_else(|| panic!("{key} in {line}")).split_once('=').unwrap().1
        };
        let keys =
            ["baseOffset", "lastOffset", "count", "partitionLeaderEpoch", "producerId", "crc"];
        let facts: Vec<&str> = keys.into_iter().map(value).collect();
        expected.entry(name).or_default().push(facts.join(" "));
    }
    let mut checked = 0;
    for (name, expected) in &expected {
        let reader = logs[*name].reader();
        let found: Vec<String> = batches(&reader, reader.log_start())
            .iter()
            .map(|batch| {
                batch.verify_crc().unwrap();
                let h = batch.header();
                let (base, last) = (h.base_offset, h.last_offset());
                let (count, epoch, producer) = (h.records_count, h.leader_epoch, h.producer_id);
                format!("{base} {last} {count} {epoch} {producer} {}", h.crc)
            })
            .collect();
        assert_eq!(&found, expected, "{name}");
        checked += found.len();
    }
    checked
}

fn compare_answer(name: &str, log: &PartitionLog<SimDisk>, line: &str, is_first: bool) {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |index: usize| words[index].parse::<i64>().unwrap();
    let reader = log.reader();
    let about = format!("{name}: {line}");
    match words[0] {
        "log_start" => assert_eq!(log.log_start().0, number(1), "{about}"),
        "log_end" => assert_eq!(log.log_end().0, number(1), "{about}"),
        // The high watermark is the log end: there was one replica.
        "last_stable" => {
            let open = log.ongoing_transactions();
            let first = open.first().map_or(log.log_end(), |(_, start)| *start);
            assert_eq!(first.0, number(1), "{about}");
        }
        "max_timestamp" => {
            assert_eq!(reader.max_timestamp().unwrap().unwrap().offset.0, number(1), "{about}");
        }
        "time" => {
            let found = reader.offset_for_timestamp(WallTime(number(1))).unwrap();
            assert_eq!(found.map_or(-1, |found| found.offset.0), number(2), "{about}");
        }
        "record" => compare_record(&reader, &words, &about),
        "committed" => {
            let committed: Vec<i64> = (1..words.len()).map(number).collect();
            assert_eq!(committed_offsets(log), committed, "{about}");
        }
        "producer" => {
            let state = log.producers().get(ProducerId(number(1))).expect(&about);
            let start = state.transaction_start.map_or(-1, |start| start.0);
            let facts = [i64::from(state.epoch.0), i64::from(state.last_sequence().0)];
            assert_eq!(facts, [number(2), number(3)], "{about}");
            assert_eq!(state.last_timestamp.0, number(4), "{about}");
            assert_eq!(
                (i64::from(state.coordinator_epoch), start),
                (number(5), number(6)),
                "{about}"
            );
        }
        other => panic!("unknown expectation {other}: is_first={is_first}"),
    }
}

/// `record offset timestamp epoch key value headers`
fn compare_record(reader: &LogReader<SimDisk>, words: &[&str], about: &str) {
    let offset = Offset(words[1].parse().unwrap());
    let slice = reader.read(offset, 1, reader.log_end(), true).unwrap();
    let batch = records::batches(&slice.bytes).next().unwrap().unwrap();
    let record =
        batch.records().unwrap().map(Result::unwrap).find(|record| record.offset == offset);
    let record = record.expect(about);
    let text = |bytes: &Option<bytes::Bytes>| match bytes {
        None => "null".to_owned(),
        Some(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
    };
    assert_eq!(record.timestamp.0.to_string(), words[2], "{about}");
    let epoch = reader.leader_epoch_at(offset).map_or(-1, |epoch| epoch.0);
    assert_eq!(epoch.to_string(), words[3], "{about}");
    assert_eq!([text(&record.key), text(&record.value)], [words[4], words[5]], "{about}");
    assert_eq!(record.headers.len().to_string(), words[6], "{about}");
}

/// What a `read_committed` consumer is shown, by the aborted list alone, as a client does it.
fn committed_offsets(log: &PartitionLog<SimDisk>) -> Vec<i64> {
    let reader = log.reader();
    let open = log.ongoing_transactions();
    let stable = open.first().map_or(log.log_end(), |(_, start)| *start);
    let aborted = reader.aborted_transactions(log.log_start(), stable).unwrap();
    let mut offsets = Vec::new();
    for batch in batches(&reader, log.log_start()) {
        let header = batch.header();
        let is_aborted = header.is_transactional()
            && aborted.iter().any(|aborted| {
                aborted.producer_id == header.producer_id
                    && (aborted.first_offset..aborted.last_offset).contains(&header.base_offset)
            });
        if header.is_control() || is_aborted {
            continue;
        }
        let records = batch.records().unwrap().map(|record| record.unwrap().offset);
        let shown = records.filter(|offset| (log.log_start()..stable).contains(offset));
        offsets.extend(shown.map(|offset| offset.0));
    }
    offsets
}
