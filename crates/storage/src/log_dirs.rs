mod copies;
mod ends;
mod moving;
mod remover;
mod root_files;

use crate::checkpoints::OffsetCheckpoint;
use crate::commit::{HALVES, Replayed, replay};
use crate::config::LogConfig;
use crate::error::StorageError;
use crate::file_names::{
    CLEANER_OFFSETS, DirKind, HIGH_WATERMARKS, LOCK, LOG_STARTS, META_PROPERTIES, RECOVERY_POINTS,
    parse_partition_dir, partition_dir,
};
use crate::log::PartitionLog;
use crate::log_dir_state::{Checkpoints, LogDirState};
use crate::meta_properties::MetaProperties;
use crate::metrics::LogDirMetrics;
use crate::open_files::OpenFiles;
use crate::recovery::{self, OpenLog, RecoveryReport};
use crate::small_files::decode_clean_shutdown;
use env::Disk;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use types::{Offset, TopicPartition, Uuid, WallTime};

pub use copies::can_move;
pub use ends::NotClean;
pub use remover::Remover;
pub(crate) use root_files::read_topic_id;
use root_files::{make_partition_dir, read_or_warn, read_properties, take_marker, write_back};

/// One entry of `log.dirs`, locked: the logs in it and what is known of them.
///
/// **Invariant:** the marker of a clean shutdown is there only between a [`close`](Self::close)
/// that found every log closed and the next [`open`](Self::open).
/// **Source:** Kafka `LogManager`; KIP-112 (a failed directory), KIP-858 (its id).
#[doc(alias = "LogManager")]
pub struct LogDir<D: Disk> {
    state: Arc<LogDirState<D>>,
    was_clean: bool,
    broker_epoch: Option<i64>,
    properties: Option<MetaProperties>,
    warnings: Vec<String>,
    replayed: Replayed,
    is_loaded: AtomicBool,
    _lock: D::Lock,
}

/// A directory that bears a partition's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPartition {
    pub partition: TopicPartition,
    pub kind: DirKind,
    /// `None` if `partition.metadata` is missing or torn: a crash while the partition was made, or
    /// a directory older than topic ids. Not to be served under whatever topic has its name today.
    pub topic_id: Option<Uuid>,
    pub path: PathBuf,
}

/// A log to be made or opened.
#[derive(Clone, Debug)]
pub struct LogSettings {
    pub config: Arc<LogConfig>,
    pub now: WallTime,
    /// Chance, for `segment.jitter.ms`.
    pub jitter_seed: u64,
}

impl<D: Disk> LogDir<D> {
    /// Locks a directory, which is made if it is missing, and reads what its last user left.
    /// The marker of a clean shutdown is removed: from here on only `close` can say so.
    ///
    /// # Errors
    /// [`StorageError::Io`] – of kind `WouldBlock` if another process holds the directory
    /// [`StorageError::Corrupt`] – `meta.properties` is not readable
    pub fn open(disk: D, path: &Path) -> Result<LogDir<D>, StorageError> {
        let files = OpenFiles::of_process(&disk);
        LogDir::open_with(disk, path, files)
    }

    /// The same, with the open files of a process that has other log directories too.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        disk: D,
        path: &Path,
        files: Arc<OpenFiles<D>>,
    ) -> Result<LogDir<D>, StorageError> {
        if !disk.exists(path) {
            let parent = path.parent().unwrap_or(path);
            let made = disk.create_dir_all(path).and_then(|()| disk.sync_dir(parent));
            made.map_err(StorageError::io("create directory", path))?;
        }
        let lock = disk.lock(&path.join(LOCK)).map_err(StorageError::io("lock", path))?;
        // A checkpoint that a killed process had just renamed is believed now, so it must stay.
        disk.sync_dir(path).map_err(StorageError::io("sync directory", path))?;
        let mut warnings = Vec::new();
        let properties = read_properties(&disk, path)?;
        let checkpoints = Checkpoints {
            recovery_points: read_or_warn(&disk, &path.join(RECOVERY_POINTS), &mut warnings)?,
            log_starts: read_or_warn(&disk, &path.join(LOG_STARTS), &mut warnings)?,
            high_watermarks: read_or_warn(&disk, &path.join(HIGH_WATERMARKS), &mut warnings)?,
            has_moved: false,
            cleaner_offsets: read_or_warn(&disk, &path.join(CLEANER_OFFSETS), &mut warnings)?,
        };
        let marker = take_marker(&disk, path)?;
        let was_used =
            properties.is_some() || HALVES.iter().any(|half| disk.exists(&path.join(half)));
        if marker.is_none() && was_used {
            write_back(&disk, path)?;
        }
        let replayed = replay(&disk, path)?;
        Ok(LogDir {
            // Without recovery points nobody knows what a clean end was about.
            was_clean: marker.is_some(),
            broker_epoch: marker.as_deref().and_then(decode_clean_shutdown),
            state: Arc::new(LogDirState::new(disk, path.to_owned(), checkpoints, files)?),
            properties,
            warnings,
            replayed,
            is_loaded: AtomicBool::new(false),
            _lock: lock,
        })
    }

    pub fn path(&self) -> &Path {
        self.state.path()
    }

    /// Whose directory it is; `None` if it was never formatted.
    pub fn properties(&self) -> Option<&MetaProperties> {
        self.properties.as_ref()
    }

    /// Whether the last process closed everything.
    pub fn was_clean(&self) -> bool {
        self.was_clean
    }

    /// The epoch under which the last process was registered when it closed cleanly. Source:
    /// KIP-966.
    pub fn clean_shutdown_epoch(&self) -> Option<i64> {
        self.broker_epoch
    }

    /// Checkpoints that were unreadable and taken for empty.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// A disk error has taken the directory out of use; its logs refuse everything.
    pub fn is_offline(&self) -> bool {
        self.state.is_offline()
    }

    /// What the directory and the logs in it have counted.
    pub fn metrics(&self) -> &Arc<LogDirMetrics> {
        &self.state.metrics
    }

    /// Takes the directory out of use: whoever works on it met an error that its logs did not.
    pub fn take_offline(&self, error: &StorageError) {
        self.state.take_offline(error);
    }

    /// The error that took it out of use.
    pub fn failure(&self) -> Option<&StorageError> {
        self.state.failure()
    }

    /// Has `tell` called once, with the error that takes the directory out of use; at once if one
    /// has. Whoever met the error calls it, with the log's locks held: it must not call back.
    pub fn on_offline(&self, tell: impl Fn(&StorageError) + Send + Sync + 'static) {
        self.state.on_offline(Box::new(tell));
    }

    /// (total, usable) bytes of its file system.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn space(&self) -> Result<(u64, u64), StorageError> {
        let path = self.path();
        self.state.disk().space(path).map_err(StorageError::io("measure", path))
    }

    /// Makes the directory this cluster's and node's.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn format(&mut self, properties: MetaProperties) -> Result<(), StorageError> {
        let path = self.path().join(META_PROPERTIES);
        self.state
            .disk()
            .replace_file(&path, properties.encode().as_bytes())
            .map_err(StorageError::io("write", &path))?;
        self.properties = Some(properties);
        Ok(())
    }

    /// All partition directories, in name order. Nothing is opened yet.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn partitions(&self) -> Result<Vec<FoundPartition>, StorageError> {
        let (disk, path) = (self.state.disk(), self.path());
        let entries = disk.read_dir(path).map_err(StorageError::io("list", path))?;
        let mut found = Vec::new();
        for entry in entries.iter().filter(|entry| entry.is_dir) {
            let Some((partition, kind)) = parse_partition_dir(&entry.name) else { continue };
            let path = path.join(&entry.name);
            found.push(FoundPartition { partition, kind, topic_id: None, path });
        }
        let identified = disk.side_by_side(found, |found| {
            let topic_id = read_topic_id(disk, &found.path)?;
            Ok(FoundPartition { topic_id, ..found })
        });
        identified.into_iter().collect()
    }

    /// One partition's directory, if there is one in use.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn find(&self, partition: &TopicPartition) -> Result<Option<FoundPartition>, StorageError> {
        let disk = self.state.disk();
        let path = partition_dir(partition).map(|name| self.path().join(name));
        let Some(path) = path.filter(|path| disk.exists(path)) else { return Ok(None) };
        let topic_id = read_topic_id(disk, &path)?;
        Ok(Some(FoundPartition {
            partition: partition.clone(),
            kind: DirKind::Live,
            topic_id,
            path,
        }))
    }

    /// Makes an empty log. Its directory survives power loss from the first flush on.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline, but for a name that cannot be one or that is
    /// taken, and but for a full disk, on which nothing is left of the log.
    pub fn create_log(
        &self,
        partition: &TopicPartition,
        topic_id: Uuid,
        settings: LogSettings,
    ) -> Result<PartitionLog<D>, StorageError> {
        self.check_online()?;
        let Some(name) = partition_dir(partition) else {
            let why = format!("{partition} cannot name a directory");
            return Err(StorageError::corrupt(self.path(), why));
        };
        let dir = self.path().join(name);
        if self.state.disk().exists(&dir) {
            // Whatever is in there, nobody has looked at it: it is not a new log's.
            let exists = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(StorageError::io("create directory", &dir)(exists));
        }
        self.create_in(dir, partition, topic_id, settings)
    }

    fn create_in(
        &self,
        dir: PathBuf,
        partition: &TopicPartition,
        topic_id: Uuid,
        settings: LogSettings,
    ) -> Result<PartitionLog<D>, StorageError> {
        let created: Result<_, StorageError> = (|| {
            // A crash may have renamed a log of this name and not forgotten it: its recovery point
            // would vouch for what is about to be written.
            self.state.forget(partition)?;
            self.state.refresh()?;
            make_partition_dir(self.state.disk(), &dir, topic_id)?;
            let made = self.load((partition, topic_id), dir.clone(), settings, true)?;
            made.0.state.names.note();
            Ok(made.0)
        })();
        match created {
            Err(error) if error.is_full() && self.state.disk().exists(&dir) => {
                let removed = self.remove_dir(&dir).and_then(|()| self.state.forget(partition));
                self.guard(removed.and(Err(error)))
            }
            created => self.guard(created),
        }
    }

    /// Opens the log in a directory that [`partitions`](Self::partitions) found, repairing what an
    /// unclean end left.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline.
    pub fn open_log(
        &self,
        found: &FoundPartition,
        settings: LogSettings,
    ) -> Result<(PartitionLog<D>, RecoveryReport), StorageError> {
        self.check_online()?;
        // What the last process said of its logs holds once: for their first opening.
        let is_clean = self.was_clean && !self.is_loaded.load(Ordering::Acquire);
        let named = (&found.partition, found.topic_id.unwrap_or(Uuid::ZERO));
        let opened = self.load(named, found.path.clone(), settings, is_clean);
        self.guard(opened)
    }

    fn load(
        &self,
        (partition, topic_id): (&TopicPartition, Uuid),
        dir: PathBuf,
        settings: LogSettings,
        is_clean: bool,
    ) -> Result<(PartitionLog<D>, RecoveryReport), StorageError> {
        let (recovery_point, log_start) = {
            let checkpoints = self.state.lock();
            let get = |of: &OffsetCheckpoint| of.get(partition).copied().unwrap_or(Offset::ZERO);
            (get(&checkpoints.recovery_points), get(&checkpoints.log_starts))
        };
        let open = OpenLog {
            dir,
            partition: partition.clone(),
            topic_id,
            home: self.state.clone(),
            config: settings.config,
            now: settings.now,
            jitter_seed: settings.jitter_seed,
            is_clean,
            recovery_point,
            log_start,
        };
        let (log, report) = recovery::open(open)?;
        self.state.opened(&log.state);
        let metrics = self.metrics();
        metrics.recovery_segments.add(report.scanned_segments as u64);
        metrics.recovery_cut_bytes.add(report.cut.as_ref().map_or(0, |cut| cut.bytes));
        Ok((log, report))
    }

    /// Writes down how far each open log is durable: what the next recovery may skip.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline.
    pub fn checkpoint_recovery_points(&self) -> Result<(), StorageError> {
        self.check_online()?;
        self.guard(self.state.checkpoint_recovery_points())
    }

    /// The high watermark that was last written down.
    pub fn high_watermark(&self, of: &TopicPartition) -> Option<Offset> {
        self.state.lock().high_watermarks.get(of).copied()
    }

    /// Writes down high watermarks; those of other partitions stay.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline.
    pub fn checkpoint_high_watermarks(
        &self,
        marks: impl IntoIterator<Item = (TopicPartition, Offset)>,
    ) -> Result<(), StorageError> {
        self.check_online()?;
        let mut checkpoints = self.state.lock();
        checkpoints.high_watermarks.extend(marks);
        self.guard(self.state.write_high_watermarks(&checkpoints))
    }

    pub(super) fn check_online(&self) -> Result<(), StorageError> {
        match self.is_offline() {
            true => Err(StorageError::Poisoned { path: self.path().to_owned() }),
            false => Ok(()),
        }
    }

    pub(super) fn guard<T>(&self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        result.inspect_err(|error| match error.is_full() {
            true => self.state.metrics.errors.count(error),
            false => self.state.take_offline(error),
        })
    }
}
