//! What compaction makes of a batch.   docs/formats/record-batch.md#after-compaction

use bytes::BytesMut;
use types::WallTime;

use crate::batch::RecordBatch;
use crate::builder::{self, BatchBuilder};
use crate::compression::Compressor;
use crate::error::BatchError;
use crate::header::{BatchHeader, patch_timestamps};
use crate::record::Record;

/// What is left of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "BatchFilterResult")]
pub enum Retained {
    /// All of it, byte for byte.
    Unchanged,
    /// These records, or the same ones with a delete horizon. The offsets it spans are the old
    /// ones.
    Rewritten(RecordBatch),
    /// No record. [`RecordBatch::emptied`] keeps what the producer's state and the next offset
    /// need.
    Nothing,
}

impl RecordBatch {
    /// Keeps the records that `keep` says. A batch that holds a tombstone afterwards, or is a
    /// marker that `ends_empty_transaction`, gets `horizon` as its delete horizon unless it has
    /// one.
    ///
    /// Base offset, last offset, codec and producer stay, so that duplicates are still known and
    /// nobody waits for an offset that never comes; timestamp deltas are counted anew from the
    /// first record kept.
    ///
    /// # Errors
    /// What reading the records runs into.
    ///
    /// # Source
    /// Kafka `MemoryRecords.filterTo`, KIP-534.
    pub fn retain(
        &self,
        horizon: WallTime,
        ends_empty_transaction: bool,
        mut keep: impl FnMut(&Record) -> bool,
    ) -> Result<Retained, BatchError> {
        let mut kept = Vec::new();
        let mut dropped = false;
        let mut next = self.base_offset();
        for (index, record) in (0..).zip(self.records()?) {
            let record = record?;
            if record.offset < next || record.offset > self.last_offset() {
                return Err(BatchError::BadRecord { index, what: "its offset is out of order" });
            }
            next = record.offset.plus(1);
            match keep(&record) {
                true => kept.push(record),
                false => dropped = true,
            }
        }
        if kept.is_empty() {
            return Ok(Retained::Nothing);
        }
        let tombstones = kept.iter().any(|record| record.value.is_none());
        let had_horizon = self.header().delete_horizon();
        let new_horizon = (tombstones || ends_empty_transaction) && had_horizon.is_none();
        if !dropped && !new_horizon {
            return Ok(Retained::Unchanged);
        }
        let horizon = if new_horizon { Some(horizon) } else { had_horizon };
        let codec = Compressor::new(self.header().compression()?);
        let mut builder = BatchBuilder::like(self.header(), codec);
        if let Some(horizon) = horizon {
            builder = builder.delete_horizon(horizon);
        }
        for record in &kept {
            builder.push_record(record);
        }
        Ok(Retained::Rewritten(builder.spanning_to(self.last_offset()).build()))
    }

    /// The same with another latest timestamp: that of records which are not in here any more,
    /// where a producer's state remembers it.
    pub fn with_max_timestamp(&self, latest: WallTime) -> RecordBatch {
        let mut bytes = BytesMut::from(&self.bytes()[..]);
        let crc = patch_timestamps(&mut bytes, self.header().timestamp_type(), latest);
        let header = BatchHeader { max_timestamp: latest, crc, ..self.header().clone() };
        RecordBatch::from_parts(header, bytes.freeze())
    }

    /// The header alone: what stays of a producer's last batch when all its records went.
    pub fn emptied(&self) -> RecordBatch {
        let attributes = self.header().attributes.with_delete_horizon(false);
        let header = BatchHeader {
            base_timestamp: WallTime::NONE,
            records_count: 0,
            attributes,
            ..self.header().clone()
        };
        builder::assemble(header, Compressor::NONE, &[])
    }
}
