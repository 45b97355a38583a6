//! Group commit: what it promises survives whatever ends the process, for many logs at once.

use crate::support::*;
use crate::verifying::Seen;
use env::{Disk, DiskFile, Job, OpenMode};
use env_sim::{Crash, SimClock, SimDisk, SimRng};
use records::validate::ValidatedBatch;
use records::{BatchBuilder, NewRecord};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;
use storage::limits::{JOURNAL_FRAME_BYTES, JOURNAL_WRITE_BYTES};
use storage::verify::{Finding, Severity, VerifyOptions, verify};
use storage::{
    AppendContext, CommitParts, GroupCommit, LogConfig, LogDir, LogSettings, OnCommit,
    PartitionLog, Replayed, StorageError,
};
use types::{LeaderEpoch, Offset, TopicPartition, Uuid};

/// Room for a few commits, so that the journal turns again and again.
const JOURNAL_BYTES: u64 = 48 << 10;
const RECOVERY_POINTS_BYTES: u64 = 200 << 10;
/// In which a deletion that nothing holds up is done.
pub(crate) const MOMENT: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const JOURNALS: [&str; 2] = ["commit-journal-0", "commit-journal-1"];

pub(crate) type Queue = Arc<Mutex<VecDeque<Job>>>;

/// One directory with some logs, and hands that the test moves.
pub(crate) struct World {
    disk: SimDisk,
    pub(crate) dir: LogDir<SimDisk>,
    pub(crate) logs: BTreeMap<usize, PartitionLog<SimDisk>>,
    pub(crate) commit: GroupCommit<SimDisk>,
    pub(crate) commits: Queue,
    pub(crate) checkpoints: Queue,
    promised: Arc<Mutex<BTreeMap<usize, i64>>>,
}

/// Notes how far a log is promised to survive.
struct Promise {
    log: usize,
    promised: Arc<Mutex<BTreeMap<usize, i64>>>,
}

impl OnCommit for Promise {
    fn handle_committed(
        self: Arc<Self>,
        outcome: Result<Offset, StorageError>,
        _now: types::WallTime,
    ) -> usize {
        if let Ok(offset) = outcome {
            let mut promised = self.promised.lock().unwrap();
            let known = promised.entry(self.log).or_default();
            *known = offset.0.max(*known);
        }
        1
    }
}

fn config() -> Arc<LogConfig> {
    Arc::new(LogConfig { segment_bytes: 20_000, segment_index_bytes: 1 << 10, ..small() })
}

fn settings() -> LogSettings {
    LogSettings { config: config(), now: NOW, jitter_seed: 1 }
}

fn name(number: usize) -> TopicPartition {
    TopicPartition::new("orders", number as i32)
}

impl World {
    pub(crate) fn start(disk: &SimDisk) -> World {
        World::try_start(disk).unwrap()
    }

    fn try_start(disk: &SimDisk) -> Result<World, StorageError> {
        World::with_journal(disk, JOURNAL_BYTES)
    }

    pub(crate) fn with_journal(disk: &SimDisk, journal_bytes: u64) -> Result<World, StorageError> {
        let disk = disk.for_process();
        let dir = LogDir::open(disk.clone(), Path::new(DATA))?;
        let mut logs = BTreeMap::new();
        for found in dir.partitions()? {
            if found.topic_id.is_some() && found.kind == storage::file_names::DirKind::Live {
                let (log, _) = dir.open_log(&found, settings())?;
                logs.insert(found.partition.partition as usize, log);
            }
        }
        dir.finish_loading()?;
        let (commits, checkpoints) = (Queue::default(), Queue::default());
        let run = |queue: &Queue| {
            let queue = Arc::clone(queue);
            Box::new(move |job| queue.lock().unwrap().push_back(job)) as storage::RunJob
        };
        let commit = dir.group_commit(CommitParts {
            commits: run(&commits),
            here: Box::new(|_, job| {
                job();
                true
            }),
            linger: Box::new(|until| until()),
            checkpoints: run(&checkpoints),
            clock: Arc::new(SimClock::default()),
            journal_bytes,
            recovery_points_bytes: RECOVERY_POINTS_BYTES,
        });
        Ok(World { disk, dir, logs, commit, commits, checkpoints, promised: Arc::default() })
    }

    pub(crate) fn create(&mut self, number: usize, id: u8) {
        self.create_as(number, id, settings());
    }

    /// Whose segments take so much.
    pub(crate) fn create_with(&mut self, number: usize, segment_bytes: u64) {
        let config = Arc::new(LogConfig { segment_bytes, ..small() });
        self.create_as(number, number as u8 + 1, LogSettings { config, ..settings() });
    }

    fn create_as(&mut self, number: usize, id: u8, settings: LogSettings) {
        let log = self.dir.create_log(&name(number), Uuid::from_random([id; 16]), settings);
        self.logs.insert(number, log.unwrap());
    }

    pub(crate) fn append(&mut self, number: usize, value: &[u8]) -> bool {
        let mut builder = BatchBuilder::new();
        builder.push(NewRecord { timestamp: NOW, value: Some(value), ..NewRecord::default() });
        let batch = ValidatedBatch::trusted(builder.build());
        let context = storage::AppendContext {
            leader_epoch: types::LeaderEpoch(0),
            now: NOW,
            origin: records::validate::AppendOrigin::Client,
        };
        self.logs.get_mut(&number).unwrap().append(batch, context).is_ok()
    }

    pub(crate) fn ask(&self, number: usize) {
        let promised = Arc::clone(&self.promised);
        let reader = self.logs[&number].reader();
        self.commit.request(&reader, || Arc::new(Promise { log: number, promised }));
    }

    fn ask_here(&self, number: usize) {
        let promised = Arc::clone(&self.promised);
        let reader = self.logs[&number].reader();
        self.commit.request_here(&reader, || Arc::new(Promise { log: number, promised }));
    }

    pub(crate) fn run(queue: &Queue) -> bool {
        let job = queue.lock().unwrap().pop_front();
        job.map(|job| job()).is_some()
    }

    pub(crate) fn run_all(&self) {
        while World::run(&self.commits) || World::run(&self.checkpoints) {}
    }

    pub(crate) fn promised(&self, number: usize) -> i64 {
        self.promised.lock().unwrap().get(&number).copied().unwrap_or(0)
    }

    pub(crate) fn values(&self, number: usize) -> Vec<Vec<u8>> {
        let log = &self.logs[&number];
        let (reader, end) = (log.reader(), log.log_end());
        let mut values = Vec::new();
        let mut at = log.log_start();
        while at < end {
            let slice = reader.read(at, 1 << 16, end, true).unwrap();
            for batch in records::batches(&slice.bytes) {
                for record in batch.unwrap().records().unwrap() {
                    values.push(record.unwrap().value.unwrap().to_vec());
                }
            }
            at = slice.next_offset;
        }
        values
    }
}

fn value(rng: &SimRng, serial: u64) -> Vec<u8> {
    let mut value = serial.to_be_bytes().to_vec();
    let most = if rng.one_in(8) { 9_000 } else { 300 };
    value.resize(8 + rng.below(most) as usize, serial as u8);
    value
}

#[test]
fn what_was_committed_survives_whatever_ends_the_process() {
    let mut met = (0, 0, 0, 0, 0, 0);
    for seed in 0..150 {
        let rng = SimRng::new(seed);
        let disk = SimDisk::new(seed);
        let mut world = World::start(&disk);
        // What each log must hold, as far as promised; what it may hold beyond.
        let mut expected: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
        let mut serial = 0;
        for life in 0..6u8 {
            let kind = if rng.one_in(4) { Crash::Kill } else { Crash::PowerLoss };
            if rng.one_in(2) {
                world.disk.die_after(1 + rng.below(120));
            }
            for _ in 0..rng.below(150) {
                serial += 1;
                step(&mut world, &rng, &mut expected, (serial, life));
                if disk.is_dead() {
                    break;
                }
            }
            let promised = world.promised.lock().unwrap().clone();
            let metrics = world.dir.metrics();
            met.0 += metrics.journal_checkpoints.get();
            met.1 += metrics.commits_without_journal.get();
            met.5 += metrics.commits_here.get();
            disk.crash(kind);
            met.4 += u64::from(is_no_damage(&disk, seed));
            if rng.one_in(2) {
                // A start that does not get far, and another one.
                disk.die_after(1 + rng.below(25));
                met.3 += u64::from(World::try_start(&disk).is_err());
                disk.crash(Crash::PowerLoss);
            }
            world = World::start(&disk);
            met.2 += world.dir.replayed().restored;
            for (number, values) in &mut expected {
                let promised = promised.get(number).copied().unwrap_or(0) as usize;
                let Some(log) = world.logs.get(number) else {
                    assert_eq!(promised, 0, "seed {seed}: log {number} is gone");
                    values.clear();
                    continue;
                };
                let end = log.log_end().0 as usize;
                assert!(end >= promised, "seed {seed}: log {number} ends at {end} of {promised}");
                let found = world.values(*number);
                assert!(
                    values.starts_with(&found),
                    "seed {seed}: log {number} holds {:?} instead of {:?}",
                    serials(&found),
                    serials(values)
                );
                values.truncate(end);
                world.promised.lock().unwrap().insert(*number, end as i64);
            }
            expected.retain(|number, _| world.logs.contains_key(number));
            // Their deletion, or their making, was under way.
            let others = world.logs.keys().filter(|number| !expected.contains_key(*number));
            let found: Vec<_> = others.map(|number| (*number, world.values(*number))).collect();
            expected.extend(found);
        }
    }
    assert!(met.0 > 100, "the journal turned {} times only", met.0);
    assert!(met.1 > 50, "the journal had no room {} times only", met.1);
    assert!(met.3 > 100, "a start was cut short {} times only", met.3);
    assert!(met.4 > 100, "a journal was looked through {} times only", met.4);
    assert!(met.2 > 10_000, "{} bytes were restored only", met.2);
    assert!(met.5 > 1_000, "{} were committed by who asked only", met.5);
}

fn serials(values: &[Vec<u8>]) -> Vec<u8> {
    values.iter().map(|value| value[7]).collect()
}

/// Looks through what an end has left: the next start must be able to put it right. Says whether
/// there were commits to put back.
pub(crate) fn is_no_damage(disk: &SimDisk, seed: u64) -> bool {
    let mut seen = Seen::default();
    let options = VerifyOptions::default();
    verify(&disk.for_process(), Path::new(DATA), options, &mut seen).expect("it can be read");
    // Nobody formats the directory here; and one that was being made when it ended is made again.
    let known = ["META_PROPERTIES", "PARTITION_METADATA"];
    let is_damage = |f: &&Finding| f.severity == Severity::Damage && !known.contains(&f.code);
    let damage = seen.findings.iter().find(is_damage);
    assert_eq!(damage, None, "seed {seed}");
    seen.findings.iter().any(|finding| finding.code == "JOURNAL")
}

fn step(
    world: &mut World,
    rng: &SimRng,
    expected: &mut BTreeMap<usize, Vec<Vec<u8>>>,
    (serial, life): (u64, u8),
) {
    const LOGS: u64 = 5;
    let number = rng.below(LOGS) as usize;
    if !world.logs.contains_key(&number) {
        // Whatever was there before is another topic's.
        let mut id = [life + 1; 16];
        id[..8].copy_from_slice(&serial.to_be_bytes());
        let made = world.dir.create_log(&name(number), Uuid::from_random(id), settings());
        if let Ok(log) = made {
            world.logs.insert(number, log);
            expected.insert(number, Vec::new());
            world.promised.lock().unwrap().remove(&number);
        }
        return;
    }
    match rng.below(12) {
        0..5 => {
            let value = value(rng, serial);
            // Whether the last one of a process that dies is there, nobody knows.
            if world.append(number, &value) || world.disk.is_dead() {
                expected.get_mut(&number).unwrap().push(value);
            }
            match rng.one_in(2) {
                true => world.ask_here(number),
                false => world.ask(number),
            }
        }
        5..8 => _ = World::run(&world.commits),
        8 => _ = World::run(&world.checkpoints),
        9 => _ = world.logs.get_mut(&number).unwrap().roll(NOW),
        10 if rng.one_in(3) => truncate(world, rng, number, expected),
        11 if rng.one_in(4) => {
            let log = world.logs.remove(&number).unwrap();
            expected.remove(&number);
            world.promised.lock().unwrap().remove(&number);
            if let Ok(doomed) = world.dir.delete_log(log, [serial as u8; 16]) {
                _ = world.dir.remove_dir(&doomed);
            }
        }
        _ => {}
    }
}

/// As a follower does whose leader never had the end of its log.
fn truncate(
    world: &mut World,
    rng: &SimRng,
    number: usize,
    expected: &mut BTreeMap<usize, Vec<Vec<u8>>>,
) {
    let log = world.logs.get_mut(&number).unwrap();
    let to = rng.below(log.log_end().0 as u64 + 1) as i64;
    // What is about to be cut off is promised to nobody.
    let mut promised = world.promised.lock().unwrap();
    let known = promised.entry(number).or_default();
    *known = to.min(*known);
    drop(promised);
    if log.truncate_to(Offset(to), NOW).is_ok() {
        expected.get_mut(&number).unwrap().truncate(to as usize);
    }
}

#[test]
fn logs_that_ask_while_a_commit_runs_share_the_next_one() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    for number in 0..20 {
        world.create(number, number as u8 + 1);
        world.append(number, b"x");
        world.ask(number);
        world.ask(number);
    }
    world.run_all();
    let commits = &world.dir.metrics().commit_appends;
    assert_eq!((commits.count(), commits.sum()), (1, 20));
    let syncs = disk.syncs();
    for number in 0..20 {
        world.append(number, b"y");
        world.ask(number);
    }
    world.run_all();
    assert_eq!(disk.syncs() - syncs, 1, "one sync covers every log");
    assert!((0..20).all(|number| world.promised(number) == 2));
}

#[test]
fn whoever_asks_alone_for_a_small_commit_has_it_when_the_call_returns() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    world.create(0, 1);
    world.append(0, b"names are not durable yet");
    world.ask_here(0);
    assert_eq!(world.promised(0), 0, "more than one sync is left to the lane");
    world.run_all();
    world.append(0, b"x");
    let syncs = disk.syncs();
    world.ask_here(0);
    assert_eq!((world.promised(0), disk.syncs() - syncs), (2, 1));
    assert_eq!(world.dir.metrics().commits_here.get(), 1);
    assert!(!World::run(&world.commits), "nothing is left to do");
    disk.crash(Crash::PowerLoss);
    assert_eq!(World::start(&disk).values(0).len(), 2);
}

#[test]
fn what_is_large_or_not_alone_is_not_committed_by_who_asks() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    for number in [0, 1] {
        world.create(number, number as u8 + 1);
        world.append(number, b"x");
        world.ask(number);
        world.run_all();
    }
    world.append(0, b"y");
    world.ask(0);
    world.append(1, b"y");
    world.ask_here(1);
    assert_eq!(world.promised(1), 1, "a commit is on its way already, and takes it along");
    world.run_all();
    for _ in 0..4 {
        world.append(0, &[7; 17_000]);
    }
    world.ask_here(0);
    assert_eq!(world.promised(0), 2);
    world.run_all();
    // A half of the journal is on its way to the disk: a sync would wait for it.
    world.append(0, b"z");
    world.ask(0);
    World::run(&world.commits);
    world.commit.checkpoint().unwrap();
    world.append(0, b"z");
    world.ask_here(0);
    assert_eq!(world.promised(0), 7);
    world.run_all();
    assert_eq!((world.promised(0), world.dir.metrics().commits_here.get()), (8, 0));
}

#[test]
fn a_commit_does_not_count_on_names_that_a_sync_beside_it_has_not_brought_to_the_disk_yet() {
    // What power loss takes of what was not synced is up to chance.
    (0..20).for_each(lose_power_while_names_are_synced);
}

fn lose_power_while_names_are_synced(seed: u64) {
    let disk = SimDisk::new(seed);
    let mut world = World::start(&disk);
    world.create(0, 1);
    world.append(0, b"x");
    world.ask(0);
    world.run_all();
    world.commit.checkpoint().unwrap();
    world.logs.get_mut(&0).unwrap().roll(NOW).unwrap();
    world.append(0, b"y");
    world.ask(0);
    let (begins, begun) = mpsc::channel();
    let (ends, ended) = mpsc::channel();
    world.disk.during_next_sync(move || {
        _ = begins.send(());
        _ = ended.recv_timeout(PATIENCE);
    });
    let (commits, checkpoints) = (&world.commits, &world.checkpoints);
    thread::scope(|scope| {
        let syncing = scope.spawn(|| World::run(checkpoints));
        begun.recv_timeout(PATIENCE).expect("the checkpoint syncs");
        assert!(World::run(commits), "a commit was asked for");
        disk.crash(Crash::PowerLoss);
        _ = ends.send(());
        assert!(syncing.join().unwrap(), "a checkpoint was asked for");
    });
    assert_eq!(world.promised(0), 2);
    assert_eq!(World::start(&disk).values(0), [b"x", b"y"], "seed {seed}");
}

#[test]
fn a_log_that_is_deleted_while_a_commit_takes_it_along_is_no_disk_error() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    world.create(0, 1);
    world.append(0, b"x");
    world.ask(0);
    let log = world.logs.remove(&0).unwrap();
    let (begins, begun) = mpsc::channel();
    let (deletes, deleted) = mpsc::channel();
    // The first of its syncs is of what lies in the log's directory, the next of the directory.
    world.disk.during_next_sync(move || {
        _ = begins.send(());
        // A deletion that waits for the commit does not end in here.
        _ = deleted.recv_timeout(MOMENT);
    });
    let (commits, dir) = (&world.commits, &world.dir);
    let moved = thread::scope(|scope| {
        let committing = scope.spawn(|| World::run(commits));
        begun.recv_timeout(PATIENCE).expect("the commit syncs");
        let moved = dir.delete_log(log, [1; 16]);
        _ = deletes.send(());
        assert!(committing.join().unwrap(), "a commit was asked for");
        moved
    });
    assert!(!world.dir.is_offline());
    world.dir.remove_dir(&moved.expect("a sound directory")).unwrap();
}

#[test]
fn a_log_that_is_deleted_while_it_is_flushed_is_no_disk_error() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    for round in 0..2_000 {
        let id = (round % 250) as u8;
        world.create(0, id);
        world.append(0, b"x");
        let log = world.logs.remove(&0).unwrap();
        let (flusher, end) = (log.flusher(), log.log_end());
        let (dir, begin) = (&world.dir, Barrier::new(2));
        let moved = thread::scope(|scope| {
            // Refused or done, according to who is first.
            let flushing = scope.spawn(|| {
                begin.wait();
                _ = flusher.flush_to(end);
            });
            begin.wait();
            (0..round % 40).for_each(|_| std::hint::spin_loop());
            let moved = dir.delete_log(log, [id; 16]);
            flushing.join().unwrap();
            moved
        });
        world.dir.remove_dir(&moved.expect("a sound directory")).unwrap();
        assert!(!world.dir.is_offline(), "in round {round}");
    }
}

/// A batch of `count` records as a leader has it.
fn batch_of(base: i64, count: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new().base_offset(Offset(base));
    for _ in 0..count {
        builder.push(NewRecord { timestamp: NOW, value: Some(b"v"), ..NewRecord::default() });
    }
    builder.build().bytes().to_vec()
}

#[test]
fn a_follower_that_begins_inside_a_batch_loses_nothing_of_what_it_vouched_for() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    world.create(0, 1);
    // The leader's log starts in the middle of a batch of five.
    world.logs.get_mut(&0).unwrap().reset_to(Offset(12), NOW).unwrap();
    world.ask(0);
    world.run_all();
    for base in [10, 15, 20] {
        let batch = batch_of(base, 5);
        world.logs.get_mut(&0).unwrap().append_as_follower(batch.into(), NOW).unwrap();
        world.ask(0);
        world.run_all();
    }
    assert_eq!(world.promised(0), 25);
    disk.crash(Crash::PowerLoss);
    let world = World::start(&disk);
    assert_eq!(world.logs[&0].log_end(), Offset(25));
}

#[test]
fn a_torn_end_of_the_journal_ends_the_replay_and_replaying_twice_changes_nothing() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    world.create(0, 1);
    for serial in 0..3 {
        world.append(0, &[serial; 500]);
        world.ask(0);
        world.run_all();
    }
    let journal = Path::new(DATA).join(JOURNALS[0]);
    let segment = Path::new(DATA).join("orders-0/00000000000000000000.log");
    let content = disk.read_file(&journal, 1 << 20).unwrap();
    disk.crash(Crash::Kill);
    // The segment has lost everything, and the last frame is torn.
    let file = disk.open(&segment, OpenMode::Truncate).unwrap();
    file.sync().unwrap();
    disk.rot(&journal, 2 * 4096 + 100, 1);
    let world = World::start(&disk);
    let replayed = world.dir.replayed();
    assert_eq!((replayed.frames, replayed.passed_over), (2, 0));
    assert_eq!(replayed.restored, replayed.bytes);
    assert_eq!(world.values(0), [vec![0; 500], vec![1; 500]]);
    drop(world);
    disk.crash(Crash::Kill);
    // The same frames again, as if the process had died before it could empty the journal.
    let put_back = disk.open(&journal, OpenMode::Truncate).unwrap();
    put_back.write_at(&content, 0).unwrap();
    let world = World::start(&disk);
    assert_eq!(world.dir.replayed().frames, 3);
    assert_eq!(world.values(0).len(), 3, "the last one was whole all the time");
}

#[test]
fn a_commit_of_several_frames_survives_and_of_one_that_is_torn_nothing_follows() {
    let mut torn = 0;
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let mut world = World::with_journal(&disk, 8 << 20).unwrap();
        for number in [0, 1] {
            world.create(number, number as u8 + 1);
        }
        for round in [1, 2] {
            for number in [0, 1] {
                (0..20).for_each(|_| assert!(world.append(number, &[round; 15_000])));
                world.ask(number);
            }
            if round == 2 {
                let ends = disk.clone();
                disk.during_next_sync(move || ends.crash(Crash::PowerLoss));
            }
            World::run(&world.commits);
        }
        assert_eq!([0, 1].map(|number| world.promised(number)), [20, 20], "seed {seed}");
        let world = World::start(&disk);
        let frames = world.dir.replayed().frames;
        torn += u64::from(frames == 3 || frames == 4);
        assert!(frames >= 3, "seed {seed}: {frames} frames");
        for number in [0, 1] {
            let found = world.values(number);
            let sound = |(at, value): (usize, &Vec<u8>)| value[0] == 1 + u8::from(at >= 20);
            assert!(found.len() >= 20 && found.iter().enumerate().all(sound), "seed {seed}");
        }
    }
    assert!(torn > 5, "the second was torn {torn} times only");
}

#[test]
fn a_commit_too_large_to_be_written_at_once_is_in_the_journal_whole() {
    let disk = SimDisk::new(1);
    let mut world = World::with_journal(&disk, 8 << 20).unwrap();
    world.create(0, 1);
    (0..69).for_each(|serial| assert!(world.append(0, &[serial; 15_000])));
    // Just below what the journal takes, of which each frame has a little for itself.
    assert!(world.append(0, &[69; 8_300]));
    world.ask(0);
    World::run(&world.commits);
    assert_eq!(world.dir.metrics().commits_without_journal.get(), 0);
    disk.crash(Crash::PowerLoss);
    let world = World::with_journal(&disk, 8 << 20).unwrap();
    let replayed = world.dir.replayed();
    let written_at_once = (JOURNAL_WRITE_BYTES / JOURNAL_FRAME_BYTES) as u64;
    assert!(replayed.frames > written_at_once, "{replayed:?}");
    let first_bytes: Vec<u8> = world.values(0).iter().map(|value| value[0]).collect();
    assert_eq!(first_bytes, Vec::from_iter(0..70));
}

#[test]
fn a_clean_stop_leaves_no_journal_to_replay() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    world.create(0, 1);
    world.append(0, b"x");
    world.ask(0);
    world.run_all();
    let World { dir, logs, commit, .. } = world;
    logs.into_values().for_each(|log| log.close().unwrap());
    dir.close(1).unwrap().unwrap();
    drop(commit);
    let sizes = JOURNALS.map(|name| {
        let path: PathBuf = Path::new(DATA).join(name);
        disk.open(&path, OpenMode::Read).map_or(0, |file| file.len().unwrap())
    });
    assert_eq!(sizes, [0, 0]);
    disk.crash(Crash::PowerLoss);
    let world = World::start(&disk);
    assert_eq!(world.dir.replayed(), Replayed::default());
    assert_eq!(world.values(0), [b"x"]);
}

#[test]
fn a_failed_sync_takes_the_directory_offline_and_promises_nothing() {
    for (journal_fails, here) in [(true, false), (false, false), (true, true)] {
        let disk = SimDisk::new(1);
        let mut world = World::start(&disk);
        world.create(0, 1);
        world.create(1, 2);
        world.append(0, b"x");
        world.ask(0);
        world.run_all();
        let before = world.promised(0);
        disk.fail_next_sync(if journal_fails { JOURNALS[0] } else { ".log" });
        let large = vec![7; if journal_fails { 10 } else { 19_000 }];
        for number in [0, 1] {
            world.append(number, &large);
            world.append(number, &large);
            match here {
                true => world.ask_here(number),
                false => world.ask(number),
            }
        }
        world.run_all();
        assert!(world.dir.is_offline());
        assert_eq!((world.promised(0), world.promised(1)), (before, 0));
        assert!(!world.append(1, b"y"), "nothing more is taken");
    }
}

#[test]
fn a_full_disk_under_the_journal_still_commits_by_the_segments() {
    for has_room_in_the_journal in [true, false] {
        let disk = SimDisk::new(1);
        let mut world = World::start(&disk);
        world.create(0, 1);
        world.append(0, b"x");
        world.ask(0);
        world.run_all();
        if !has_room_in_the_journal {
            // The other half has not been written to yet.
            world.commit.checkpoint().unwrap();
            world.run_all();
        }
        let room = disk.space(Path::new("/")).unwrap();
        world.append(0, &[1; 600]);
        let used = room.0 - disk.space(Path::new("/")).unwrap().1;
        disk.set_capacity(used);
        world.ask(0);
        world.run_all();
        assert_eq!(world.promised(0), 2);
        let without = world.dir.metrics().commits_without_journal.get();
        assert_eq!(without, u64::from(!has_room_in_the_journal));
        assert!(!world.dir.is_offline());
    }
}

/// A log that is rolled with nothing appended has nothing to commit, and a file that was trimmed.
#[test]
fn many_files_of_logs_with_nothing_to_commit_are_synced_once_and_not_for_each_change() {
    let disk = SimDisk::new(1);
    // Of 40 that may be open for logs.
    disk.set_open_files_max(104);
    let mut world = World::start(&disk);
    for number in 0..32 {
        world.create(number, number as u8 + 1);
        assert!(world.append(number, b"x"));
        world.ask(number);
    }
    world.run_all();
    world.commit.checkpoint().unwrap();
    world.run_all();
    for log in world.logs.values_mut() {
        assert!(log.roll(NOW).unwrap());
    }
    world.run_all();
    let syncs = disk.syncs();
    for number in 0..10 {
        assert!(world.append(number, b"y"));
        world.run_all();
    }
    assert!(disk.syncs() - syncs <= 1, "{} syncs", disk.syncs() - syncs);
}

/// Found by measuring: 10 GB in commits too large for the journal were all read through again.
#[test]
fn a_start_reads_no_more_than_what_came_since_so_many_bytes_were_synced() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    world.create(0, 1);
    for _ in 0..20 {
        // More than a half of the journal takes.
        (0..4).for_each(|_| assert!(world.append(0, &[1; 15_000])));
        world.ask(0);
        world.run_all();
    }
    assert_eq!(world.dir.metrics().commits_without_journal.get(), 20);
    disk.crash(Crash::Kill);
    let dir = LogDir::open(disk.for_process(), Path::new(DATA)).unwrap();
    let (log, report) = dir.open_log(&dir.partitions().unwrap()[0], settings()).unwrap();
    assert_eq!(log.log_end(), Offset(80));
    let bytes_max = RECOVERY_POINTS_BYTES + 4 * 15_200;
    assert!(report.scanned_bytes <= bytes_max, "{report:?}");
}

/// Both go through one temporary file, and the slower one found it gone: the directory was taken to
/// have failed.
#[test]
fn epochs_that_begin_while_the_epochs_before_are_synced_fail_no_directory() {
    let mut world = crate::support::World::new(small());
    let flusher = world.log().flusher();
    let (begin, begun) = mpsc::channel();
    let syncing = thread::spawn(move || {
        for end in begun {
            flusher.flush_to(end).expect("a sync beside a change of epochs");
        }
    });
    for epoch in 1..3_000 {
        let context = AppendContext { leader_epoch: LeaderEpoch(epoch), ..world.context() };
        let appended = world.log().append(batch(&[i64::from(epoch)]), context);
        let end = appended.expect("a change of epochs beside a sync").last_offset.plus(1);
        begin.send(end).expect("who syncs");
    }
    drop(begin);
    syncing.join().expect("every sync");
    assert_eq!(world.log().latest_epoch(), Some(LeaderEpoch(2_999)));
}
