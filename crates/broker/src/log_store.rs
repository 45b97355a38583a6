//! The log directories of this broker and the logs in them.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::BrokerConfig;
use env::{Background, Disk, Env, Rng};
use metadata::MetadataImage;
use storage::file_names::DirKind;
use storage::{
    FoundPartition, LogDir, LogDirMetrics, LogSettings, MetaProperties, OpenFiles, PartitionLog,
    StorageError,
};
use types::{BrokerId, TopicPartition, Uuid, WallTime};

use crate::node::OpenError;
use crate::removals::{Doomed, LaneOf, Removals};
use crate::settings::PartitionSettings;
use crate::timers::Timers;

/// The topic of the metadata log. It is no topic in the image.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// Every entry of `log.dirs`, and `metadata.log.dir` if it is none of them.
#[doc(alias = "LogManager")]
pub struct LogStore<E: Env> {
    env: E,
    dirs: Mutex<Vec<Placed<E::Disk>>>,
    lane: LaneOf<E>,
    removals: Removals<E>,
}

struct Placed<D: Disk> {
    dir: LogDir<D>,
    /// False: only the metadata log lives here.
    holds_topics: bool,
    logs: usize,
}

/// Which directory a log is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirIndex(usize);

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

impl<E: Env> LogStore<E> {
    /// Locks the directories, formats those that are new, and checks that they belong together.
    ///
    /// # Errors
    /// A directory is in use, unreadable, or of another node or cluster.
    pub fn open(
        env: &E,
        config: &BrokerConfig,
        timers: &Arc<Timers>,
    ) -> Result<(LogStore<E>, Uuid), OpenError> {
        let files = OpenFiles::of_process(env.disk());
        let open = |path: &str, holds_topics| {
            open_dir(env, path, &files).map(|dir| Placed { dir, holds_topics, logs: 0 })
        };
        let mut dirs = Vec::new();
        for path in &config.node.log_dirs {
            dirs.push(open(path, true)?);
        }
        let metadata_dir = &config.node.metadata_log_dir;
        if !config.node.log_dirs.contains(metadata_dir) {
            dirs.push(open(metadata_dir, false)?);
        }
        let cluster_id = agree(env, &mut dirs, config.node.node_id)?;
        let lane = env.background().lane("housekeeping");
        let removals = Removals::new(env.clone(), Arc::clone(timers), lane.clone());
        let store = LogStore { env: env.clone(), dirs: Mutex::new(dirs), lane, removals };
        Ok((store, cluster_id))
    }

    /// Where what blocks is done for the logs.
    pub fn lane(&self) -> &LaneOf<E> {
        &self.lane
    }

    /// Opens the metadata log, or makes it.
    ///
    /// # Errors
    /// The directory cannot be read or written.
    pub fn open_metadata_log(
        &self,
        config: &BrokerConfig,
        now: WallTime,
    ) -> Result<PartitionLog<E::Disk>, StorageError> {
        let partition = TopicPartition::new(METADATA_TOPIC, 0);
        let settings = self.settings(Arc::default(), now);
        let dirs = self.lock();
        let home = Path::new(&config.node.metadata_log_dir);
        let placed = dirs.iter().find(|placed| placed.dir.path() == home);
        let placed = placed.unwrap_or(&dirs[0]);
        match placed.dir.find(&partition)? {
            Some(found) => {
                let (log, report) = placed.dir.open_log(&found, settings)?;
                log_repairs(&partition, &report);
                Ok(log)
            }
            None => placed.dir.create_log(&partition, Uuid::METADATA_TOPIC, settings),
        }
    }

    /// Opens the logs that the image knows; sets aside what belongs to no topic, or to one of
    /// another id; removes what was to be deleted.
    ///
    /// # Errors
    /// A directory cannot be read or a log cannot be repaired.
    pub fn open_logs(
        &self,
        image: &MetadataImage,
        settings_of: impl Fn(&str) -> PartitionSettings,
        now: WallTime,
    ) -> Result<Vec<OpenedLog<E::Disk>>, StorageError> {
        let mut opened = Vec::new();
        let mut dirs = self.lock();
        for (index, placed) in dirs.iter_mut().enumerate() {
            for found in placed.dir.partitions()? {
                match fate(&found, image) {
                    Fate::Open(topic_id) => {
                        let partition = settings_of(&found.partition.topic);
                        let settings = self.settings(Arc::clone(&partition.log), now);
                        let (log, report) = placed.dir.open_log(&found, settings)?;
                        log_repairs(&found.partition, &report);
                        placed.logs += 1;
                        opened.push(OpenedLog {
                            dir: DirIndex(index),
                            topic_id,
                            log,
                            settings: partition,
                        });
                    }
                    // A crash while it was made left nothing to keep.
                    Fate::SetAside if placed.dir.is_unborn(&found)? => {
                        placed.dir.remove_dir(&found.path)?;
                    }
                    Fate::SetAside => {
                        let aside = placed.dir.set_aside(&found, self.env.rng().bytes16())?;
                        log::warn!(
                            target: "kafka.log.LogManager",
                            "{} belongs to no topic of this cluster; it is kept as {}",
                            found.path.display(), aside.display()
                        );
                    }
                    Fate::Remove => {
                        let doomed = Doomed::Dir(found.path);
                        self.removals.remove_after(0, placed.dir.remover(), doomed);
                    }
                    Fate::Leave => {}
                }
            }
            placed.dir.finish_loading()?;
        }
        Ok(opened)
    }

    /// Makes a log in the directory that has the fewest.
    ///
    /// # Errors
    /// The directory fails.
    pub fn create(
        &self,
        partition: &TopicPartition,
        topic_id: Uuid,
        settings: &PartitionSettings,
        now: WallTime,
    ) -> Result<(DirIndex, PartitionLog<E::Disk>), StorageError> {
        let mut dirs = self.lock();
        let online =
            |placed: &&mut Placed<E::Disk>| placed.holds_topics && !placed.dir.is_offline();
        let candidates = dirs.iter_mut().enumerate().filter(|(_, placed)| online(placed));
        let Some((index, placed)) = candidates.min_by_key(|(_, placed)| placed.logs) else {
            return Err(StorageError::Poisoned { path: partition.to_string().into() });
        };
        let settings = self.settings(Arc::clone(&settings.log), now);
        let log = placed.dir.create_log(partition, topic_id, settings)?;
        placed.logs += 1;
        Ok((DirIndex(index), log))
    }

    /// Deletes a log. Its directory is renamed at once and removed after `file.delete.delay.ms`;
    /// whoever still reads it keeps the open files.
    ///
    /// # Errors
    /// The directory fails.
    pub fn delete(&self, index: DirIndex, log: PartitionLog<E::Disk>) -> Result<(), StorageError> {
        let mut dirs = self.lock();
        let Some(placed) = dirs.get_mut(index.0) else { return Ok(()) };
        let delay_ms = log.config().file_delete_delay_ms;
        let doomed = placed.dir.delete_log(log, self.env.rng().bytes16())?;
        placed.logs = placed.logs.saturating_sub(1);
        self.removals.remove_after(delay_ms, placed.dir.remover(), Doomed::Dir(doomed));
        Ok(())
    }

    /// Sees to it that the files of segments that a log has let go of are removed after
    /// `file.delete.delay.ms`.
    pub fn remove_let_go(&self, index: DirIndex, log: &mut PartitionLog<E::Disk>) {
        let files = log.take_deleted();
        let remover = self.lock().get(index.0).map(|placed| placed.dir.remover());
        if let Some(remover) = remover.filter(|_| !files.is_empty()) {
            let delay_ms = log.config().file_delete_delay_ms;
            self.removals.remove_after(delay_ms, remover, Doomed::Files(files));
        }
    }

    /// Writes down how far each log is durable, so that the next recovery reads less.
    pub fn checkpoint(&self) {
        for placed in self.lock().iter().filter(|placed| !placed.dir.is_offline()) {
            if let Err(error) = placed.dir.checkpoint_recovery_points() {
                log::error!(target: "kafka.log.LogManager", "{error}");
            }
        }
    }

    pub fn describe(&self) -> Vec<DirFacts> {
        let facts = |(index, placed): (usize, &Placed<E::Disk>)| DirFacts {
            index: DirIndex(index),
            path: placed.dir.path().display().to_string(),
            is_offline: placed.dir.is_offline(),
            metrics: Arc::clone(placed.dir.metrics()),
            space: placed.dir.space().ok(),
        };
        let dirs = self.lock();
        dirs.iter().enumerate().filter(|(_, placed)| placed.holds_topics).map(facts).collect()
    }

    /// The ids of the directories that hold topics, and the epoch of the last clean shutdown.
    pub fn registration(&self) -> (Vec<Uuid>, i64) {
        const NOT_CLEAN: i64 = -1;
        let dirs = self.lock();
        let ids = dirs.iter().filter(|placed| placed.holds_topics);
        let ids = ids.filter_map(|placed| placed.dir.properties()?.directory_id).collect();
        let epochs = dirs.iter().map(|p| p.dir.clean_shutdown_epoch().unwrap_or(NOT_CLEAN));
        (ids, epochs.min().unwrap_or(NOT_CLEAN))
    }

    /// Ends the use of every directory. All logs must be closed.
    pub fn close(&self, broker_epoch: i64) {
        let dirs = std::mem::take(&mut *self.lock());
        for placed in dirs {
            let path = placed.dir.path().display().to_string();
            match placed.dir.close(broker_epoch) {
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

/// What to do with a partition directory found at the start.
enum Fate {
    Open(Uuid),
    /// A topic of this name may exist, but these are not its records (KAFKA-14616).
    SetAside,
    Remove,
    Leave,
}

fn fate(found: &FoundPartition, image: &MetadataImage) -> Fate {
    match found.kind {
        DirKind::Deleted => return Fate::Remove,
        DirKind::Live => {}
        _ => return Fate::Leave,
    }
    if *found.partition.topic == *METADATA_TOPIC {
        return Fate::Leave;
    }
    let known = found.topic_id.and_then(|id| image.topics.by_id(id));
    match known {
        Some(topic)
            if topic.name == found.partition.topic
                && topic.partition(found.partition.partition).is_some() =>
        {
            Fate::Open(topic.id)
        }
        _ => Fate::SetAside,
    }
}

fn open_dir<E: Env>(
    env: &E,
    path: &str,
    files: &Arc<OpenFiles<E::Disk>>,
) -> Result<LogDir<E::Disk>, OpenError> {
    let dir = LogDir::open_with(env.disk().clone(), Path::new(path), Arc::clone(files));
    let dir = dir.map_err(|error| OpenError::LogDir { path: path.to_owned(), error })?;
    for warning in dir.warnings() {
        log::warn!(target: "kafka.log.LogManager", "{warning}");
    }
    Ok(dir)
}

/// Formats new directories into the cluster of the others; refuses those of somebody else.
fn agree<E: Env>(
    env: &E,
    dirs: &mut [Placed<E::Disk>],
    node_id: BrokerId,
) -> Result<Uuid, OpenError> {
    let mut cluster_id: Option<(String, String)> = None;
    for placed in dirs.iter() {
        let path = placed.dir.path().display().to_string();
        let Some(properties) = placed.dir.properties() else { continue };
        if let Some(found) = properties.node_id.filter(|found| *found != node_id) {
            return Err(OpenError::ForeignNode { path, found, configured: node_id });
        }
        match (&cluster_id, &properties.cluster_id) {
            (Some((first, other)), Some(found)) if first != found => {
                let (first, other) = (first.clone(), other.clone());
                return Err(OpenError::ForeignCluster { path, found: found.clone(), other, first });
            }
            (None, Some(found)) => cluster_id = Some((found.clone(), path)),
            _ => {}
        }
    }
    let cluster_id = match cluster_id {
        Some((id, path)) => id.parse().map_err(|_| OpenError::BadClusterId { path, id })?,
        None => Uuid::from_random(env.rng().bytes16()),
    };
    for placed in dirs {
        let is_whole = |p: &MetaProperties| p.directory_id.is_some() && p.cluster_id.is_some();
        if placed.dir.properties().is_some_and(is_whole) {
            continue;
        }
        let properties = MetaProperties {
            cluster_id: Some(cluster_id.to_string()),
            node_id: Some(node_id),
            directory_id: Some(Uuid::from_random(env.rng().bytes16())),
        };
        let path = placed.dir.path().display().to_string();
        placed.dir.format(properties).map_err(|error| OpenError::LogDir { path, error })?;
    }
    Ok(cluster_id)
}

fn log_repairs(partition: &TopicPartition, report: &storage::RecoveryReport) {
    if let Some(cut) = &report.cut {
        log::warn!(
            target: "kafka.log.UnifiedLog",
            "{partition} ends at offset {} now: {} bytes after it were no whole batch ({})",
            cut.at, cut.bytes, cut.why
        );
    }
}
