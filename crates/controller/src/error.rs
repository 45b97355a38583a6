use protocol::Str;
use types::ErrorCode;

/// What a response says went wrong with one thing that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub code: ErrorCode,
    /// In Kafka's words where users see it; `None` where Kafka sends none.
    pub message: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError { code, message: Some(message.into()) }
    }

    /// Without words of its own.
    pub fn code(code: ErrorCode) -> ApiError {
        ApiError { code, message: None }
    }

    pub fn invalid_request(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorCode::InvalidRequest, message)
    }

    pub(crate) fn unknown_topic_or_partition() -> ApiError {
        let message = "This server does not host this topic-partition.";
        ApiError::new(ErrorCode::UnknownTopicOrPartition, message)
    }

    pub(crate) fn unknown_topic_id() -> ApiError {
        ApiError::new(ErrorCode::UnknownTopicId, "This server does not host this topic ID.")
    }

    pub(crate) fn too_many_records() -> ApiError {
        let message = "Unable to perform excessively large batch operation.";
        ApiError::new(ErrorCode::PolicyViolation, message)
    }
}

/// The two fields of a response for how something went.
pub(crate) fn outcome<T>(result: &Result<T, ApiError>) -> (i16, Option<Str>) {
    match result {
        Ok(_) => (ErrorCode::None.code(), None),
        Err(error) => (error.code.code(), error.message.as_ref().map(Str::from)),
    }
}
