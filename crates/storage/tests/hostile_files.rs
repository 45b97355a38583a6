//! Whatever stands in a log directory's files, opening and reading them answers; nothing panics.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::{Disk, DiskFile, OpenMode};
use env_sim::{Crash, SimDisk};
use fuzz_rounds::{noise, rounds};
use proptest::prelude::*;
use proptest::sample::Index;
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchBuilder, NewRecord};
use storage::verify::{Finding, VerifyObserver, VerifyOptions, verify};
use storage::{
    AppendContext, LogConfig, LogDir, LogReader, LogSettings, MetaProperties, checkpoints,
};
use types::{LeaderEpoch, ProducerEpoch, ProducerId, Sequence, TopicPartition, Uuid, WallTime};

const DATA: &str = "/data";
const NOW: WallTime = WallTime(1_000_000);
const BATCHES: i32 = 12;
const FILE_BYTES_MAX: u64 = 1 << 20;

fn settings() -> LogSettings {
    let config = LogConfig {
        segment_bytes: 600,
        segment_index_bytes: 1 << 10,
        index_interval_bytes: 100,
        ..LogConfig::default()
    };
    LogSettings { config: Arc::new(config), now: NOW, jitter_seed: 1 }
}

fn batch(sequence: i32) -> ValidatedBatch {
    let mut builder =
        BatchBuilder::new().producer(ProducerId(7), ProducerEpoch(0), Sequence(sequence));
    let timestamp = WallTime(NOW.0 + i64::from(sequence));
    builder.push(NewRecord { timestamp, value: Some(b"value"), ..NewRecord::default() });
    ValidatedBatch::trusted(builder.build())
}

/// A directory with one log of several segments, closed well or left by a process that was killed.
fn directory(clean: bool) -> SimDisk {
    let disk = SimDisk::new(1);
    let mut dir = LogDir::open(disk.clone(), Path::new(DATA)).expect("an empty directory opens");
    let properties = MetaProperties::decode("version=1\ncluster.id=c\nnode.id=1\n");
    dir.format(properties.expect("they parse")).expect("it is formatted");
    let partition = TopicPartition::new("orders", 0);
    let topic = Uuid::from_random([3; 16]);
    let mut log = dir.create_log(&partition, topic, settings()).expect("a log is made");
    for sequence in 0..BATCHES {
        let leader_epoch = LeaderEpoch(sequence / 5);
        let context = AppendContext { leader_epoch, now: NOW, origin: AppendOrigin::Client };
        log.append(batch(sequence), context).expect("a batch is appended");
    }
    dir.finish_loading().unwrap();
    dir.checkpoint_recovery_points().expect("checkpoints are written");
    if clean {
        log.close().expect("the log closes");
        dir.close(7).expect("the directory closes").expect("it is clean");
    } else {
        drop((log, dir));
        disk.crash(Crash::Kill);
    }
    disk
}

fn files(disk: &SimDisk, path: &Path, found: &mut Vec<PathBuf>) {
    for entry in disk.read_dir(path).expect("a directory is listed") {
        let path = path.join(&entry.name);
        if entry.is_dir {
            files(disk, &path, found);
        } else {
            found.push(path);
        }
    }
}

/// What befalls a file.
#[derive(Clone, Debug)]
struct Harm {
    file: Index,
    changes: Vec<(Index, u8)>,
    cut: Option<Index>,
    tail: Vec<u8>,
}

fn harm() -> impl Strategy<Value = Harm> {
    let changes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..6);
    let cut = prop::option::weighted(0.3, any::<Index>());
    let tail = prop_oneof![2 => Just(Vec::new()), 1 => noise(40)];
    (any::<Index>(), changes, cut, tail).prop_map(|(file, changes, cut, tail)| Harm {
        file,
        changes,
        cut,
        tail,
    })
}

fn inflict(disk: &SimDisk, harm: &Harm) {
    let mut found = Vec::new();
    files(disk, Path::new(DATA), &mut found);
    let path = harm.file.get(&found);
    let mut bytes = disk.read_file(path, FILE_BYTES_MAX).expect("a file is read");
    if !bytes.is_empty() {
        for (at, byte) in &harm.changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some(cut) = harm.cut {
            bytes.truncate(cut.index(bytes.len()));
        }
    }
    bytes.extend(&harm.tail);
    let file = disk.open(path, OpenMode::Truncate).expect("a file is opened");
    file.write_at(&bytes, 0).expect("a file is written");
    file.sync().expect("a file is synced");
}

/// Opens everything and reads all of it. Errors are answers.
fn use_all(disk: SimDisk) {
    let Ok(dir) = LogDir::open(disk, Path::new(DATA)) else { return };
    let Ok(found) = dir.partitions() else { return };
    for partition in &found {
        let Ok((mut log, _)) = dir.open_log(partition, settings()) else { continue };
        read_all(&log.reader());
        let origin = AppendOrigin::Client;
        let context = AppendContext { leader_epoch: LeaderEpoch(9), now: NOW, origin };
        if let Ok(appended) = log.append(batch(BATCHES), context) {
            assert!(appended.base_offset < log.log_end());
        }
        let _ = log.close();
    }
}

fn read_all(reader: &LogReader<SimDisk>) {
    let (mut at, end) = (reader.log_start(), reader.log_end());
    assert!(at <= end, "the log starts at {at} and ends at {end}");
    while at < end {
        let Ok(slice) = reader.read(at, 1000, end, true) else { return };
        assert!(slice.next_offset >= at, "a read at {at} goes back to {}", slice.next_offset);
        // A batch whose offset was changed hides what is behind it: an empty answer, for ever.
        if slice.next_offset == at {
            return;
        }
        records::batches(&slice.bytes).flatten().for_each(|batch| {
            let _ = batch.verify_crc();
        });
        at = slice.next_offset;
    }
}

#[test]
fn fuzz_damaged_log_directories_are_opened_or_refused() {
    rounds((any::<bool>(), prop::collection::vec(harm(), 1..4)), |(clean, harms)| {
        let disk = directory(clean);
        harms.iter().for_each(|harm| inflict(&disk, harm));
        use_all(disk);
    });
}

/// Counts; whatever is found is an answer.
#[derive(Default)]
struct Found(Vec<Finding>);

impl VerifyObserver for Found {
    fn found(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    fn progress(&mut self, done: u64, total: u64) {
        assert!(done <= total, "{done} of {total}");
    }
}

#[test]
fn fuzz_what_verifies_as_sound_opens_without_loss_and_reads_whole() {
    rounds((any::<bool>(), prop::collection::vec(harm(), 0..3)), |(clean, harms)| {
        let disk = directory(clean);
        harms.iter().for_each(|harm| inflict(&disk, harm));
        for is_live in [true, false] {
            let mut found = Found::default();
            let options = VerifyOptions { is_live };
            let verified = verify(&disk, Path::new(DATA), options, &mut found);
            let totals = verified.expect("every file can be read");
            if is_live || !totals.is_sound() {
                continue;
            }
            let dir = LogDir::open(disk.clone(), Path::new(DATA)).expect("it opens");
            for partition in &dir.partitions().expect("its partitions") {
                assert!(partition.topic_id.is_some());
                let (log, report) = dir.open_log(partition, settings()).expect("a sound log");
                assert_eq!((&report.cut, report.dropped_segments), (&None, 0), "{:?}", found.0);
                assert_eq!(count_sound(&log.reader()), totals.batches, "{:?}", found.0);
            }
        }
    });
}

/// Batches that can be read, one after another, their checksums right.
fn count_sound(reader: &LogReader<SimDisk>) -> u64 {
    let (mut at, end, mut count) = (reader.log_start(), reader.log_end(), 0);
    while at < end {
        let slice = reader.read(at, 1000, end, true).expect("a sound log is read");
        assert!(slice.next_offset > at, "a read at {at} goes nowhere");
        for batch in records::batches(&slice.bytes) {
            batch.expect("a whole batch").verify_crc().expect("a sound batch");
            count += 1;
        }
        at = slice.next_offset;
    }
    count
}

#[test]
fn fuzz_text_files_of_a_log_directory_are_read_or_refused() {
    let lines = prop::collection::vec("[a-z0-9.=\\-# ]{0,12}|0|1|-1|9223372036854775808", 0..8);
    rounds(lines, |lines| {
        let text = lines.join("\n");
        let _ = checkpoints::decode_offsets(&text);
        let _ = checkpoints::decode_epochs(&text);
        let _ = MetaProperties::decode(&text);
    });
}
