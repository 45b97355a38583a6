//! Making batches.

use bytes::Bytes;
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, WallTime};

use crate::batch::RecordBatch;
use crate::compression::Compressor;
use crate::header::{self, Attributes, BatchHeader, TimestampType};
use crate::record::{Header, Record};
use crate::varint;

/// A record to be put into a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRecord<'a> {
    pub timestamp: WallTime,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    pub headers: &'a [Header],
}

/// Collects records and makes one batch of them.
///
/// Every setting may come before or after the records, but for the base offset, which comes first.
#[derive(Clone, Debug)]
#[doc(alias = "MemoryRecordsBuilder")]
pub struct BatchBuilder {
    /// Its offsets and settings; counts and times as far as records came in.
    header: BatchHeader,
    compressor: Compressor,
    append_time: Option<WallTime>,
    last_offset: Option<Offset>,
    payload: Vec<u8>,
}

impl Default for BatchBuilder {
    fn default() -> BatchBuilder {
        BatchBuilder::new()
    }
}

impl BatchBuilder {
    /// At offset 0, uncompressed, create time, without a producer: what a plain client sends.
    pub fn new() -> BatchBuilder {
        let header = BatchHeader {
            base_offset: Offset::ZERO,
            batch_length: 0,
            leader_epoch: LeaderEpoch::NONE,
            crc: 0,
            attributes: Attributes::default(),
            last_offset_delta: -1,
            base_timestamp: WallTime::NONE,
            max_timestamp: WallTime::NONE,
            producer_id: ProducerId::NONE,
            producer_epoch: ProducerEpoch::NONE,
            base_sequence: Sequence::NONE,
            records_count: 0,
        };
        BatchBuilder {
            header,
            compressor: Compressor::NONE,
            append_time: None,
            last_offset: None,
            payload: Vec::new(),
        }
    }

    /// # Panics
    /// If there are records already: their offsets are relative to it.
    pub fn base_offset(mut self, offset: Offset) -> BatchBuilder {
        assert!(self.is_empty(), "the base offset is set before the first record");
        self.header.base_offset = offset;
        self
    }

    pub fn leader_epoch(mut self, epoch: LeaderEpoch) -> BatchBuilder {
        self.header.leader_epoch = epoch;
        self
    }

    pub fn compression(mut self, compressor: impl Into<Compressor>) -> BatchBuilder {
        self.compressor = compressor.into();
        self
    }

    /// Gives all records the broker's time.
    pub fn log_append_time(mut self, now: WallTime) -> BatchBuilder {
        self.append_time = Some(now);
        self
    }

    /// Makes the batch idempotent. Markers have [`Sequence::NONE`]. Source: KIP-98.
    pub fn producer(
        mut self,
        id: ProducerId,
        epoch: ProducerEpoch,
        first: Sequence,
    ) -> BatchBuilder {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = first;
        self
    }

    pub fn transactional(mut self) -> BatchBuilder {
        self.header.attributes = self.header.attributes.with_transactional(true);
        self
    }

    /// Marks the records as ones that applications never see: see [`crate::control`].
    pub fn control(mut self) -> BatchBuilder {
        self.header.attributes = self.header.attributes.with_control(true);
        self
    }

    /// A builder with the settings of a batch that is there already, its delete horizon aside.
    pub(crate) fn like(header: &BatchHeader, compressor: Compressor) -> BatchBuilder {
        let mut builder = BatchBuilder::new();
        let counted = builder.header;
        builder.header = BatchHeader {
            attributes: header.attributes.with_delete_horizon(false),
            batch_length: counted.batch_length,
            last_offset_delta: counted.last_offset_delta,
            base_timestamp: counted.base_timestamp,
            max_timestamp: counted.max_timestamp,
            records_count: counted.records_count,
            ..header.clone()
        };
        if header.timestamp_type() == TimestampType::LogAppendTime {
            builder.append_time = Some(header.max_timestamp);
        }
        builder.compression(compressor)
    }

    /// Lets timestamps count from `horizon` and says so. Source: KIP-534.
    ///
    /// # Panics
    /// If there are records already: their timestamps are relative to it.
    pub(crate) fn delete_horizon(mut self, horizon: WallTime) -> BatchBuilder {
        assert!(self.is_empty(), "the delete horizon is set before the first record");
        self.header.base_timestamp = horizon;
        self.header.attributes = self.header.attributes.with_delete_horizon(true);
        self
    }

    /// Lets the batch end at `last`, where records have gone.
    ///
    /// # Panics
    /// If a record comes after `last`.
    pub(crate) fn spanning_to(mut self, last: Offset) -> BatchBuilder {
        assert!(self.last_offset.is_none_or(|own| own <= last), "{last} is before the last record");
        let delta = last.since(self.header.base_offset);
        self.header.last_offset_delta = offset_delta(delta);
        self
    }

    /// Appends a record at the next offset.
    ///
    /// # Panics
    /// Past `i32::MAX` records or bytes.
    pub fn push(&mut self, record: NewRecord<'_>) {
        let next = self.last_offset.map_or(self.header.base_offset, |last| last.plus(1));
        self.push_at(next, record);
    }

    /// Appends a record as it was elsewhere, at its own offset.
    ///
    /// # Panics
    /// If its offset does not follow the last one; past `i32::MAX` records or bytes.
    pub fn push_record(&mut self, record: &Record) {
        let new = NewRecord {
            timestamp: record.timestamp,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &record.headers,
        };
        self.push_at(record.offset, new);
    }

    /// Appends a record at `offset`.
    ///
    /// # Panics
    /// If `offset` does not follow the last one; past `i32::MAX` records or bytes.
    pub fn push_at(&mut self, offset: Offset, record: NewRecord<'_>) {
        let follows = self.last_offset.is_none_or(|last| last < offset);
        assert!(follows && self.header.base_offset <= offset, "offsets grow: {offset}");
        let delta = offset.since(self.header.base_offset);
        self.header.last_offset_delta = offset_delta(delta);
        if self.is_empty() && !self.header.attributes.has_delete_horizon() {
            self.header.base_timestamp = record.timestamp;
        }
        self.header.max_timestamp = self.header.max_timestamp.max(record.timestamp);
        let since_base = record.timestamp.0.wrapping_sub(self.header.base_timestamp.0);
        write_record(&mut self.payload, since_base, delta, &record);
        self.last_offset = Some(offset);
        self.header.records_count += 1;
    }

    pub fn len(&self) -> usize {
        self.header.records_count as usize
    }

    pub fn is_empty(&self) -> bool {
        self.header.records_count == 0
    }

    /// The size of the batch if it were not compressed.
    pub fn size_bytes(&self) -> usize {
        BatchHeader::BYTES + self.payload.len()
    }

    /// The batch, checksum and all.
    ///
    /// # Panics
    /// Without records, or past `i32::MAX` bytes: no client or broker may make such a batch.
    pub fn build(self) -> RecordBatch {
        assert!(!self.is_empty(), "a batch has a record");
        let BatchBuilder { mut header, compressor, append_time, payload, .. } = self;
        if let Some(now) = append_time {
            header.max_timestamp = now;
            header.attributes = header.attributes.with_timestamp_type(TimestampType::LogAppendTime);
        }
        assemble(header, compressor, &payload)
    }
}

/// Completes `header` for `payload`, which is not compressed yet, and puts them together.
pub(crate) fn assemble(
    mut header: BatchHeader,
    compressor: Compressor,
    payload: &[u8],
) -> RecordBatch {
    let mut batch = Vec::with_capacity(BatchHeader::BYTES + payload.len());
    batch.resize(BatchHeader::BYTES, 0);
    compressor.compress(payload, &mut batch);
    header.attributes = header.attributes.with_compression(compressor.codec());
    let length = batch.len() - BatchHeader::LOG_OVERHEAD;
    assert!(length <= i32::MAX as usize, "a batch has at most 2 GiB");
    header.batch_length = length as i32;
    batch[..BatchHeader::BYTES].copy_from_slice(&header.encode());
    header.crc = header::patch_checksum(&mut batch);
    RecordBatch::from_parts(header, Bytes::from(batch))
}

fn offset_delta(delta: i64) -> i32 {
    assert!(delta <= i64::from(i32::MAX), "a batch spans at most 2^31 offsets");
    delta as i32
}

fn write_record(out: &mut Vec<u8>, timestamp_delta: i64, offset_delta: i64, record: &NewRecord) {
    let headers: usize = record.headers.iter().map(header_bytes).sum();
    let length = 1
        + varint::size(timestamp_delta)
        + varint::size(offset_delta)
        + nullable_bytes(record.key)
        + nullable_bytes(record.value)
        + varint::size(record.headers.len() as i64)
        + headers;
    assert!(length <= i32::MAX as usize, "a record has at most 2 GiB");
    out.reserve(length + varint::size(length as i64));
    varint::write(out, length as i64);
    out.push(0);
    varint::write(out, timestamp_delta);
    varint::write(out, offset_delta);
    write_nullable(out, record.key);
    write_nullable(out, record.value);
    varint::write(out, record.headers.len() as i64);
    for header in record.headers {
        write_nullable(out, Some(&header.key));
        write_nullable(out, header.value.as_deref());
    }
}

fn header_bytes(header: &Header) -> usize {
    nullable_bytes(Some(&header.key)) + nullable_bytes(header.value.as_deref())
}

fn nullable_bytes(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint::size(bytes.len() as i64) + bytes.len())
}

fn write_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::write(out, -1),
        Some(bytes) => {
            varint::write(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}
