//! The metadata log on disk: `__cluster_metadata-0`, Kafka record batches in a partition log.
//!
//! The consensus engine sees opaque records; Kafka's `kafka-dump-log --cluster-metadata-decoder`
//! sees what it knows. Format: docs/formats/metadata-log.md.

use std::io;

use bytes::Bytes;
use consensus::{Epoch, LogBatch, MetadataLog};
use env::Disk;
use records::control::{ControlRecord, LeaderChange, VoterId};
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchBuilder, NewRecord, RecordBatch};
use storage::{AppendContext, AppendError, PartitionLog, StorageError};
use types::{BrokerId, LeaderEpoch, Offset, WallTime};

use crate::limits::METADATA_READ_BYTES;

/// The single voter's log, kept by storage.
pub struct StoredMetadataLog<D: Disk> {
    log: PartitionLog<D>,
    voter: BrokerId,
}

impl<D: Disk> StoredMetadataLog<D> {
    pub fn new(log: PartitionLog<D>, voter: BrokerId) -> StoredMetadataLog<D> {
        StoredMetadataLog { log, voter }
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

    fn append_leader_change(&mut self, epoch: Epoch, now: WallTime) -> io::Result<Offset> {
        let voters = vec![VoterId { id: self.voter, directory: None }];
        let change =
            LeaderChange { leader: self.voter, voters: voters.clone(), granting_voters: voters };
        let batch = ControlRecord::LeaderChange(change).quorum_batch(
            self.log_end(),
            leader_epoch(epoch),
            now,
        );
        self.append_batch(epoch, batch, now)
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
        let mut values = Vec::new();
        if !header.is_control() {
            for record in batch.records().map_err(io::Error::other)? {
                values.extend(record.map_err(io::Error::other)?.value);
            }
        }
        Ok(Some(LogBatch {
            epoch: Epoch(header.leader_epoch.0),
            base_offset: batch.base_offset(),
            last_offset: batch.last_offset(),
            appended_at: header.max_timestamp,
            records: values,
        }))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.log.flush().map(|_| ()).map_err(io::Error::other)
    }
}

fn leader_epoch(epoch: Epoch) -> LeaderEpoch {
    LeaderEpoch(epoch.0)
}
