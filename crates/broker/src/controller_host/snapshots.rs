//! When a snapshot of the metadata is written, and what is served of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use config::QuorumConfig;
use env::{Background, Disk, Env, Lane};
use metadata::MetadataImage;
use types::{ErrorCode, MonoTime};

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
    dir: Option<PathBuf>,
    record_bytes_max: u64,
    interval: Option<Duration>,
    lane: LaneOf<E>,
    progress: Arc<Mutex<Progress>>,
}

#[derive(Debug, Default)]
struct Progress {
    newest: Option<SnapshotId>,
    is_writing: bool,
    /// Record bytes that are in no snapshot.
    record_bytes: u64,
    /// When the first of them was committed.
    since: Option<MonoTime>,
}

impl<E: Env> Snapshots<E> {
    pub(super) fn of(env: &E, dir: Option<&Path>, config: &QuorumConfig) -> Snapshots<E> {
        let disk = env.disk().clone();
        // What cannot be listed is found missing by whoever asks for it.
        let found = dir.and_then(|dir| metadata_snapshot::list(&disk, dir).ok());
        let newest = found.and_then(|found| found.last().copied());
        Snapshots {
            disk,
            dir: dir.map(Path::to_owned),
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

    /// Records were committed. Returns true if a snapshot is due.
    pub(super) fn note_committed(&self, record_bytes: usize, now: MonoTime) -> bool {
        let mut progress = lock(&self.progress);
        progress.record_bytes += record_bytes as u64;
        let since = *progress.since.get_or_insert(now);
        let is_late = self.interval.is_some_and(|interval| now.since(since) >= interval);
        let is_much = progress.record_bytes >= self.record_bytes_max;
        (is_late || is_much) && !progress.is_writing && self.dir.is_some()
    }

    /// Writes `image` in the background, unless there is nothing in it that the last one has not.
    pub(super) fn begin(&self, image: Arc<MetadataImage>) {
        let Some(dir) = self.dir.clone() else { return };
        let id = SnapshotId::of(&image);
        let mut progress = lock(&self.progress);
        if progress.is_writing || progress.newest.is_some_and(|newest| newest.end >= id.end) {
            return;
        }
        (progress.is_writing, progress.record_bytes, progress.since) = (true, 0, None);
        drop(progress);
        let (disk, progress) = (self.disk.clone(), Arc::clone(&self.progress));
        self.lane.run(Box::new(move || {
            let written = write(&disk, &dir, id, &image);
            let mut progress = lock(&progress);
            progress.is_writing = false;
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
        let dir = self.dir.as_deref().ok_or(ErrorCode::SnapshotNotFound)?;
        let position = u64::try_from(position).map_err(|_| ErrorCode::PositionOutOfRange)?;
        let part = metadata_snapshot::read_part(&self.disk, dir, id, position, bytes_max);
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

/// Returns how long it is.
fn write<D: Disk>(
    disk: &D,
    dir: &Path,
    id: SnapshotId,
    image: &MetadataImage,
) -> Result<usize, String> {
    let bytes = metadata_snapshot::encode(image)?;
    let failed = |error: std::io::Error| error.to_string();
    metadata_snapshot::remove_unfinished(disk, dir).map_err(failed)?;
    metadata_snapshot::write(disk, dir, id, &bytes).map_err(failed)?;
    let found = metadata_snapshot::list(disk, dir).map_err(failed)?;
    let past = found.len().saturating_sub(SNAPSHOTS_KEPT);
    for old in &found[..past] {
        metadata_snapshot::remove(disk, dir, *old).map_err(failed)?;
    }
    Ok(bytes.len())
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
