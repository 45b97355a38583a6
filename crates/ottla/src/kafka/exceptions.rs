//! The names and sentences of Kafka's exceptions, where its tools print them and scripts look for
//! them.

use client::{ClientError, ErrorKind};
use types::ErrorCode;

/// `org.apache.kafka.common.errors.TopicExistsException: Topic 'x' already exists.`
pub fn exception(error: &ClientError) -> String {
    format!("org.apache.kafka.common.errors.{}: {}", class(error), message(error))
}

/// The class without its package. Source: Kafka `Errors`.
pub fn class(error: &ClientError) -> String {
    match error.kind {
        ErrorKind::Broker(code) => class_of(code),
        ErrorKind::UnsupportedVersion => "UnsupportedVersionException".to_owned(),
        ErrorKind::Disconnected => "DisconnectException".to_owned(),
        _ => "TimeoutException".to_owned(),
    }
}

fn class_of(code: ErrorCode) -> String {
    match code {
        ErrorCode::CorruptMessage => "CorruptRecordException".to_owned(),
        ErrorCode::RequestTimedOut => "TimeoutException".to_owned(),
        ErrorCode::MessageTooLarge => "RecordTooLargeException".to_owned(),
        ErrorCode::StaleControllerEpoch => "ControllerMovedException".to_owned(),
        ErrorCode::RecordListTooLarge => "RecordBatchTooLargeException".to_owned(),
        ErrorCode::TopicAuthorizationFailed => "TopicAuthorizationException".to_owned(),
        ErrorCode::GroupAuthorizationFailed => "GroupAuthorizationException".to_owned(),
        ErrorCode::ClusterAuthorizationFailed => "ClusterAuthorizationException".to_owned(),
        ErrorCode::TopicAlreadyExists => "TopicExistsException".to_owned(),
        ErrorCode::InvalidConfig => "InvalidConfigurationException".to_owned(),
        ErrorCode::NonEmptyGroup => "GroupNotEmptyException".to_owned(),
        ErrorCode::UnknownServerError => "UnknownServerException".to_owned(),
        ErrorCode::OutOfOrderSequenceNumber => "OutOfOrderSequenceException".to_owned(),
        ErrorCode::DuplicateSequenceNumber => "DuplicateSequenceException".to_owned(),
        ErrorCode::KafkaStorageError => "KafkaStorageException".to_owned(),
        _ => camel_case(code.name()),
    }
}

/// `GROUP_ID_NOT_FOUND` becomes `GroupIdNotFoundException`.
fn camel_case(name: &str) -> String {
    let mut class = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        class.extend(letters.next());
        class.extend(letters.map(|letter| letter.to_ascii_lowercase()));
    }
    if !class.ends_with("Exception") {
        class.push_str("Exception");
    }
    class
}

/// `RemoveRaftVoter` becomes `REMOVE_RAFT_VOTER`, as Kafka's `ApiKeys` are called.
fn upper_snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}

/// What the tools print after the class: the broker's words, or Kafka's standing sentence.
pub fn message(error: &ClientError) -> String {
    if error.kind == ErrorKind::UnsupportedVersion {
        let api = error.what.rsplit(' ').next().unwrap_or_default();
        return format!("The node does not support {}", upper_snake(api));
    }
    let ErrorKind::Broker(code) = error.kind else { return error.why.clone() };
    let is_ours = ClientError::broker("", code.code(), None).why == error.why;
    match (is_ours, standing(code)) {
        (true, Some(sentence)) => sentence.to_owned(),
        _ => error.why.clone(),
    }
}

/// Kafka's sentence for a code that came without one. Source: Kafka `Errors`.
fn standing(code: ErrorCode) -> Option<&'static str> {
    let sentence = match code {
        ErrorCode::OffsetOutOfRange => {
            "The requested offset is not within the range of offsets maintained by the server."
        }
        ErrorCode::UnknownTopicOrPartition => "This server does not host this topic-partition.",
        ErrorCode::GroupIdNotFound => "The group id does not exist.",
        ErrorCode::NonEmptyGroup => "The group is not empty.",
        ErrorCode::GroupSubscribedToTopic => {
            "Deleting offsets of a topic is forbidden while the consumer group is actively \
             subscribed to it."
        }
        ErrorCode::UnknownMemberId => "The coordinator is not aware of this member.",
        ErrorCode::RequestTimedOut => "The request timed out.",
        ErrorCode::CoordinatorNotAvailable => "The coordinator is not available.",
        ErrorCode::NotCoordinator => "This is not the correct coordinator.",
        ErrorCode::TopicAlreadyExists => "Topic with this name already exists.",
        ErrorCode::TopicAuthorizationFailed => "Topic authorization failed.",
        ErrorCode::GroupAuthorizationFailed => "Group authorization failed.",
        ErrorCode::ClusterAuthorizationFailed => "Cluster authorization failed.",
        ErrorCode::UnsupportedVersion => "The version of API is not supported.",
        ErrorCode::TopicDeletionDisabled => "Topic deletion is disabled.",
        _ => return None,
    };
    Some(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_have_kafkas_names_and_sentences() {
        for (code, text) in [
            (69, "GroupIdNotFoundException: The group id does not exist."),
            (
                3,
                "UnknownTopicOrPartitionException: This server does not host this topic-partition.",
            ),
            (68, "GroupNotEmptyException: The group is not empty."),
            (36, "TopicExistsException: Topic with this name already exists."),
        ] {
            let error = ClientError::broker("x", code, None);
            assert_eq!(exception(&error), format!("org.apache.kafka.common.errors.{text}"));
        }
        let what = "ask 127.0.0.1:9092 for RemoveRaftVoter";
        let error = ClientError::new(ErrorKind::UnsupportedVersion, what, "none");
        assert_eq!(message(&error), "The node does not support REMOVE_RAFT_VOTER");
        let error = ClientError::broker("x", 17, Some("Topic name is invalid"));
        assert_eq!(class(&error), "InvalidTopicException");
        assert_eq!(message(&error), "Topic name is invalid");
    }
}
