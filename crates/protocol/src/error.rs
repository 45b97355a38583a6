use std::fmt;

/// Why bytes are not the message they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Bytes into the frame.
    pub at: usize,
    pub kind: DecodeErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// A value reaches past the end of the frame, or of the tagged field it is in.
    Truncated {
        wanted: usize,
        remaining: usize,
    },
    /// An array claims more elements than the remaining bytes can hold.
    ArrayTooLong {
        elements: usize,
        remaining: usize,
    },
    /// Lengths below -1.
    NegativeLength(i32),
    /// Null where a value must be.
    UnexpectedNull,
    /// A varint of more than 32 bits.
    VarintTooLong,
    /// More tagged fields than `limits::TAGS_MAX`.
    TooManyTags(u32),
    /// One frame would take more memory than `limits` allow.
    TooMuchMemory,
    UnsupportedVersion {
        message: &'static str,
        version: i16,
    },
    UnknownApiKey(i16),
    /// Bytes left after the end of the message.
    TrailingBytes(usize),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DecodeErrorKind::*;
        match self.kind {
            Truncated { wanted, remaining } => {
                write!(f, "{wanted} bytes wanted where {remaining} remain")
            }
            ArrayTooLong { elements, remaining } => {
                write!(f, "an array of {elements} elements cannot fit in {remaining} bytes")
            }
            NegativeLength(length) => write!(f, "a length of {length}"),
            UnexpectedNull => f.write_str("null where a value must be"),
            VarintTooLong => f.write_str("a varint of more than 32 bits"),
            TooManyTags(count) => write!(f, "{count} tagged fields in one struct"),
            TooMuchMemory => f.write_str("arrays or text that would take too much memory"),
            UnsupportedVersion { message, version } => {
                write!(f, "{message} has no version {version}")
            }
            UnknownApiKey(key) => write!(f, "unknown API key {key}"),
            TrailingBytes(count) => write!(f, "{count} bytes after the end of the message"),
        }?;
        write!(f, " (at byte {})", self.at)
    }
}

impl std::error::Error for DecodeError {}

/// Why a struct cannot be sent in a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    pub message: &'static str,
    pub version: i16,
    pub kind: EncodeErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeErrorKind {
    UnsupportedVersion,
    /// The field is set, the version has no place for it, and it is too important to drop.
    FieldNotInVersion(&'static str),
    /// The field is null in a version that cannot say so.
    NullField(&'static str),
    /// Longer than the length prefix can tell.
    TooLong(usize),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}: ", self.message, self.version)?;
        match self.kind {
            EncodeErrorKind::UnsupportedVersion => f.write_str("no such version"),
            EncodeErrorKind::FieldNotInVersion(field) => {
                write!(f, "{field} is set but does not exist in this version")
            }
            EncodeErrorKind::NullField(field) => write!(f, "{field} must not be null"),
            EncodeErrorKind::TooLong(length) => {
                write!(f, "a value of {length} bytes or elements is too long to send")
            }
        }
    }
}

impl std::error::Error for EncodeError {}
