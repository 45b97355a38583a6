use types::ErrorCode;

/// What a client of a coordinator hears when the coordinator's own append failed with `error`.
///
/// Clients of a group or transaction do not know the errors of a produce; they retry these, with
/// a new look-up of the coordinator where it may have moved.
///
/// Source: Kafka `CoordinatorOperationExceptionHelper.handleOperationException`.
pub fn error_for_failed_append(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::NetworkException => ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => ErrorCode::UnknownServerError,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn produce_errors_become_coordinator_errors() {
        let cases = [
            (ErrorCode::RequestTimedOut, ErrorCode::CoordinatorNotAvailable),
            (ErrorCode::NotEnoughReplicas, ErrorCode::CoordinatorNotAvailable),
            (ErrorCode::NotLeaderOrFollower, ErrorCode::NotCoordinator),
            (ErrorCode::KafkaStorageError, ErrorCode::NotCoordinator),
            (ErrorCode::MessageTooLarge, ErrorCode::UnknownServerError),
            (ErrorCode::NotCoordinator, ErrorCode::NotCoordinator),
        ];
        for (append, client) in cases {
            assert_eq!(error_for_failed_append(append), client, "{append}");
        }
    }
}
