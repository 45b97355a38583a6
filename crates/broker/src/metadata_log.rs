//! The metadata log on disk: `__cluster_metadata-0`, Kafka record batches in a partition log.
//!
//! The consensus engine sees opaque records; Kafka's `kafka-dump-log --cluster-metadata-decoder`
//! sees what it knows. Format: docs/formats/metadata-log.md.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use consensus::{CommittedBatch, ControlBatch, Epoch, LogBatch, LogMark, MetadataLog};
use env::Disk;
use metadata::{KRAFT_VERSION_FEATURE, MetadataImage, MetadataRecord, Provenance, ReplayError};
use protocol::metadata_records::FeatureLevelRecord;
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchBuilder, NewRecord, RecordBatch};
use storage::{AppendContext, AppendError, LogReader, PartitionLog, StorageError};
use types::{LeaderEpoch, Offset, WallTime};

use crate::limits::{METADATA_READ_BYTES, METADATA_SPARE_BYTES, QUORUM_STATE_BYTES_MAX};
use crate::metadata_snapshot::{self, SnapshotId};

pub(crate) mod control;
mod snapshots;
#[cfg(test)]
mod tests;

pub use control::{KRAFT_VERSIONS, voter_of};

/// The file beside the segments that holds the vote and the voters. Kafka's has the same name and
/// is JSON; neither reads the other's.
const QUORUM_STATE: &str = "quorum-state";

/// Hands on what a committed batch says to whoever replays it.
///
/// # Errors
/// It holds what this build does not know, or what does not fit what was replayed before.
pub fn replay<R>(
    batch: &CommittedBatch,
    replay: impl FnOnce(Provenance, &[MetadataRecord]) -> Result<R, ReplayError>,
) -> Result<R, String> {
    let at = |error: &dyn Display| format!("replay metadata at {}: {error}", batch.base_offset);
    let mut records = Vec::with_capacity(batch.records.len());
    for value in &batch.records {
        records.push(MetadataRecord::decode(value.clone()).map_err(|error| at(&error))?);
    }
    let records = with_kraft_version(records, batch.kraft_version);
    let provenance = Provenance {
        last_offset: batch.last_offset,
        epoch: batch.epoch.0,
        appended_at: batch.appended_at,
    };
    replay(provenance, &records).map_err(|error| at(&error))
}

/// The records of a batch, or of a snapshot, and at which level the quorum finalizes
/// `kraft.version` there: for the image that is a feature as any other. A log that Kafka 3.9 or 4.0
/// wrote may say it in a record as well, which counts for nothing. Source: KAFKA-18979.
pub(crate) fn with_kraft_version(
    mut records: Vec<MetadataRecord>,
    level: Option<i16>,
) -> Vec<MetadataRecord> {
    records.retain(|record| match record {
        MetadataRecord::FeatureLevel(record) => *record.name != *KRAFT_VERSION_FEATURE,
        _ => true,
    });
    let name = KRAFT_VERSION_FEATURE;
    records.extend(level.map(|feature_level| {
        MetadataRecord::FeatureLevel(FeatureLevelRecord { name: name.into(), feature_level })
    }));
    records
}

/// A voter's log and vote, kept by storage.
pub struct StoredMetadataLog<D: Disk> {
    log: PartitionLog<D>,
    disk: D,
    /// What the snapshot says that was found or completed last, until the host takes it.
    image: Mutex<Option<(LogMark, Arc<MetadataImage>)>>,
    /// Files that were let go of when the log was last trimmed: who still reads them has until the
    /// next time.
    let_go: Vec<PathBuf>,
}

impl<D: Disk> StoredMetadataLog<D> {
    /// `disk` is the one that `log` is on.
    pub fn new(log: PartitionLog<D>, disk: D) -> StoredMetadataLog<D> {
        // What cannot be removed now is when the next one comes.
        _ = snapshots::remove_parts(&disk, log.reader().dir());
        StoredMetadataLog { log, disk, image: Mutex::default(), let_go: Vec::new() }
    }

    fn quorum_state_path(&self) -> PathBuf {
        self.log.reader().dir().join(QUORUM_STATE)
    }

    /// What the snapshot says that was found or completed last.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn snapshot(&self, mark: LogMark) -> Result<Arc<MetadataImage>, String> {
        match self.image().take() {
            Some((known, image)) if known == mark => Ok(image),
            _ => snapshots::load(&self.disk, self.log.reader().dir(), mark.into()),
        }
    }

    fn image(&self) -> std::sync::MutexGuard<'_, Option<(LogMark, Arc<MetadataImage>)>> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads it beside the engine that writes it.
    pub fn reader(&self) -> LogReader<D> {
        self.log.reader()
    }

    /// # Errors
    /// The disk failed; the next start recovers the log.
    pub fn close(mut self) -> Result<(), StorageError> {
        self.remove_let_go();
        self.log.close()
    }

    fn remove_let_go(&mut self) {
        for path in std::mem::take(&mut self.let_go) {
            _ = self.disk.remove_file(&path); // gone at the next opening at the latest
        }
    }

    fn append_batch(
        &mut self,
        epoch: Epoch,
        batch: RecordBatch,
        now: WallTime,
    ) -> io::Result<Offset> {
        let context = AppendContext {
            leader_epoch: leader_epoch(epoch),
            now,
            origin: AppendOrigin::Coordinator,
        };
        let batch = ValidatedBatch::trusted(batch);
        let appended = self.log.append(batch, context).map_err(|error| match error {
            AppendError::Storage(full) if full.is_full() => {
                io::Error::new(io::ErrorKind::StorageFull, full)
            }
            error => io::Error::other(error),
        })?;
        Ok(appended.base_offset)
    }
}

impl<D: Disk> MetadataLog for StoredMetadataLog<D> {
    fn log_start(&self) -> Offset {
        self.log.reader().log_start()
    }

    fn log_end(&self) -> Offset {
        self.log.reader().log_end()
    }

    fn last_epoch(&self) -> Epoch {
        self.log.reader().latest_epoch().map_or(Epoch::NONE, |epoch| Epoch(epoch.0))
    }

    fn append(&mut self, epoch: Epoch, records: &[Bytes], now: WallTime) -> io::Result<Offset> {
        let mut builder = BatchBuilder::new();
        for value in records {
            builder.push(NewRecord { timestamp: now, value: Some(value), ..NewRecord::default() });
        }
        self.append_batch(epoch, builder.build(), now)
    }

    fn append_control(
        &mut self,
        epoch: Epoch,
        control: &ControlBatch,
        now: WallTime,
    ) -> io::Result<Offset> {
        let batch = control::encode(control, self.log_end(), leader_epoch(epoch), now);
        self.append_batch(epoch, batch, now)
    }

    fn truncate_to(&mut self, end: Offset, now: WallTime) -> io::Result<()> {
        self.log.truncate_to(end, now).map_err(io::Error::other)
    }

    fn trim_to(&mut self, start: Offset) -> io::Result<()> {
        self.remove_let_go();
        let trimmed = self.log.advance_log_start(start);
        self.let_go = self.log.take_deleted();
        trimmed.map(|_| ()).map_err(|error| match error.is_full() {
            true => io::Error::new(io::ErrorKind::StorageFull, error),
            false => io::Error::other(error),
        })
    }

    fn restart_at(&mut self, start: Offset, now: WallTime) -> io::Result<()> {
        self.remove_let_go();
        let restarted = self.log.reset_to(start, now);
        self.let_go = self.log.take_deleted();
        restarted.map_err(io::Error::other)
    }

    fn find_snapshot(&self, from: Offset) -> io::Result<Option<LogMark>> {
        let found = metadata_snapshot::newest_in(&self.disk, &self.log.reader(), from);
        let mark = found.as_ref().map(|(id, _)| id.mark());
        *self.image() = found.map(|(id, image)| (id.mark(), image));
        Ok(mark)
    }

    fn newest_snapshot(&self) -> Option<LogMark> {
        let found = metadata_snapshot::list(&self.disk, self.log.reader().dir()).ok()?;
        found.last().map(|id| id.mark())
    }

    fn read_snapshot(
        &self,
        of: LogMark,
        position: u64,
        bytes_max: usize,
    ) -> io::Result<Option<(u64, Bytes)>> {
        let (id, reader) = (SnapshotId::from(of), self.log.reader());
        match metadata_snapshot::read_part(&self.disk, reader.dir(), id, position, bytes_max) {
            Ok(part) => Ok(Some(part)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put_snapshot_part(&mut self, of: LogMark, position: u64, part: &[u8]) -> io::Result<()> {
        snapshots::put_part(&self.disk, self.log.reader().dir(), of.into(), position, part)
    }

    fn complete_snapshot(&mut self, of: LogMark) -> io::Result<bool> {
        let image = snapshots::complete(&self.disk, self.log.reader().dir(), of.into())?;
        let is_whole = image.is_some();
        *self.image() = image.map(|image| (of, image));
        Ok(is_whole)
    }

    fn quorum_state(&self) -> io::Result<Option<Vec<u8>>> {
        match self.disk.read_file(&self.quorum_state_path(), QUORUM_STATE_BYTES_MAX) {
            Ok(state) => Ok(Some(state)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn set_quorum_state(&mut self, state: &[u8]) -> io::Result<()> {
        let path = self.quorum_state_path();
        self.disk.replace_file(&path, state)?;
        // The directory itself may be as young as its first vote.
        let home = path.parent().and_then(std::path::Path::parent);
        home.map_or(Ok(()), |home| self.disk.sync_dir(home))
    }

    fn has_room(&self, bytes: usize) -> bool {
        let space = self.disk.space(self.log.reader().dir());
        // Another error is the append's to find.
        space.map_or(true, |(_, usable)| usable >= bytes as u64 + METADATA_SPARE_BYTES)
    }

    fn read(&self, from: Offset) -> io::Result<Option<LogBatch>> {
        let reader = self.log.reader();
        if from >= reader.log_end() {
            return Ok(None);
        }
        let slice = reader
            .read(from, METADATA_READ_BYTES, reader.log_end(), true)
            .map_err(io::Error::other)?;
        let batch = RecordBatch::parse(&slice.bytes).map_err(io::Error::other)?;
        let header = batch.header();
        let found = batch.records().map_err(io::Error::other)?.collect::<Result<Vec<_>, _>>();
        let found = found.map_err(io::Error::other)?;
        let (records, control) = match header.is_control() {
            true => (Vec::new(), Some(control::batch_of(&found)?)),
            false => (found.into_iter().filter_map(|record| record.value).collect(), None),
        };
        Ok(Some(LogBatch {
            epoch: Epoch(header.leader_epoch.0),
            base_offset: batch.base_offset(),
            last_offset: batch.last_offset(),
            appended_at: header.max_timestamp,
            records,
            control,
        }))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.log.flush().map(|_| ()).map_err(io::Error::other)
    }
}

fn leader_epoch(epoch: Epoch) -> LeaderEpoch {
    LeaderEpoch(epoch.0)
}
