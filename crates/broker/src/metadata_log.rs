//! The metadata log on disk: `__cluster_metadata-0`, Kafka record batches in a partition log.
//!
//! The consensus engine sees opaque records; Kafka's `kafka-dump-log --cluster-metadata-decoder`
//! sees what it knows. Format: docs/formats/metadata-log.md.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use consensus::{CommittedBatch, ControlBatch, Epoch, LogBatch, MetadataLog};
use env::Disk;
use metadata::{MetadataRecord, Provenance, ReplayError};
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchBuilder, NewRecord, RecordBatch};
use storage::{AppendContext, AppendError, LogReader, PartitionLog, StorageError};
use types::{LeaderEpoch, Offset, WallTime};

use crate::limits::{METADATA_READ_BYTES, METADATA_SPARE_BYTES, QUORUM_STATE_BYTES_MAX};

mod control;
#[cfg(test)]
mod tests;

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
    let decoded = batch.records.iter().map(|value| MetadataRecord::decode(value.clone()));
    let records = decoded.collect::<Result<Vec<_>, _>>().map_err(|error| at(&error))?;
    let provenance = Provenance {
        last_offset: batch.last_offset,
        epoch: batch.epoch.0,
        appended_at: batch.appended_at,
    };
    replay(provenance, &records).map_err(|error| at(&error))
}

/// A voter's log and vote, kept by storage.
pub struct StoredMetadataLog<D: Disk> {
    log: PartitionLog<D>,
    disk: D,
}

impl<D: Disk> StoredMetadataLog<D> {
    /// `disk` is the one that `log` is on.
    pub fn new(log: PartitionLog<D>, disk: D) -> StoredMetadataLog<D> {
        StoredMetadataLog { log, disk }
    }

    fn quorum_state_path(&self) -> PathBuf {
        self.log.reader().dir().join(QUORUM_STATE)
    }

    /// Reads it beside the engine that writes it.
    pub fn reader(&self) -> LogReader<D> {
        self.log.reader()
    }

    /// # Errors
    /// The disk failed; the next start recovers the log.
    pub fn close(self) -> Result<(), StorageError> {
        self.log.close()
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
