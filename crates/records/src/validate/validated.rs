use bytes::{Bytes, BytesMut};
use types::{LeaderEpoch, Offset, WallTime};

use crate::batch::RecordBatch;
use crate::header::{self, BatchHeader, TimestampType};

/// A batch that may enter a log once it has its place there.
///
/// **Invariant:** `bytes` is one whole batch, `header` is what it says, and the checksum is right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "ValidationResult")]
pub struct ValidatedBatch {
    header: BatchHeader,
    bytes: BytesMut,
}

impl ValidatedBatch {
    /// A batch that this broker built itself. Copies the bytes only if somebody else holds them
    /// too.
    pub fn trusted(batch: RecordBatch) -> ValidatedBatch {
        let header = batch.header().clone();
        let bytes = match batch.into_bytes().try_into_mut() {
            Ok(bytes) => bytes,
            Err(shared) => BytesMut::from(&shared[..]),
        };
        ValidatedBatch { header, bytes }
    }

    /// Gives the batch its place, in header and bytes alike.
    pub fn assign(&mut self, base_offset: Offset, leader_epoch: LeaderEpoch) {
        header::patch_base_offset(&mut self.bytes, base_offset);
        header::patch_leader_epoch(&mut self.bytes, leader_epoch);
        self.header.base_offset = base_offset;
        self.header.leader_epoch = leader_epoch;
    }

    /// Renews the checksum if anything changes.
    pub(super) fn set_timestamps(&mut self, kind: TimestampType, max_timestamp: WallTime) {
        if self.header.timestamp_type() == kind && self.header.max_timestamp == max_timestamp {
            return;
        }
        self.header.crc = header::patch_timestamps(&mut self.bytes, kind, max_timestamp);
        self.header.attributes = self.header.attributes.with_timestamp_type(kind);
        self.header.max_timestamp = max_timestamp;
    }

    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch, as it is to be written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn records_count(&self) -> i32 {
        self.header.records_count
    }

    pub fn max_timestamp(&self) -> WallTime {
        self.header.max_timestamp
    }

    /// What the time index notes beside the max timestamp: the batch's last offset, not that of the
    /// record, because followers and recovery do not look at records. [`Offset::NONE`] without
    /// timestamps.
    #[doc(alias = "shallowOffsetOfMaxTimestamp")]
    pub fn offset_of_max_timestamp(&self) -> Offset {
        match self.header.max_timestamp {
            WallTime::NONE => Offset::NONE,
            _ => self.header.last_offset(),
        }
    }

    /// What a producer is told beside the offset; `None` where its own timestamps count.
    pub fn log_append_time(&self) -> Option<WallTime> {
        match self.header.timestamp_type() {
            TimestampType::LogAppendTime => Some(self.header.max_timestamp),
            TimestampType::CreateTime => None,
        }
    }

    pub fn into_bytes(self) -> Bytes {
        self.bytes.freeze()
    }

    pub fn into_batch(self) -> RecordBatch {
        RecordBatch::from_parts(self.header, self.bytes.freeze())
    }
}
