//! The 61-byte head of a format 2 batch.   docs/formats/record-batch.md

use bytes::{Buf, BufMut};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, WallTime};

use crate::checksum::{crc32c, crc32c_of_two};
use crate::compression::Compression;
use crate::error::BatchError;

/// Where each field lies. All integers are big-endian.
pub mod at {
    pub const BASE_OFFSET: usize = 0;
    pub const BATCH_LENGTH: usize = 8;
    pub const LEADER_EPOCH: usize = 12;
    pub const MAGIC: usize = 16;
    pub const CRC: usize = 17;
    pub const ATTRIBUTES: usize = 21;
    pub const LAST_OFFSET_DELTA: usize = 23;
    pub const BASE_TIMESTAMP: usize = 27;
    pub const MAX_TIMESTAMP: usize = 35;
    pub const PRODUCER_ID: usize = 43;
    pub const PRODUCER_EPOCH: usize = 51;
    pub const BASE_SEQUENCE: usize = 53;
    pub const RECORDS_COUNT: usize = 57;
    pub const RECORDS: usize = 61;
}

/// What the checksum covers starts here: leader and offset can be set without touching it.
const CHECKED_FROM: usize = at::ATTRIBUTES;

/// Whose clock gave the timestamps of a batch. Source: KIP-32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// The producer's; each record has its own.
    #[default]
    CreateTime,
    /// The broker's at append; all records share the batch's max timestamp.
    LogAppendTime,
}

/// The flags of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes(pub i16);

impl Attributes {
    const CODEC: i16 = 0x07;
    const LOG_APPEND_TIME: i16 = 0x08;
    const TRANSACTIONAL: i16 = 0x10;
    const CONTROL: i16 = 0x20;
    const DELETE_HORIZON: i16 = 0x40;

    /// The codec of the records.
    ///
    /// # Errors
    /// [`BatchError::UnknownCodec`]
    pub fn compression(self) -> Result<Compression, BatchError> {
        Compression::from_id((self.0 & Attributes::CODEC) as u8)
    }

    pub fn timestamp_type(self) -> TimestampType {
        match self.has(Attributes::LOG_APPEND_TIME) {
            true => TimestampType::LogAppendTime,
            false => TimestampType::CreateTime,
        }
    }

    pub fn is_transactional(self) -> bool {
        self.has(Attributes::TRANSACTIONAL)
    }

    pub fn is_control(self) -> bool {
        self.has(Attributes::CONTROL)
    }

    pub fn has_delete_horizon(self) -> bool {
        self.has(Attributes::DELETE_HORIZON)
    }

    pub fn with_compression(self, codec: Compression) -> Attributes {
        Attributes((self.0 & !Attributes::CODEC) | i16::from(codec.id()))
    }

    pub fn with_timestamp_type(self, kind: TimestampType) -> Attributes {
        self.with(Attributes::LOG_APPEND_TIME, kind == TimestampType::LogAppendTime)
    }

    pub fn with_transactional(self, yes: bool) -> Attributes {
        self.with(Attributes::TRANSACTIONAL, yes)
    }

    pub fn with_control(self, yes: bool) -> Attributes {
        self.with(Attributes::CONTROL, yes)
    }

    pub fn with_delete_horizon(self, yes: bool) -> Attributes {
        self.with(Attributes::DELETE_HORIZON, yes)
    }

    fn has(self, bit: i16) -> bool {
        self.0 & bit != 0
    }

    fn with(self, bit: i16, yes: bool) -> Attributes {
        Attributes(if yes { self.0 | bit } else { self.0 & !bit })
    }
}

/// The parsed head of a batch; says nothing yet about whether the rest is sound.
///
/// **Invariant:** `size_bytes() >= BatchHeader::BYTES`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "DefaultRecordBatch")]
pub struct BatchHeader {
    pub base_offset: Offset,
    /// Bytes after this field: the whole batch less 12.
    pub batch_length: i32,
    /// Set by the leader at append; not under the checksum.
    pub leader_epoch: LeaderEpoch,
    pub crc: u32,
    pub attributes: Attributes,
    /// Survives compaction, so that the next offset is known even if the last record went.
    pub last_offset_delta: i32,
    /// The delete horizon instead, if the attribute says so; −1 in an emptied batch.
    pub base_timestamp: WallTime,
    pub max_timestamp: WallTime,
    pub producer_id: ProducerId,
    pub producer_epoch: ProducerEpoch,
    pub base_sequence: Sequence,
    pub records_count: i32,
}

impl BatchHeader {
    /// The size of a header, and so of the smallest batch.
    pub const BYTES: usize = at::RECORDS;
    /// Offset and length: what `batch_length` does not count.
    pub const LOG_OVERHEAD: usize = at::LEADER_EPOCH;
    pub const MAGIC: i8 = 2;

    /// Whether `bytes`, which begin with the batch of this header, are what was written.
    ///
    /// # Errors
    /// [`BatchError::Torn`] if it is not all there, [`BatchError::BadChecksum`].
    pub fn verify_crc(&self, bytes: &[u8]) -> Result<(), BatchError> {
        let needed = self.size_bytes();
        let torn = BatchError::Torn { needed, available: bytes.len() };
        let (stored, computed) = (self.crc, batch_checksum(bytes.get(..needed).ok_or(torn)?));
        match stored == computed {
            true => Ok(()),
            false => Err(BatchError::BadChecksum { stored, computed }),
        }
    }

    /// Reads the header at the start of `bytes`; the records need not be there.
    ///
    /// # Errors
    /// [`BatchError::Torn`], [`BatchError::BadLength`], [`BatchError::BadMagic`],
    /// [`BatchError::LegacyMagic`]
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        BatchHeader::check_frame(bytes)?;
        let torn = BatchError::Torn { needed: BatchHeader::BYTES, available: bytes.len() };
        let mut b = bytes.get(..BatchHeader::BYTES).ok_or(torn)?;
        let base_offset = Offset(b.get_i64());
        let batch_length = b.get_i32();
        let leader_epoch = LeaderEpoch(b.get_i32());
        b.advance(1);
        Ok(BatchHeader {
            base_offset,
            batch_length,
            leader_epoch,
            crc: b.get_u32(),
            attributes: Attributes(b.get_i16()),
            last_offset_delta: b.get_i32(),
            base_timestamp: WallTime(b.get_i64()),
            max_timestamp: WallTime(b.get_i64()),
            producer_id: ProducerId(b.get_i64()),
            producer_epoch: ProducerEpoch(b.get_i16()),
            base_sequence: Sequence(b.get_i32()),
            records_count: b.get_i32(),
        })
    }

    /// Length and magic come first, so that a bad one is told apart from a torn batch.
    fn check_frame(bytes: &[u8]) -> Result<(), BatchError> {
        let torn = BatchError::Torn { needed: BatchHeader::BYTES, available: bytes.len() };
        let mut length = bytes.get(at::BATCH_LENGTH..at::LEADER_EPOCH).ok_or(torn.clone())?;
        let length = length.get_i32();
        // The smallest entry of any format; what is less is noise, whatever the magic.
        const LENGTH_MIN: i32 = 14;
        if length < LENGTH_MIN {
            return Err(BatchError::BadLength(length));
        }
        let magic = *bytes.get(at::MAGIC).ok_or(torn)? as i8;
        match magic {
            BatchHeader::MAGIC => {
                let least = (BatchHeader::BYTES - BatchHeader::LOG_OVERHEAD) as i32;
                let most = i32::MAX - BatchHeader::LOG_OVERHEAD as i32;
                match (least..=most).contains(&length) {
                    true => Ok(()),
                    false => Err(BatchError::BadLength(length)),
                }
            }
            0 | 1 => Err(BatchError::LegacyMagic(magic)),
            _ => Err(BatchError::BadMagic(magic)),
        }
    }

    /// Writes the header with its `crc` as it stands.
    pub fn encode(&self) -> [u8; BatchHeader::BYTES] {
        let mut out = [0; BatchHeader::BYTES];
        let mut b = &mut out[..];
        b.put_i64(self.base_offset.0);
        b.put_i32(self.batch_length);
        b.put_i32(self.leader_epoch.0);
        b.put_i8(BatchHeader::MAGIC);
        b.put_u32(self.crc);
        b.put_i16(self.attributes.0);
        b.put_i32(self.last_offset_delta);
        b.put_i64(self.base_timestamp.0);
        b.put_i64(self.max_timestamp.0);
        b.put_i64(self.producer_id.0);
        b.put_i16(self.producer_epoch.0);
        b.put_i32(self.base_sequence.0);
        b.put_i32(self.records_count);
        out
    }

    /// The checksum of the batch that this header and `records` make.
    pub(crate) fn checksum_with(&self, records: &[u8]) -> u32 {
        crc32c_of_two(&self.encode()[CHECKED_FROM..], records)
    }

    /// The whole batch, header included.
    pub fn size_bytes(&self) -> usize {
        // Cannot wrap: `parse` admits no negative length, builders count what they wrote.
        BatchHeader::LOG_OVERHEAD + self.batch_length.max(0) as usize
    }

    pub fn last_offset(&self) -> Offset {
        self.base_offset.plus(i64::from(self.last_offset_delta))
    }

    /// The offset after this batch.
    pub fn next_offset(&self) -> Offset {
        self.last_offset().plus(1)
    }

    /// The sequence of the last record; [`Sequence::NONE`] if there is none.
    pub fn last_sequence(&self) -> Sequence {
        match self.base_sequence.0 {
            negative if negative < 0 => Sequence::NONE,
            _ => self.base_sequence.plus(self.last_offset_delta.max(0)),
        }
    }

    pub fn has_producer(&self) -> bool {
        self.producer_id.0 > ProducerId::NONE.0
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes.is_transactional()
    }

    pub fn is_control(&self) -> bool {
        self.attributes.is_control()
    }

    pub fn timestamp_type(&self) -> TimestampType {
        self.attributes.timestamp_type()
    }

    /// The codec of the records.
    ///
    /// # Errors
    /// [`BatchError::UnknownCodec`]
    pub fn compression(&self) -> Result<Compression, BatchError> {
        self.attributes.compression()
    }

    /// When compaction may drop the tombstones and markers in here. Source: KIP-534.
    pub fn delete_horizon(&self) -> Option<WallTime> {
        self.attributes.has_delete_horizon().then_some(self.base_timestamp)
    }
}

/// The checksum that belongs to a whole batch.
///
/// # Panics
/// If `batch` is shorter than a header.
pub fn batch_checksum(batch: &[u8]) -> u32 {
    crc32c(&batch[CHECKED_FROM..])
}

/// Gives a batch its place in the log. Outside the checksum.
///
/// # Panics
/// If `batch` is shorter than a header.
pub fn patch_base_offset(batch: &mut [u8], base_offset: Offset) {
    batch[at::BASE_OFFSET..at::BATCH_LENGTH].copy_from_slice(&base_offset.0.to_be_bytes());
}

/// Stamps a batch with the epoch of the leader that appends it. Outside the checksum.
///
/// # Panics
/// If `batch` is shorter than a header.
pub fn patch_leader_epoch(batch: &mut [u8], epoch: LeaderEpoch) {
    batch[at::LEADER_EPOCH..at::MAGIC].copy_from_slice(&epoch.0.to_be_bytes());
}

/// Sets whose clock counts and the latest timestamp, and returns the whole `batch`'s new checksum.
///
/// # Panics
/// If `batch` is shorter than a header.
pub fn patch_timestamps(batch: &mut [u8], kind: TimestampType, max_timestamp: WallTime) -> u32 {
    let field = &mut batch[at::ATTRIBUTES..at::LAST_OFFSET_DELTA];
    let attributes = Attributes((&field[..]).get_i16()).with_timestamp_type(kind);
    field.copy_from_slice(&attributes.0.to_be_bytes());
    batch[at::MAX_TIMESTAMP..at::PRODUCER_ID].copy_from_slice(&max_timestamp.0.to_be_bytes());
    patch_checksum(batch)
}

/// Makes the stored checksum true for a whole `batch`, and returns it.
///
/// # Panics
/// If `batch` is shorter than a header.
pub fn patch_checksum(batch: &mut [u8]) -> u32 {
    let crc = batch_checksum(batch);
    batch[at::CRC..at::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    crc
}
