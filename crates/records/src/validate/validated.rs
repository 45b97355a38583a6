use bytes::{Buf, Bytes, BytesMut};
use types::{LeaderEpoch, Offset, WallTime};

use crate::batch::RecordBatch;
use crate::header::{BatchHeader, TimestampType};

/// A batch that may enter a log once it has its place there: the head by itself, so that it can be
/// settled without a copy of the records, which may be part of a frame that others hold.
///
/// **Invariant:** `records.len() == header.size_bytes() - BatchHeader::BYTES`, and the checksum in
/// `header` is right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "ValidationResult")]
pub struct ValidatedBatch {
    header: BatchHeader,
    records: Bytes,
}

impl ValidatedBatch {
    /// A batch that this broker built itself.
    pub fn trusted(batch: RecordBatch) -> ValidatedBatch {
        let header = batch.header().clone();
        let mut records = batch.into_bytes();
        records.advance(BatchHeader::BYTES);
        ValidatedBatch { header, records }
    }

    /// Gives the batch its place. Outside the checksum.
    pub fn assign(&mut self, base_offset: Offset, leader_epoch: LeaderEpoch) {
        self.header.base_offset = base_offset;
        self.header.leader_epoch = leader_epoch;
    }

    /// Renews the checksum if anything changes.
    pub(super) fn set_timestamps(&mut self, kind: TimestampType, max_timestamp: WallTime) {
        if self.header.timestamp_type() == kind && self.header.max_timestamp == max_timestamp {
            return;
        }
        self.header.attributes = self.header.attributes.with_timestamp_type(kind);
        self.header.max_timestamp = max_timestamp;
        self.header.crc = self.header.checksum_with(&self.records);
    }

    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// What stands before [`records`](Self::records) in the batch as it is to be written.
    pub fn head(&self) -> [u8; BatchHeader::BYTES] {
        self.header.encode()
    }

    /// The block of records, as it came.
    pub fn records(&self) -> &Bytes {
        &self.records
    }

    pub fn size_bytes(&self) -> usize {
        self.header.size_bytes()
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

    /// The whole batch in one piece: a copy.
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.size_bytes());
        bytes.extend_from_slice(&self.head());
        bytes.extend_from_slice(&self.records);
        bytes.freeze()
    }

    /// The same batch in one piece: a copy.
    pub fn into_batch(self) -> RecordBatch {
        let bytes = self.to_bytes();
        RecordBatch::from_parts(self.header, bytes)
    }
}
