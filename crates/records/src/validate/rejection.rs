use std::fmt;

use types::ErrorCode;

use super::walk::Findings;
use crate::error::BatchError;

/// One record that made its batch unacceptable. Source: KIP-467.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The record's place in its batch, from 0.
    #[doc(alias = "BatchIndex")]
    pub batch_index: i32,
    pub message: String,
}

/// Why nothing of a batch was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RecordValidationException")]
pub struct RecordsRejected {
    pub code: ErrorCode,
    pub message: String,
    /// The records at fault, at most [`RECORD_ERRORS_MAX`](crate::limits::RECORD_ERRORS_MAX); empty
    /// if the batch is.
    pub record_errors: Vec<RecordError>,
}

impl RecordsRejected {
    pub(super) fn new(code: ErrorCode, message: String) -> RecordsRejected {
        RecordsRejected { code, message, record_errors: Vec::new() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> RecordsRejected {
        RecordsRejected::new(ErrorCode::InvalidRecord, message.into())
    }

    /// What the walk over the records found; one bad timestamp makes it a matter of timestamps.
    pub(super) fn from_records(findings: &Findings) -> Option<RecordsRejected> {
        if findings.faults == 0 {
            return None;
        }
        let (code, what) = match findings.bad_timestamp {
            true => (ErrorCode::InvalidTimestamp, "records have a timestamp out of range"),
            false => (ErrorCode::InvalidRecord, "records are invalid"),
        };
        let first = findings.errors.first().map_or("", |error| &error.message);
        let message = format!("{} {what}, the first: {first}", findings.faults);
        Some(RecordsRejected { code, message, record_errors: findings.errors.clone() })
    }
}

impl From<BatchError> for RecordsRejected {
    fn from(error: BatchError) -> RecordsRejected {
        RecordsRejected::new(error.error_code(), error.to_string())
    }
}

impl fmt::Display for RecordsRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for RecordsRejected {}
