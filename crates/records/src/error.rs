use std::fmt;

use types::ErrorCode;

use crate::compression::Compression;

/// Why bytes are not a record batch, or not the records they claim to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// The bytes end inside a batch. Normal at the end of a fetched slice or after a crash.
    Torn { needed: usize, available: usize },
    /// The length field cannot be right.
    BadLength(i32),
    /// Not 0, 1 or 2.
    BadMagic(i8),
    /// Format 0 or 1, where only format 2 is expected: see [`crate::legacy`].
    LegacyMagic(i8),
    /// The stored checksum does not belong to these bytes.
    BadChecksum { stored: u32, computed: u32 },
    /// Attribute bits 0–2 name no codec.
    UnknownCodec(u8),
    /// The compressed block cannot be decoded.
    Undecodable(Compression),
    /// The compressed block holds more than its size allows: see [`crate::limits`].
    TooLargeDecompressed { limit: usize },
    /// The record count is negative, or cannot fit into the bytes.
    BadCount(i32),
    /// Bytes are left after the last record.
    TrailingBytes,
    /// A record is malformed: what is wrong, and its index in the batch.
    BadRecord { index: u32, what: &'static str },
    /// The key or value of a control record cannot be read.
    BadControlRecord,
}

impl BatchError {
    /// What Kafka tells a producer who sent this.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            BatchError::Torn { .. }
            | BatchError::BadLength(_)
            | BatchError::BadMagic(_)
            | BatchError::BadChecksum { .. } => ErrorCode::CorruptMessage,
            BatchError::UnknownCodec(_) => ErrorCode::UnsupportedCompressionType,
            BatchError::LegacyMagic(_)
            | BatchError::Undecodable(_)
            | BatchError::TooLargeDecompressed { .. }
            | BatchError::BadCount(_)
            | BatchError::TrailingBytes
            | BatchError::BadRecord { .. }
            | BatchError::BadControlRecord => ErrorCode::InvalidRecord,
        }
    }

    /// Whether more bytes could make this a batch.
    pub fn is_torn(&self) -> bool {
        matches!(self, BatchError::Torn { .. })
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::Torn { needed, available } => {
                write!(f, "the batch needs {needed} bytes, but only {available} are there")
            }
            BatchError::BadLength(length) => write!(f, "batch length {length} is impossible"),
            BatchError::BadMagic(magic) => write!(f, "magic {magic} is unknown"),
            BatchError::LegacyMagic(magic) => {
                write!(f, "magic {magic} is an old format, only magic 2 is accepted here")
            }
            BatchError::BadChecksum { stored, computed } => {
                write!(f, "stored checksum {stored:#010x}, computed {computed:#010x}")
            }
            BatchError::UnknownCodec(id) => write!(f, "compression codec {id} is unknown"),
            BatchError::Undecodable(codec) => write!(f, "the {codec} block cannot be decoded"),
            BatchError::TooLargeDecompressed { limit } => {
                write!(f, "the batch expands to more than {limit} bytes")
            }
            BatchError::BadCount(count) => write!(f, "record count {count} is impossible"),
            BatchError::TrailingBytes => f.write_str("bytes are left after the last record"),
            BatchError::BadRecord { index, what } => write!(f, "record {index}: {what}"),
            BatchError::BadControlRecord => f.write_str("the control record cannot be read"),
        }
    }
}

impl std::error::Error for BatchError {}
