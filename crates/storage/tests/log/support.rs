//! A log directory on a simulated disk, and batches to fill it with.

use bytes::Bytes;
use env_sim::{Crash, SimDisk};
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchBuilder, NewRecord, RecordBatch};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use storage::limits::WRITE_DOWN_BYTES;
use storage::{
    AppendContext, AppendError, Appended, LogConfig, LogDir, LogReader, LogSettings, PartitionLog,
    RecoveryReport,
};
use types::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, TopicPartition, Uuid, WallTime,
};

pub const NOW: WallTime = WallTime(1_000_000);
pub const DATA: &str = "/data";

/// One log in one directory, by one process after another.
pub struct World {
    pub disk: SimDisk,
    pub dir: Option<LogDir<SimDisk>>,
    pub log: Option<PartitionLog<SimDisk>>,
    pub config: Arc<LogConfig>,
    pub epoch: i32,
}

impl World {
    pub fn new(config: LogConfig) -> World {
        World::seeded(config, 0)
    }

    pub fn seeded(config: LogConfig, seed: u64) -> World {
        World::on(SimDisk::new(seed), config)
    }

    /// Segments are closed and opened again all the time.
    pub fn with_few_open_files(config: LogConfig, seed: u64) -> World {
        let disk = SimDisk::new(seed);
        disk.set_open_files_max(1);
        World::on(disk, config)
    }

    fn on(disk: SimDisk, config: LogConfig) -> World {
        let config = Arc::new(config);
        let mut world = World { disk, dir: None, log: None, config, epoch: 0 };
        world.start();
        world
    }

    pub fn log(&mut self) -> &mut PartitionLog<SimDisk> {
        self.log.as_mut().expect("the log is open")
    }

    pub fn dir(&self) -> &LogDir<SimDisk> {
        self.dir.as_ref().expect("the directory is open")
    }

    pub fn reader(&self) -> LogReader<SimDisk> {
        self.log.as_ref().expect("the log is open").reader()
    }

    /// A new process opens the log; makes it if there is none.
    pub fn start(&mut self) -> RecoveryReport {
        let dir = LogDir::open(self.disk.clone(), Path::new(DATA)).unwrap();
        let settings = LogSettings { config: self.config.clone(), now: NOW, jitter_seed: 1 };
        let found = dir.partitions().unwrap().into_iter().next();
        let (log, report) = match found {
            Some(found) => dir.open_log(&found, settings).unwrap(),
            None => {
                let log = dir.create_log(&partition(), topic_id(), settings).unwrap();
                (log, RecoveryReport::default())
            }
        };
        dir.finish_loading().unwrap();
        self.dir = Some(dir);
        self.log = Some(log);
        report
    }

    /// The process ends well.
    pub fn stop(&mut self) {
        self.log.take().expect("the log is open").close().unwrap();
        self.dir.take().expect("the directory is open").close(7).unwrap().unwrap();
    }

    pub fn crash(&mut self, crash: Crash) {
        self.disk.crash(crash);
        self.log = None;
        self.dir = None;
    }

    /// What housekeeping does from time to time.
    pub fn checkpoint(&mut self) {
        if let Some((flusher, end)) = self.log().checkpoint().unwrap() {
            flusher.flush_to(end).unwrap();
        }
        self.dir().checkpoint_recovery_points().unwrap();
    }

    /// The process is killed and another one starts.
    pub fn kill_and_start(&mut self) -> RecoveryReport {
        self.crash(Crash::Kill);
        self.start()
    }

    pub fn append(&mut self, batch: ValidatedBatch) -> Result<Appended, AppendError> {
        let context = self.context();
        self.log().append(batch, context)
    }

    /// And what housekeeping does soon after.
    pub fn append_large(&mut self, sequence: i32) {
        self.append(large(sequence)).unwrap();
        if self.reader().is_write_down_due() {
            self.log().write_down_when_due().unwrap();
        }
    }

    /// A batch per timestamp list; returns the base offsets.
    pub fn fill(&mut self, batches: &[&[i64]]) -> Vec<i64> {
        let append = |times: &&[i64]| self.append(batch(times)).unwrap().base_offset.0;
        batches.iter().map(append).collect()
    }

    pub fn context(&self) -> AppendContext {
        let leader_epoch = LeaderEpoch(self.epoch);
        AppendContext { leader_epoch, now: NOW, origin: AppendOrigin::Client }
    }

    /// Every batch from the log start to its end.
    pub fn batches(&self) -> Vec<RecordBatch> {
        let reader = self.reader();
        let (mut at, end) = (reader.log_start(), reader.log_end());
        let mut all = Vec::new();
        while at < end {
            let slice = reader.read(at, 1000, end, true).unwrap();
            assert!(slice.next_offset > at, "a read at {at} makes progress");
            all.extend(records::batches(&slice.bytes).map(Result::unwrap));
            at = slice.next_offset;
        }
        all
    }

    pub fn file(&self, name: &str) -> PathBuf {
        Path::new(DATA).join("orders-0").join(name)
    }

    /// Names in the log's directory that end so.
    pub fn files(&self, end: &str) -> Vec<String> {
        use env::Disk;
        let entries = self.disk.read_dir(&self.file("")).unwrap();
        entries.into_iter().map(|entry| entry.name).filter(|name| name.ends_with(end)).collect()
    }
}

pub fn partition() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

pub fn topic_id() -> Uuid {
    Uuid::from_random([3; 16])
}

/// Small enough that everything happens soon.
pub fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 1000,
        segment_index_bytes: 1 << 10,
        index_interval_bytes: 100,
        ..LogConfig::default()
    }
}

/// One record per timestamp.
pub fn builder(times: &[i64]) -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    for time in times {
        let timestamp = WallTime(*time);
        builder.push(NewRecord { timestamp, value: Some(b"value"), ..NewRecord::default() });
    }
    builder
}

pub fn batch(times: &[i64]) -> ValidatedBatch {
    ValidatedBatch::trusted(builder(times).build())
}

/// `count` records of producer `id` from `sequence` on.
pub fn from_producer(id: i64, epoch: i16, sequence: i32, count: usize) -> ValidatedBatch {
    let times = vec![NOW.0; count];
    let producer = (ProducerId(id), ProducerEpoch(epoch), Sequence(sequence));
    let builder = builder(&times).producer(producer.0, producer.1, producer.2);
    ValidatedBatch::trusted(builder.build())
}

/// A record of 16 KiB of producer 1, a millisecond after the one before.
pub fn large(sequence: i32) -> ValidatedBatch {
    let (timestamp, value) = (WallTime(NOW.0 + i64::from(sequence)), vec![7; 16 << 10]);
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { timestamp, value: Some(&value), ..NewRecord::default() });
    let builder = builder.producer(ProducerId(1), ProducerEpoch(0), Sequence(sequence));
    ValidatedBatch::trusted(builder.build())
}

/// With so many of them what a start goes by is written down.
pub fn large_of_a_write_down() -> i32 {
    WRITE_DOWN_BYTES.div_ceil(large(0).size_bytes() as u64) as i32
}

/// The same as [`from_producer`], in a transaction.
pub fn transactional(id: i64, sequence: i32, count: usize) -> ValidatedBatch {
    let producer = (ProducerId(id), ProducerEpoch(0), Sequence(sequence));
    let builder = builder(&vec![NOW.0; count]).producer(producer.0, producer.1, producer.2);
    ValidatedBatch::trusted(builder.transactional().build())
}

pub fn code<T: std::fmt::Debug>(result: Result<T, AppendError>) -> &'static str {
    result.unwrap_err().error_code().name()
}

/// What a follower receives: the leader's bytes.
pub fn replicated(batches: &[RecordBatch]) -> Bytes {
    batches.iter().flat_map(|batch| batch.bytes().iter().copied()).collect()
}

pub fn offsets(values: &[RecordBatch]) -> Vec<(i64, i64)> {
    values.iter().map(|batch| (batch.base_offset().0, batch.last_offset().0)).collect()
}

pub fn at(offset: i64) -> Offset {
    Offset(offset)
}
