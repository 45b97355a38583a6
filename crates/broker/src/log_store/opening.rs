//! At the start: what lies in the directories, and what becomes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::QuorumConfig;
use env::{Disk, Env, Rng};
use metadata::MetadataImage;
use storage::file_names::DirKind;
use storage::{FoundPartition, LogConfig, LogDir, PartitionLog, RecoveryReport, StorageError};
use types::{TopicPartition, Uuid, WallTime};

use super::placed::Placed;
use super::{DirIndex, LogStore, OpenedLog};
use crate::removals::Doomed;
use crate::settings::PartitionSettings;

/// The topic of the metadata log. It is no topic in the image.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// What the directories hold of the topics there are.
pub struct Opened<D: Disk> {
    pub logs: Vec<OpenedLog<D>>,
    /// Partitions on their way to another directory when the last process ended. What had been
    /// copied is gone: it may be of a past that a crash took from the original.
    pub unfinished_moves: Vec<(TopicPartition, DirIndex)>,
}

/// What becomes of the partitions found in a directory, but for those that are gone already.
#[derive(Default)]
struct Sorted {
    to_open: Vec<(Uuid, FoundPartition)>,
    futures: Vec<FoundPartition>,
}

/// A log of the topic of this id.
type Found<D> = (Uuid, PartitionLog<D>, PartitionSettings);

impl<E: Env> LogStore<E> {
    /// Opens the metadata log, or makes it.
    ///
    /// # Errors
    /// The directory cannot be read or written.
    pub fn open_metadata_log(
        &self,
        config: &QuorumConfig,
        now: WallTime,
    ) -> Result<PartitionLog<E::Disk>, StorageError> {
        let partition = TopicPartition::new(METADATA_TOPIC, 0);
        let log_config = LogConfig {
            segment_bytes: config.log_segment_bytes,
            segment_ms: config.log_segment_ms,
            ..LogConfig::default()
        };
        let settings = self.settings(Arc::new(log_config), now);
        let dirs = self.lock();
        let placed = &dirs[self.metadata_home.0];
        let dir = placed.online().ok_or_else(|| placed.why_out())?;
        match dir.find(&partition)? {
            Some(found) => {
                let (log, report) = dir.open_log(&found, settings)?;
                log_repairs(&partition, &report);
                Ok(log)
            }
            None => dir.create_log(&partition, Uuid::METADATA_TOPIC, settings),
        }
    }

    /// Opens the logs that the image knows; sets aside what belongs to no topic, or to one of
    /// another id; removes what was to be deleted. A directory in which that fails is out of use.
    ///
    /// # Errors
    /// It is the one of the metadata log.
    pub fn open_logs(
        &self,
        image: &MetadataImage,
        settings_of: impl Fn(&str) -> PartitionSettings,
        now: WallTime,
    ) -> Result<Opened<E::Disk>, StorageError> {
        let mut logs = Vec::new();
        let mut futures = Vec::new();
        let mut dirs = self.lock();
        for (index, placed) in dirs.iter_mut().enumerate() {
            let Some(dir) = placed.online() else { continue };
            let at = DirIndex(index);
            let opened = self.sort_out(dir, image).and_then(|sorted| {
                futures.extend(sorted.futures.into_iter().map(|found| (at, found)));
                self.open_all(dir, sorted.to_open, &settings_of, now)
            });
            match opened.and_then(|opened| dir.finish_loading().map(|()| opened)) {
                Ok(opened) => logs.extend(opened.into_iter().map(|(topic_id, log, settings)| {
                    OpenedLog { dir: at, topic_id, log, settings }
                })),
                Err(error) if at == self.metadata_home => return Err(error),
                // The directory is offline: none of its logs is served.
                Err(error) => dir.take_offline(&error),
            }
        }
        let logs = self.without_twins(&dirs, logs, image);
        for opened in &logs {
            dirs[opened.dir.0].logs += 1;
        }
        let unfinished_moves = discard_futures(&dirs, futures, &logs);
        Ok(Opened { logs, unfinished_moves })
    }

    fn sort_out(
        &self,
        dir: &LogDir<E::Disk>,
        image: &MetadataImage,
    ) -> Result<Sorted, StorageError> {
        let mut sorted = Sorted::default();
        for found in dir.partitions()? {
            match fate(&found, image) {
                Fate::Open(topic_id) => sorted.to_open.push((topic_id, found)),
                // A crash while it was made left nothing to keep.
                Fate::SetAside if dir.is_unborn(&found)? => dir.remove_dir(&found.path)?,
                Fate::SetAside => self.set_aside(dir, &found, "belongs to no topic")?,
                Fate::Remove => {
                    let doomed = Doomed::Dir(found.path);
                    self.removals.remove_after(0, dir.remover(), doomed);
                }
                Fate::Future => sorted.futures.push(found),
                Fate::Leave => {}
            }
        }
        Ok(sorted)
    }

    /// After a crash each log is read from the disk: nobody waits for another's.
    fn open_all(
        &self,
        dir: &LogDir<E::Disk>,
        logs: Vec<(Uuid, FoundPartition)>,
        settings_of: impl Fn(&str) -> PartitionSettings,
        now: WallTime,
    ) -> Result<Vec<Found<E::Disk>>, StorageError> {
        let to_open = logs.into_iter().map(|(topic_id, found)| {
            let settings = settings_of(&found.partition.topic);
            let of_log = self.settings(Arc::clone(&settings.log), now);
            (topic_id, found, settings, of_log)
        });
        let opened = self.env.disk().side_by_side(
            to_open.collect(),
            |(topic_id, found, settings, of_log)| {
                let (log, report) = dir.open_log(&found, of_log)?;
                log_repairs(&found.partition, &report);
                Ok((topic_id, log, settings))
            },
        );
        let opened: Result<_, _> = opened.into_iter().collect();
        // Those that were opened after the first error say only that the directory is offline.
        opened.map_err(|error| dir.failure().cloned().unwrap_or(error))
    }

    fn set_aside(
        &self,
        dir: &LogDir<E::Disk>,
        found: &FoundPartition,
        why: &str,
    ) -> Result<(), StorageError> {
        let aside = dir.set_aside(found, self.env.rng().bytes16())?;
        log::warn!(
            target: "kafka.log.LogManager",
            "{} {why} of this cluster; it is kept as {}", found.path.display(), aside.display()
        );
        Ok(())
    }

    /// A partition may be found twice: the process ended, or a directory failed, while a move put
    /// the copy in the original's place. Both were alike then; what was written since is in the one
    /// that goes on furthest. The other is set aside.
    fn without_twins(
        &self,
        dirs: &[Placed<E::Disk>],
        logs: Vec<OpenedLog<E::Disk>>,
        image: &MetadataImage,
    ) -> Vec<OpenedLog<E::Disk>> {
        let mut chosen: BTreeMap<TopicPartition, OpenedLog<E::Disk>> = BTreeMap::new();
        for opened in logs {
            let id = opened.log.partition().clone();
            let Some(other) = chosen.remove(&id) else {
                _ = chosen.insert(id, opened);
                continue;
            };
            let partition = image.topics.by_id(opened.topic_id);
            let partition = partition.and_then(|topic| topic.partition(id.partition));
            let rank = |one: &OpenedLog<E::Disk>| {
                let dir = dirs[one.dir.0].id();
                let is_assigned =
                    partition.is_some_and(|p| dir.is_some_and(|dir| p.directories.contains(&dir)));
                (one.log.latest_epoch(), one.log.log_end(), is_assigned)
            };
            let (kept, dropped) =
                if rank(&opened) > rank(&other) { (opened, other) } else { (other, opened) };
            let found = FoundPartition {
                partition: id.clone(),
                kind: DirKind::Live,
                topic_id: Some(dropped.topic_id),
                path: dropped.log.reader().dir().to_owned(),
            };
            let home = dropped.dir.0;
            drop(dropped);
            if let Some(dir) = dirs[home].online()
                && let Err(error) = self.set_aside(dir, &found, "is a second copy of a partition")
            {
                log::error!(target: "kafka.log.LogManager", "{error}");
            }
            chosen.insert(id, kept);
        }
        chosen.into_values().collect()
    }
}

/// Removes copies that were not finished. Where the original is out of reach they stay: nothing
/// else may be left of the partition.
fn discard_futures<D: Disk>(
    dirs: &[Placed<D>],
    futures: Vec<(DirIndex, FoundPartition)>,
    logs: &[OpenedLog<D>],
) -> Vec<(TopicPartition, DirIndex)> {
    let mut moves = Vec::new();
    for (at, found) in futures {
        let original = logs.iter().find(|opened| *opened.log.partition() == found.partition);
        let (Some(original), Some(dir)) = (original, dirs[at.0].online()) else { continue };
        match dir.remove_dir(&found.path) {
            Ok(()) if original.dir != at => moves.push((found.partition, at)),
            Ok(()) => {}
            Err(error) => dir.take_offline(&error),
        }
    }
    moves
}

/// What to do with a partition directory found at the start.
enum Fate {
    Open(Uuid),
    /// A topic of this name may exist, but these are not its records (KAFKA-14616).
    SetAside,
    Remove,
    /// A copy that a move was making.
    Future,
    Leave,
}

fn fate(found: &FoundPartition, image: &MetadataImage) -> Fate {
    if *found.partition.topic == *METADATA_TOPIC {
        return Fate::Leave;
    }
    let topic = found.topic_id.and_then(|id| image.topics.by_id(id));
    let known = topic.filter(|topic| {
        topic.name == found.partition.topic && topic.partition(found.partition.partition).is_some()
    });
    match (found.kind, known) {
        (DirKind::Deleted, _) => Fate::Remove,
        (DirKind::Stray, _) => Fate::Leave,
        (DirKind::Live, Some(topic)) => Fate::Open(topic.id),
        (DirKind::Live, None) => Fate::SetAside,
        (DirKind::Future, Some(_)) => Fate::Future,
        (DirKind::Future, None) => Fate::Remove,
    }
}

fn log_repairs(partition: &TopicPartition, report: &RecoveryReport) {
    if let Some(cut) = &report.cut {
        log::warn!(
            target: "kafka.log.UnifiedLog",
            "{partition} ends at offset {} now: {} bytes after it were no whole batch ({})",
            cut.at, cut.bytes, cut.why
        );
    }
}
