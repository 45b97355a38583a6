//! When a snapshot of the metadata is written, and what is served of it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use config::QuorumConfig;
use consensus::{Gate, LogMark, Voter};
use env::{Background, Clock, Disk, Env, Lane};
use metadata::MetadataImage;
use storage::LogReader;
use types::{ErrorCode, MonoTime, Offset, WallTime};

use super::{ControllerHost, Engine, Told};
use crate::limits::SNAPSHOTS_KEPT;
use crate::metadata_snapshot::{self, SnapshotId};
use crate::removals::LaneOf;

/// The snapshots beside the metadata log of this node.
///
/// One is due when so many bytes of records, or so much time, have come since the last one.
/// It is written on a lane of its own: nobody waits for it, and what fails is tried with the next.
#[doc(alias = "SnapshotGenerator")]
pub(super) struct Snapshots<E: Env> {
    disk: E::Disk,
    /// `None` where there is no metadata log.
    log: Option<LogReader<E::Disk>>,
    retention: Retention,
    record_bytes_max: u64,
    interval: Option<Duration>,
    lane: LaneOf<E>,
    progress: Arc<Mutex<Progress>>,
}

/// How much of the log stays that two snapshots have. `None` is without bound.
#[derive(Clone, Copy, Debug)]
struct Retention {
    bytes_max: Option<u64>,
    age_max: Option<Duration>,
}

#[derive(Debug, Default)]
struct Progress {
    newest: Option<SnapshotId>,
    /// The log is to be let go of below this one, which is whole, as is the newest.
    trimmable: Option<SnapshotId>,
    is_writing: bool,
    /// Record bytes that are in no snapshot.
    record_bytes: u64,
    /// When the first of them was committed.
    since: Option<MonoTime>,
}

impl<E: Env> Snapshots<E> {
    pub(super) fn of(
        env: &E,
        log: Option<LogReader<E::Disk>>,
        config: &QuorumConfig,
    ) -> Snapshots<E> {
        let disk = env.disk().clone();
        // What cannot be listed is found missing by whoever asks for it.
        let found = log.as_ref().and_then(|log| metadata_snapshot::list(&disk, log.dir()).ok());
        let newest = found.and_then(|found| found.last().copied());
        Snapshots {
            disk,
            log,
            retention: Retention {
                bytes_max: config.log_retention_bytes,
                age_max: config.log_retention,
            },
            record_bytes_max: config.snapshot_record_bytes,
            interval: config.snapshot_interval,
            lane: env.background().lane("metadata-snapshots"),
            progress: Arc::new(Mutex::new(Progress { newest, ..Progress::default() })),
        }
    }

    /// The newest snapshot. Who reads it finds out whether the disk has kept it.
    pub(super) fn newest(&self) -> Option<SnapshotId> {
        lock(&self.progress).newest
    }

    /// The oldest behind which the log goes on: for who has found the newest damaged.
    pub(super) fn oldest(&self) -> Option<SnapshotId> {
        let log = self.log.as_ref()?;
        let found = metadata_snapshot::list(&self.disk, log.dir()).ok()?;
        found.into_iter().find(|id| id.end >= log.log_start())
    }

    /// Another voter's snapshot has come, or the log goes on from one.
    fn note_installed(&self, id: SnapshotId) {
        let mut progress = lock(&self.progress);
        progress.newest = progress.newest.max(Some(id));
        (progress.record_bytes, progress.since) = (0, None);
    }

    fn take_trimmable(&self) -> Option<LogMark> {
        lock(&self.progress).trimmable.take().map(SnapshotId::mark)
    }

    /// Records were committed. Returns true if a snapshot is due.
    pub(super) fn note_committed(&self, record_bytes: usize, now: MonoTime) -> bool {
        let mut progress = lock(&self.progress);
        progress.record_bytes += record_bytes as u64;
        let since = *progress.since.get_or_insert(now);
        let is_late = self.interval.is_some_and(|interval| now.since(since) >= interval);
        let is_much = progress.record_bytes >= self.record_bytes_max;
        (is_late || is_much) && !progress.is_writing && self.log.is_some()
    }

    /// Writes `image` in the background, unless there is nothing in it that the last one has not.
    fn begin(&self, image: Arc<MetadataImage>, voters: Vec<Voter>, now: WallTime) {
        let Some(log) = self.log.clone() else { return };
        let id = SnapshotId::of(&image);
        let mut progress = lock(&self.progress);
        if progress.is_writing || progress.newest.is_some_and(|newest| newest.end >= id.end) {
            return;
        }
        (progress.is_writing, progress.record_bytes, progress.since) = (true, 0, None);
        drop(progress);
        let (disk, progress) = (self.disk.clone(), Arc::clone(&self.progress));
        let retention = self.retention;
        self.lane.run(Box::new(move || {
            let bytes = metadata_snapshot::encode(&image, &voters);
            let written = bytes.and_then(|bytes| write(&disk, &log, id, &bytes));
            let trimmable = written.as_ref().ok().and_then(|_| retention.plan(&disk, &log, now));
            let mut progress = lock(&progress);
            progress.is_writing = false;
            progress.trimmable = trimmable;
            match written {
                Ok(bytes) => {
                    progress.newest = Some(id);
                    log::info!(
                        target: "org.apache.kafka.image.publisher.SnapshotGenerator",
                        "wrote a snapshot of the metadata up to offset {} ({bytes} bytes)",
                        id.end
                    );
                }
                Err(why) => log::error!(
                    target: "org.apache.kafka.image.publisher.SnapshotGenerator",
                    "no snapshot of the metadata up to offset {}: {why}; the next one is tried",
                    id.end
                ),
            }
        }));
    }

    /// How long a snapshot is, and up to `bytes_max` of it from `position` on.
    ///
    /// # Errors
    /// What a fetch of it is answered.
    pub(super) fn read(
        &self,
        id: SnapshotId,
        position: i64,
        bytes_max: usize,
    ) -> Result<(u64, Bytes), ErrorCode> {
        let log = self.log.as_ref().ok_or(ErrorCode::SnapshotNotFound)?;
        let position = u64::try_from(position).map_err(|_| ErrorCode::PositionOutOfRange)?;
        let part = metadata_snapshot::read_part(&self.disk, log.dir(), id, position, bytes_max);
        let (size, part) = part.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ErrorCode::SnapshotNotFound,
            _ => ErrorCode::KafkaStorageError,
        })?;
        if position >= size {
            return Err(ErrorCode::PositionOutOfRange);
        }
        Ok((size, part))
    }
}

impl Retention {
    /// Up to where the log may go, if it is too much or too old: to the newest snapshot but one, so
    /// that one that turns out damaged costs nothing. Both are read again first. Source: Kafka
    /// `KafkaMetadataLog.maybeClean`, which keeps one.
    fn plan<D: Disk>(&self, disk: &D, log: &LogReader<D>, now: WallTime) -> Option<SnapshotId> {
        let found = metadata_snapshot::list(disk, log.dir()).ok()?;
        let [.., older, newest] = found[..] else { return None };
        if older.end <= log.log_start() {
            return None;
        }
        let size = |id: &SnapshotId| metadata_snapshot::read_part(disk, log.dir(), *id, 0, 0);
        let sizes = found.iter().map(|id| size(id).map(|(size, _)| size));
        let snapshot_bytes = sizes.sum::<std::io::Result<u64>>().ok()?;
        let bytes = log.size_bytes().ok()?.saturating_add(snapshot_bytes);
        let appended_at = metadata_snapshot::appended_at(disk, log.dir(), older).ok()?;
        let age_ms = u128::try_from(now.0.saturating_sub(appended_at.0)).unwrap_or(0);
        let is_much = self.bytes_max.is_some_and(|bytes_max| bytes > bytes_max);
        let is_old = self.age_max.is_some_and(|age_max| age_ms > age_max.as_millis());
        let are_whole = || is_whole(disk, log.dir(), older) && is_whole(disk, log.dir(), newest);
        ((is_much || is_old) && are_whole()).then_some(older)
    }
}

fn is_whole<D: Disk>(disk: &D, dir: &Path, id: SnapshotId) -> bool {
    let read = metadata_snapshot::read(disk, dir, id);
    read.is_ok_and(|bytes| metadata_snapshot::decode(id, &bytes).is_ok())
}

/// Returns how long it is. Where the log does not have everything any more, nothing older goes
/// before it is known that two later ones are whole.
fn write<D: Disk>(
    disk: &D,
    log: &LogReader<D>,
    id: SnapshotId,
    bytes: &[u8],
) -> Result<usize, String> {
    let (dir, failed) = (log.dir(), |error: std::io::Error| error.to_string());
    metadata_snapshot::remove_unfinished(disk, dir).map_err(failed)?;
    metadata_snapshot::write(disk, dir, id, bytes).map_err(failed)?;
    let found = metadata_snapshot::list(disk, dir).map_err(failed)?;
    let (past, kept) = found.split_at(found.len().saturating_sub(SNAPSHOTS_KEPT));
    let is_safe = log.log_start() == Offset::ZERO
        || past.is_empty()
        || kept.iter().all(|kept| is_whole(disk, dir, *kept));
    for old in past.iter().filter(|_| is_safe) {
        metadata_snapshot::remove(disk, dir, *old).map_err(failed)?;
    }
    Ok(bytes.len())
}

impl<E: Env> ControllerHost<E> {
    /// Has a snapshot written of what is replayed.
    pub(super) fn begin_snapshot(&self, engine: &Engine<E::Disk>) {
        let image = self.lock().controller.image();
        self.snapshots.begin(image, engine.voters(), self.env.clock().wall());
    }

    /// What is known here is what the snapshot says.
    pub(super) fn install(
        &self,
        engine: &Engine<E::Disk>,
        mark: LogMark,
        told: &mut Told,
    ) -> Result<(), String> {
        let image = engine.snapshot(mark)?;
        let mut state = self.lock();
        state.gate = Gate::new(mark.epoch, mark.end);
        told.steps.push(state.controller.install(image));
        drop(state);
        self.snapshots.note_installed(mark.into());
        Ok(())
    }

    /// Lets go of the log that two snapshots have, if that is due.
    pub(super) fn trim(&self, engine: &mut Engine<E::Disk>) {
        let Some(mark) = self.snapshots.take_trimmable() else { return };
        if mark.end > self.lock().gate.next() {
            return;
        }
        match engine.port().trim(mark) {
            Ok(true) => log::info!(
                target: "kafka.raft.KafkaMetadataLog",
                "the metadata log starts at offset {} now: snapshots have what came before",
                mark.end
            ),
            Ok(false) => {}
            // What the engine makes of it, it says by itself.
            Err(error) => log::error!(
                target: "kafka.raft.KafkaMetadataLog",
                "the metadata log is not trimmed to offset {}: {error}",
                mark.end
            ),
        }
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
