//! Formats 0 and 1, which Kafka wrote before 0.11 and up to 3.x where told to: read, to adopt old
//! directories, and turned into format 2. Never produced.
//!
//!   | offset i64 | size i32 | crc u32 | magic i8 | attributes i8 | [1: timestamp i64] |
//!   | key length i32 | key | value length i32 | value |
//!
//! A compressed entry's value is a run of entries of its own; its offset is that of the last of
//! them. docs/formats/record-batch.md#formats-0-and-1

use bytes::{Buf, Bytes};
use types::{Offset, WallTime};

use crate::batch::RecordBatch;
use crate::builder::BatchBuilder;
use crate::checksum::crc32;
use crate::compression::{self, Compression};
use crate::error::BatchError;
use crate::header::TimestampType;
use crate::limits;
use crate::record::Record;

const SIZE_AT: usize = 8;
const ENTRY_AT: usize = 12;
const CRC_AT: usize = 12;
const MAGIC_AT: usize = 16;
const ATTRIBUTES_AT: usize = 17;
const TIMESTAMP_AT: usize = 18;
/// CRC, magic, attributes, key length and value length.
const ENTRY_BYTES_MIN: i32 = 14;

const CODEC_BITS: u8 = 0x07;
const LOG_APPEND_TIME_BIT: u8 = 0x08;

/// One entry of an old message set: a record, or a compressed run of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AbstractLegacyRecordBatch")]
pub struct LegacyEntry {
    offset: Offset,
    magic: i8,
    attributes: u8,
    timestamp: WallTime,
    key: Option<Bytes>,
    value: Option<Bytes>,
    bytes: Bytes,
}

impl LegacyEntry {
    /// The entry at the start of `bytes`; what follows it is left alone. The checksum is not looked
    /// at.
    ///
    /// # Errors
    /// [`BatchError::Torn`], [`BatchError::BadLength`], [`BatchError::BadMagic`] for anything but 0
    /// and 1,
    /// [`BatchError::BadRecord`] if key and value do not fill the entry.
    pub fn parse(bytes: &Bytes) -> Result<LegacyEntry, BatchError> {
        let torn = |needed| BatchError::Torn { needed, available: bytes.len() };
        let size = bytes.get(SIZE_AT..ENTRY_AT).ok_or(torn(ENTRY_AT))?.get_i32();
        if size < ENTRY_BYTES_MIN {
            return Err(BatchError::BadLength(size));
        }
        let needed = ENTRY_AT.saturating_add(size as usize);
        let magic = *bytes.get(MAGIC_AT).ok_or(torn(needed))? as i8;
        if !(0..=1).contains(&magic) {
            return Err(BatchError::BadMagic(magic));
        }
        if bytes.len() < needed {
            return Err(torn(needed));
        }
        let bytes = bytes.slice(..needed);
        LegacyEntry::fields(&bytes, magic)
            .ok_or(BatchError::BadRecord { index: 0, what: "key and value do not fill the entry" })
    }

    fn fields(bytes: &Bytes, magic: i8) -> Option<LegacyEntry> {
        let offset = Offset(bytes.get(..SIZE_AT)?.get_i64());
        let attributes = *bytes.get(ATTRIBUTES_AT)?;
        let mut rest = bytes.get(TIMESTAMP_AT..)?;
        let timestamp = match magic {
            0 => WallTime::NONE,
            _ => WallTime(rest.try_get_i64().ok()?),
        };
        let key = take_nullable(&mut rest)?.map(|key| bytes.slice_ref(key));
        let value = take_nullable(&mut rest)?.map(|value| bytes.slice_ref(value));
        let bytes = bytes.clone();
        let whole = rest.is_empty();
        whole.then_some(LegacyEntry { offset, magic, attributes, timestamp, key, value, bytes })
    }

    /// Of the last record in here.
    pub fn last_offset(&self) -> Offset {
        self.offset
    }

    pub fn magic(&self) -> i8 {
        self.magic
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The latest of the records' timestamps; [`WallTime::NONE`] in format 0.
    pub fn max_timestamp(&self) -> WallTime {
        self.timestamp
    }

    pub fn timestamp_type(&self) -> TimestampType {
        match self.magic > 0 && self.attributes & LOG_APPEND_TIME_BIT != 0 {
            true => TimestampType::LogAppendTime,
            false => TimestampType::CreateTime,
        }
    }

    /// # Errors
    /// [`BatchError::UnknownCodec`], for zstd too: it came with format 2.
    pub fn compression(&self) -> Result<Compression, BatchError> {
        match Compression::from_id(self.attributes & CODEC_BITS)? {
            Compression::Zstd => Err(BatchError::UnknownCodec(Compression::Zstd.id())),
            codec => Ok(codec),
        }
    }

    /// Whether the checksum belongs to the bytes.
    ///
    /// # Errors
    /// [`BatchError::BadChecksum`]
    pub fn verify_crc(&self) -> Result<(), BatchError> {
        let stored = (&self.bytes[CRC_AT..MAGIC_AT]).get_u32();
        let computed = crc32(&self.bytes[MAGIC_AT..]);
        match stored == computed {
            true => Ok(()),
            false => Err(BatchError::BadChecksum { stored, computed }),
        }
    }

    /// The records with their absolute offsets.
    ///
    /// # Errors
    /// What is wrong with the compressed run, or with an entry in it.
    pub fn records(&self) -> Result<Vec<Record>, BatchError> {
        let codec = self.compression()?;
        if codec == Compression::None {
            return Ok(vec![self.record(self.offset, self)]);
        }
        let bad = |what| BatchError::BadRecord { index: 0, what };
        let block = self.value.as_ref().ok_or(bad("a compressed entry has no value"))?;
        let limit = limits::decompressed_bytes_max(block.len());
        let run = compression::decompress_legacy(codec, block, self.magic, limit)?;
        let inner = entries(&run).collect::<Result<Vec<LegacyEntry>, BatchError>>()?;
        let last = inner.last().ok_or(bad("a compressed entry holds no records"))?.offset;
        if inner.iter().any(|entry| entry.attributes & CODEC_BITS != 0) {
            return Err(bad("a compressed entry holds compressed entries"));
        }
        // Format 1 counts inside from 0, and the entry has the offset of the last. One with offset
        // 0 was never through a broker's hands and counts from 0 as well (old librdkafka). Format 0
        // is absolute.
        let base = match (self.magic, self.offset) {
            (0, _) | (_, Offset::ZERO) => 0,
            (_, outer) if outer < last => return Err(bad("its offset precedes its records")),
            (_, outer) => outer.since(last),
        };
        Ok(inner.iter().map(|entry| self.record(entry.offset.plus(base), entry)).collect())
    }

    /// `entry`'s record, with the time that this outer entry lends it.
    fn record(&self, offset: Offset, entry: &LegacyEntry) -> Record {
        let timestamp = match self.timestamp_type() {
            TimestampType::LogAppendTime if entry.magic > 0 => self.timestamp,
            _ => entry.timestamp,
        };
        Record {
            offset,
            timestamp,
            key: entry.key.clone(),
            value: entry.value.clone(),
            headers: Vec::new(),
        }
    }

    /// The same records as a batch of format 2: offsets, timestamps and codec kept.
    ///
    /// # Errors
    /// Those of [`records`](Self::records); [`BatchError::BadRecord`] if offsets do not grow.
    pub fn to_format_2(&self) -> Result<RecordBatch, BatchError> {
        let records = self.records()?;
        let first = records.first().map_or(self.offset, |record| record.offset);
        let mut builder = BatchBuilder::new().base_offset(first).compression(self.compression()?);
        if self.timestamp_type() == TimestampType::LogAppendTime {
            builder = builder.log_append_time(self.timestamp);
        }
        let mut next = first;
        for (index, record) in (0..).zip(&records) {
            let span = record.offset.since(first);
            if record.offset < next || span > i64::from(i32::MAX) {
                let what = "its offset does not follow the one before";
                return Err(BatchError::BadRecord { index, what });
            }
            builder.push_record(record);
            next = record.offset.plus(1);
        }
        Ok(builder.build())
    }
}

/// A length and as many bytes; −1 means null.
fn take_nullable<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match rest.try_get_i32().ok()? {
        length if length < 0 => Some(None),
        length => {
            let (piece, after) = rest.split_at_checked(length as usize)?;
            *rest = after;
            Some(Some(piece))
        }
    }
}

/// The entries in `bytes`, one after another. Checksums stay unchecked. Ends after the first error.
pub fn entries(bytes: &Bytes) -> Entries {
    Entries { rest: bytes.clone() }
}

/// See [`entries`].
#[derive(Clone, Debug)]
pub struct Entries {
    rest: Bytes,
}

impl Iterator for Entries {
    type Item = Result<LegacyEntry, BatchError>;

    fn next(&mut self) -> Option<Result<LegacyEntry, BatchError>> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = LegacyEntry::parse(&self.rest);
        match &entry {
            Ok(entry) => self.rest = self.rest.slice(entry.size_bytes()..),
            Err(_) => self.rest = Bytes::new(),
        }
        Some(entry)
    }
}

/// What a segment from an old cluster may hold: all three formats, side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    Batch(RecordBatch),
    Legacy(LegacyEntry),
}

impl Stored {
    /// Whatever is at the start of `bytes`.
    ///
    /// # Errors
    /// Those of [`RecordBatch::parse`] and [`LegacyEntry::parse`].
    pub fn parse(bytes: &Bytes) -> Result<Stored, BatchError> {
        match RecordBatch::parse(bytes) {
            Err(BatchError::LegacyMagic(_)) => LegacyEntry::parse(bytes).map(Stored::Legacy),
            parsed => parsed.map(Stored::Batch),
        }
    }

    pub fn size_bytes(&self) -> usize {
        match self {
            Stored::Batch(batch) => batch.size_bytes(),
            Stored::Legacy(entry) => entry.size_bytes(),
        }
    }

    /// The batch in format 2, after its checksum was found right.
    ///
    /// # Errors
    /// Those of `verify_crc` and of [`LegacyEntry::to_format_2`].
    pub fn into_batch(self) -> Result<RecordBatch, BatchError> {
        match self {
            Stored::Batch(batch) => batch.verify_crc().map(|()| batch),
            Stored::Legacy(entry) => entry.verify_crc().and_then(|()| entry.to_format_2()),
        }
    }
}
