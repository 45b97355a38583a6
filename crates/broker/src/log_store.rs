//! The log directories of this broker and the logs in them.

mod agree;
mod commits;
mod copies;
mod opening;
mod placed;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::BrokerConfig;
use env::{Disk, Env, Rng};
use metadata::RESERVED_DIRECTORIES;
use storage::{GroupCommit, LogDirMetrics, LogSettings, OpenFiles, PartitionLog, StorageError};
use types::{Offset, TopicPartition, Uuid, WallTime};

use crate::node::OpenError;
use crate::removals::{Doomed, LaneOf, Removals};
use crate::settings::PartitionSettings;
use crate::timers::Timers;

use agree::{agree, check_formatted};
use placed::Placed;

/// Every entry of `log.dirs`, and `metadata.log.dir` if it is none of them.
///
/// **Invariant:** a log is made in one directory once. While some directory is out of use, nobody
/// knows what is in it, and only what is known to be new is made in another (KAFKA-16234).
#[doc(alias = "LogManager")]
pub struct LogStore<E: Env> {
    env: E,
    dirs: Mutex<Vec<Placed<E::Disk>>>,
    /// Where the metadata log is.
    metadata_home: DirIndex,
    removals: Removals<E>,
    files: Arc<OpenFiles<E::Disk>>,
}

/// Which directory a log is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirIndex(usize);

/// Where a log is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    In(DirIndex),
    Anywhere,
}

/// Why a log that is not to be found is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// It is in a directory that is out of use, or may be.
    DirOffline,
    /// It was in a directory of this id, which is none of `log.dirs`.
    DirUnknown(Uuid),
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misplaced::DirOffline => f.write_str("a log directory that may hold it is out of use"),
            Misplaced::DirUnknown(id) => {
                write!(f, "it is in the log directory of id {id}, which is none of log.dirs")
            }
        }
    }
}

/// A directory that was in use and is not any more.
#[derive(Clone, Debug)]
pub struct FailedDir {
    pub index: DirIndex,
    pub path: String,
    /// Under which the controller knows it.
    pub id: Option<Uuid>,
    pub error: StorageError,
}

/// A log that was found on disk and belongs to a topic.
pub struct OpenedLog<D: Disk> {
    pub dir: DirIndex,
    pub topic_id: Uuid,
    pub log: PartitionLog<D>,
    pub settings: PartitionSettings,
}

/// One directory as DescribeLogDirs shows it.
pub struct DirFacts {
    pub index: DirIndex,
    pub path: String,
    pub is_offline: bool,
    pub metrics: Arc<LogDirMetrics>,
    /// (total, usable) bytes.
    pub space: Option<(u64, u64)>,
}

impl DirFacts {
    /// How often there was no room: for appends above the reserve, for whatever at the disk's end.
    pub fn refused_for_space(&self) -> u64 {
        self.metrics.refused_for_space.get() + self.metrics.errors.of_kind("no_space")
    }

    /// Whether more than a few batches fit above the reserve: an eighth of it.
    pub fn has_room(&self) -> bool {
        let has_room = |(total, usable)| {
            let reserve = storage::space_reserve(total);
            usable > reserve + reserve / 8
        };
        self.space.is_some_and(has_room)
    }
}

impl<E: Env> LogStore<E> {
    /// Locks the directories, formats those that are new, and checks that they belong together.
    ///
    /// A directory that the disk does not give is left out, if others are there and it does not
    /// hold the metadata log.
    ///
    /// # Errors
    /// A directory is in use, or of another node or cluster; the metadata log's is not usable, or
    /// none is.
    pub fn open(
        env: &E,
        config: &BrokerConfig,
        timers: &Arc<Timers>,
    ) -> Result<(LogStore<E>, Uuid), OpenError> {
        let metadata_dir = &config.node.metadata_log_dir;
        let files = OpenFiles::of_process(env.disk());
        let open = |path: &str, holds_topics| {
            let mut placed = Placed::open(env.disk(), path, holds_topics, &files)?;
            placed.commit = placed.dir.as_ref().ok().map(|dir| commits::of_dir(env, dir));
            Ok(placed)
        };
        let mut dirs = Vec::new();
        for path in &config.node.log_dirs {
            dirs.push(open(path, true)?);
        }
        if !config.node.log_dirs.contains(metadata_dir) {
            dirs.push(open(metadata_dir, false)?);
        }
        let home = dirs.iter().position(|placed| placed.path == *metadata_dir).unwrap_or(0);
        let unusable = |placed: &Placed<E::Disk>| OpenError::LogDir {
            path: placed.path.clone(),
            error: placed.why_out(),
        };
        if !dirs[home].is_online() {
            return Err(unusable(&dirs[home]));
        }
        let topical = dirs.iter().filter(|placed| placed.holds_topics);
        if let (false, Some(first)) = (topical.clone().any(Placed::is_online), dirs.first()) {
            return Err(unusable(first));
        }
        if !config.node.is_controller || config.quorum.voters.len() > 1 {
            check_formatted(&dirs)?;
        }
        let cluster_id = agree(env, &mut dirs, config.node.node_id)?;
        let (dirs, metadata_home) = (Mutex::new(dirs), DirIndex(home));
        let removals = Removals::new(env.clone(), Arc::clone(timers));
        Ok((LogStore { env: env.clone(), dirs, metadata_home, removals, files }, cluster_id))
    }

    /// Where files are removed.
    pub fn lane(&self) -> &LaneOf<E> {
        self.removals.lane()
    }

    /// The log files that are open.
    pub fn open_files(&self) -> &Arc<OpenFiles<E::Disk>> {
        &self.files
    }

    /// Where a log may be made that is not on any disk: in `assigned` if that is one of these, or
    /// wherever there is room if none was told.
    ///
    /// # Errors
    /// It may well exist, out of reach: see the invariant.
    pub fn place(&self, assigned: Uuid, is_new: bool) -> Result<Place, Misplaced> {
        let dirs = self.lock();
        let all_online = dirs.iter().all(Placed::is_online);
        if !is_new && !all_online {
            return Err(Misplaced::DirOffline);
        }
        let home = dirs.iter().position(|placed| placed.id() == Some(assigned));
        match home {
            Some(at) if dirs[at].is_online() => Ok(Place::In(DirIndex(at))),
            Some(_) => Err(Misplaced::DirOffline),
            None if u128::from_be_bytes(assigned.0) < RESERVED_DIRECTORIES => Ok(Place::Anywhere),
            None => Err(Misplaced::DirUnknown(assigned)),
        }
    }

    /// Makes a log: anywhere is in the directory that has the fewest logs, and of those the one
    /// with the most room. One without room gives way to the next.
    ///
    /// # Errors
    /// The directory fails, or none has room.
    pub fn create(
        &self,
        partition: &TopicPartition,
        topic_id: Uuid,
        place: Place,
        settings: &PartitionSettings,
        now: WallTime,
    ) -> Result<(DirIndex, PartitionLog<E::Disk>), StorageError> {
        let mut dirs = self.lock();
        let mut candidates: Vec<(usize, u64, usize)> = Vec::new();
        for (index, placed) in dirs.iter().enumerate() {
            let is_meant = match place {
                Place::In(DirIndex(home)) => index == home,
                Place::Anywhere => placed.holds_topics,
            };
            if let (true, Some(dir)) = (is_meant, placed.online()) {
                let usable = dir.space().map_or(0, |(_, usable)| usable);
                candidates.push((placed.logs, u64::MAX - usable, index));
            }
        }
        candidates.sort_unstable();
        let mut failed = StorageError::Poisoned { path: partition.to_string().into() };
        for (_, _, index) in candidates {
            let Ok(dir) = &dirs[index].dir else { continue };
            let settings = self.settings(Arc::clone(&settings.log), now);
            match dir.create_log(partition, topic_id, settings) {
                Ok(log) => {
                    dirs[index].logs += 1;
                    return Ok((DirIndex(index), log));
                }
                Err(error) if error.is_full() => failed = error,
                Err(error) => return Err(error),
            }
        }
        Err(failed)
    }

    /// Deletes a log. Its directory is renamed at once and removed after `file.delete.delay.ms`;
    /// whoever still reads it keeps the open files.
    ///
    /// # Errors
    /// The directory fails.
    pub fn delete(&self, index: DirIndex, log: PartitionLog<E::Disk>) -> Result<(), StorageError> {
        let mut dirs = self.lock();
        let Some(placed) = dirs.get_mut(index.0) else { return Ok(()) };
        let Ok(dir) = &placed.dir else { return Ok(()) };
        let delay_ms = log.config().file_delete_delay_ms;
        let doomed = dir.delete_log(log, self.env.rng().bytes16())?;
        self.removals.remove_after(delay_ms, dir.remover(), Doomed::Dir(doomed));
        placed.logs = placed.logs.saturating_sub(1);
        Ok(())
    }

    /// Sees to it that the files of segments that a log has let go of are removed after
    /// `file.delete.delay.ms`.
    pub fn remove_let_go(&self, index: DirIndex, log: &mut PartitionLog<E::Disk>) {
        let files = log.take_deleted();
        let dirs = self.lock();
        let dir = dirs.get(index.0).and_then(Placed::online).filter(|_| !files.is_empty());
        if let Some(dir) = dir {
            let delay_ms = log.config().file_delete_delay_ms;
            self.removals.remove_after(delay_ms, dir.remover(), Doomed::Files(files));
        }
    }

    /// Who makes the logs of a directory durable; `None` if it was never in use: no log is in it.
    pub fn commit_of(&self, index: DirIndex) -> Option<GroupCommit<E::Disk>> {
        self.lock().get(index.0)?.commit.clone()
    }

    /// What was known to be committed of a partition when that was last written down.
    pub fn high_watermark(&self, index: DirIndex, of: &TopicPartition) -> Option<Offset> {
        self.lock().get(index.0)?.online()?.high_watermark(of)
    }

    /// Writes down what is known to be committed of the partitions in a directory.
    pub fn checkpoint_high_watermarks(
        &self,
        index: DirIndex,
        marks: impl IntoIterator<Item = (TopicPartition, Offset)>,
    ) {
        let placed = self.lock();
        let Some(dir) = placed.get(index.0).and_then(Placed::online) else { return };
        if let Err(error) = dir.checkpoint_high_watermarks(marks) {
            log::error!(target: "kafka.log.LogManager", "{error}");
        }
    }

    /// Writes down how far each log is durable, so that the next recovery reads less.
    pub fn checkpoint(&self) {
        for placed in self.lock().iter() {
            let (Some(dir), Some(commit)) = (placed.online(), &placed.commit) else { continue };
            let outcome = commit.checkpoint().and_then(|()| dir.checkpoint_recovery_points());
            if let Err(error) = outcome {
                log::error!(target: "kafka.log.LogManager", "{error}");
            }
        }
    }

    pub fn describe(&self) -> Vec<DirFacts> {
        let facts = |(index, placed): (usize, &Placed<E::Disk>)| DirFacts {
            index: DirIndex(index),
            path: placed.path.clone(),
            is_offline: !placed.is_online(),
            metrics: placed.metrics(),
            space: placed.dir.as_ref().ok().and_then(|dir| dir.space().ok()),
        };
        let dirs = self.lock();
        dirs.iter().enumerate().filter(|(_, placed)| placed.holds_topics).map(facts).collect()
    }

    /// Has `tell` called, from under locks, whenever a directory goes out of use.
    pub fn on_failure(&self, tell: impl Fn() + Send + Sync + 'static) {
        let tell = Arc::new(tell);
        for dir in self.lock().iter().filter_map(|placed| placed.dir.as_ref().ok()) {
            let tell = Arc::clone(&tell);
            dir.on_offline(move |_| tell());
        }
    }

    /// The directories that went out of use since this was last asked.
    pub fn take_failed(&self) -> Vec<FailedDir> {
        let mut failed = Vec::new();
        for (index, placed) in self.lock().iter_mut().enumerate() {
            if !placed.is_online() && !std::mem::replace(&mut placed.is_told, true) {
                failed.push(FailedDir {
                    index: DirIndex(index),
                    path: placed.path.clone(),
                    id: placed.id(),
                    error: placed.why_out(),
                });
            }
        }
        failed
    }

    /// Why the node cannot go on: the metadata log is out of reach, or everything is.
    pub fn why_hopeless(&self) -> Option<String> {
        let dirs = self.lock();
        let home = dirs.get(self.metadata_home.0)?;
        if !home.is_online() {
            return Some(format!("the directory of the metadata log, {}, has failed", home.path));
        }
        let mut topical = dirs.iter().filter(|placed| placed.holds_topics);
        let none_left = !topical.any(Placed::is_online);
        none_left.then(|| "every directory of log.dirs has failed".to_owned())
    }

    /// The id of a directory, under which the controller knows it.
    pub fn id_of(&self, index: DirIndex) -> Option<Uuid> {
        self.lock().get(index.0).and_then(Placed::id)
    }

    /// The id of the directory that holds the metadata log.
    pub fn metadata_directory(&self) -> Uuid {
        self.id_of(self.metadata_home).unwrap_or(Uuid::ZERO)
    }

    /// The ids of the directories in use that hold topics, and the epoch of the last clean
    /// shutdown.
    pub fn registration(&self) -> (Vec<Uuid>, i64) {
        const NOT_CLEAN: i64 = -1;
        let dirs = self.lock();
        let online = dirs.iter().filter(|placed| placed.holds_topics && placed.is_online());
        let ids = online.filter_map(Placed::id).collect();
        let epoch = |placed: &Placed<E::Disk>| placed.online()?.clean_shutdown_epoch();
        let epochs = dirs.iter().map(|placed| epoch(placed).unwrap_or(NOT_CLEAN));
        (ids, epochs.min().unwrap_or(NOT_CLEAN))
    }

    /// Ends the use of every directory. All logs must be closed.
    pub fn close(&self, broker_epoch: i64) {
        let dirs = std::mem::take(&mut *self.lock());
        for placed in dirs.into_iter().filter(Placed::is_online) {
            let Placed { path, dir: Ok(dir), .. } = placed else { continue };
            match dir.close(broker_epoch) {
                Ok(Ok(())) => {}
                Ok(Err(why)) => log::warn!(
                    target: "kafka.log.LogManager",
                    "{path} was not closed cleanly ({why:?}); the next start checks its logs"
                ),
                Err(error) => log::error!(target: "kafka.log.LogManager", "{error}"),
            }
        }
    }

    fn settings(&self, config: Arc<storage::LogConfig>, now: WallTime) -> LogSettings {
        LogSettings { config, now, jitter_seed: self.env.rng().next_u64() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Placed<E::Disk>>> {
        self.dirs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
