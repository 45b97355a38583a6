use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use types::{ErrorCode, Offset, ProducerEpoch, ProducerId, Sequence};

/// The world broke: a disk error, or our own bytes are not what we wrote. `KAFKA_STORAGE_ERROR`.
///
/// After one of these a log is poisoned: everything it is asked answers
/// [`Poisoned`](StorageError::Poisoned) until it is opened anew.
#[derive(Clone, Debug)]
pub enum StorageError {
    Io {
        /// Present tense: "append batch", "open segment".
        what: &'static str,
        path: PathBuf,
        kind: io::ErrorKind,
        message: String,
    },
    /// A file of ours does not parse, or a checksum does not fit.
    Corrupt { path: PathBuf, why: String },
    /// An earlier error of this log or its directory; the first one was reported when it happened.
    Poisoned { path: PathBuf },
}

impl StorageError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StorageError {
        move |error| StorageError::Io {
            what,
            path: path.to_owned(),
            kind: error.kind(),
            message: error.to_string(),
        }
    }

    pub(crate) fn corrupt(path: &Path, why: impl Into<String>) -> StorageError {
        StorageError::Corrupt { path: path.to_owned(), why: why.into() }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, StorageError::Io { kind: io::ErrorKind::NotFound, .. })
    }

    /// There was no room for what was to be written. A sync that finds none is another matter: what
    /// was written before it is lost.
    pub fn is_full(&self) -> bool {
        let StorageError::Io { what, kind, .. } = self else { return false };
        matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            && !what.starts_with("sync")
    }

    pub fn error_code(&self) -> ErrorCode {
        ErrorCode::KafkaStorageError
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageError::Io { what, path, message, .. } => {
                write!(f, "cannot {what} {}: {message}", path.display())
            }
            StorageError::Corrupt { path, why } => {
                write!(f, "{} is corrupt: {why}", path.display())
            }
            StorageError::Poisoned { path } => {
                write!(f, "{} is offline after an earlier disk error", path.display())
            }
        }
    }
}

impl std::error::Error for StorageError {}

/// Why a batch was not appended.
#[derive(Clone, Debug)]
pub enum AppendError {
    /// Neither the next sequence nor a repeat of one of the last five batches, or a new producer
    /// epoch that does not start at 0. → `OUT_OF_ORDER_SEQUENCE_NUMBER`
    OutOfOrderSequence {
        producer: ProducerId,
        epoch: ProducerEpoch,
        expected: Sequence,
        got: Sequence,
    },
    /// A newer incarnation of the producer has written here. → `INVALID_PRODUCER_EPOCH`
    FencedProducer { producer: ProducerId, current: ProducerEpoch, got: ProducerEpoch },
    /// A batch outside a transaction while one is open, or a marker without one where the protocol
    /// forbids it. → `INVALID_TXN_STATE`
    InvalidTransactionState { producer: ProducerId, why: &'static str },
    /// A marker of an older transaction coordinator. → `TRANSACTION_COORDINATOR_FENCED`
    CoordinatorFenced { producer: ProducerId, current: i32, got: i32 },
    /// One batch cannot be larger than a segment. → `RECORD_LIST_TOO_LARGE`
    LargerThanSegment { batch_bytes: u64, segment_bytes: u64 },
    /// A replicated batch does not follow on the log end. → `UNKNOWN_SERVER_ERROR`
    OffsetNotMonotonic { log_end: Offset, got: Offset },
    /// A replicated batch fails its checksum or does not parse. → `CORRUPT_MESSAGE`
    Corrupt { at: Offset, why: String },
    /// The disk is nearly full, what is left is not for clients. Nothing was changed; later there
    /// may be room. → `KAFKA_STORAGE_ERROR`, which clients retry
    NoSpace { path: PathBuf, usable: u64, reserve: u64 },
    /// The disk failed; the log is poisoned until it is opened anew, unless the error
    /// [`is_full`](StorageError::is_full). → `KAFKA_STORAGE_ERROR`
    Storage(StorageError),
}

impl AppendError {
    pub fn error_code(&self) -> ErrorCode {
        match self {
            AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
            AppendError::FencedProducer { .. } => ErrorCode::InvalidProducerEpoch,
            AppendError::InvalidTransactionState { .. } => ErrorCode::InvalidTxnState,
            AppendError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
            AppendError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
            AppendError::OffsetNotMonotonic { .. } => ErrorCode::UnknownServerError,
            AppendError::Corrupt { .. } => ErrorCode::CorruptMessage,
            AppendError::NoSpace { .. } => ErrorCode::KafkaStorageError,
            AppendError::Storage(error) => error.error_code(),
        }
    }
}

impl From<StorageError> for AppendError {
    fn from(error: StorageError) -> AppendError {
        AppendError::Storage(error)
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendError::OutOfOrderSequence { producer, epoch, expected, got } => write!(
                f,
                "producer {producer} (epoch {epoch}) sent sequence {got}, expected {expected}"
            ),
            AppendError::FencedProducer { producer, current, got } => {
                write!(f, "producer {producer} has epoch {current} here, {got} is fenced")
            }
            AppendError::InvalidTransactionState { producer, why } => {
                write!(f, "producer {producer}: {why}")
            }
            AppendError::CoordinatorFenced { producer, current, got } => write!(
                f,
                "marker for producer {producer} of coordinator epoch {got}, {current} is known"
            ),
            AppendError::LargerThanSegment { batch_bytes, segment_bytes } => {
                write!(f, "a batch of {batch_bytes} bytes exceeds segment.bytes={segment_bytes}")
            }
            AppendError::OffsetNotMonotonic { log_end, got } => {
                write!(f, "batch at offset {got} does not follow on the log end {log_end}")
            }
            AppendError::Corrupt { at, why } => write!(f, "batch at offset {at}: {why}"),
            AppendError::NoSpace { path, usable, reserve } => write!(
                f,
                "{} has {usable} bytes left and keeps {reserve} in reserve; records are taken \
                 again when there is room",
                path.display()
            ),
            AppendError::Storage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AppendError {}

/// Why nothing could be read.
#[derive(Clone, Debug)]
pub enum ReadError {
    /// Below the log start or above the log end. → `OFFSET_OUT_OF_RANGE`
    OffsetOutOfRange { asked: Offset, log_start: Offset, log_end: Offset },
    /// The log was truncated or deleted while it was read, again and again. →
    /// `NOT_LEADER_OR_FOLLOWER`
    Moved,
    /// What lies in the log where a batch should be is not what was written. Other offsets can be
    /// read. → `CORRUPT_MESSAGE`
    Corrupt {
        path: PathBuf,
        /// The batch's base offset; the offset asked for if nothing there says so.
        at: Offset,
        why: String,
        /// Nobody has met it before: worth a line in the log.
        is_first: bool,
    },
    /// The disk failed. → `KAFKA_STORAGE_ERROR`
    Storage(StorageError),
}

impl ReadError {
    pub fn error_code(&self) -> ErrorCode {
        match self {
            ReadError::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            ReadError::Moved => ErrorCode::NotLeaderOrFollower,
            ReadError::Corrupt { .. } => ErrorCode::CorruptMessage,
            ReadError::Storage(error) => error.error_code(),
        }
    }
}

impl From<StorageError> for ReadError {
    fn from(error: StorageError) -> ReadError {
        ReadError::Storage(error)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::OffsetOutOfRange { asked, log_start, log_end } => {
                write!(f, "offset {asked} is outside the log, which spans {log_start} to {log_end}")
            }
            ReadError::Moved => f.write_str("the log was truncated while it was read"),
            ReadError::Corrupt { path, at, why, .. } => {
                write!(f, "{} is corrupt at offset {at}: {why}", path.display())
            }
            ReadError::Storage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {}
