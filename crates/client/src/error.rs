//! What went wrong, told so that a person can act: what failed · why · what to do · code.

use std::fmt;

use types::ErrorCode;

/// A failed operation in four parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientError {
    /// What failed, naming the object: `create topic orders`.
    pub what: String,
    /// What was observed.
    pub why: String,
    /// What to do about it; a command if there is one.
    pub todo: Option<String>,
    pub kind: ErrorKind,
}

/// The kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Nobody answers at an address.
    Unreachable,
    /// The connection broke while an answer was due.
    Disconnected,
    /// Somebody answers too late or not at all.
    TimedOut,
    /// What came back is not Kafka's protocol.
    Malformed,
    /// The broker does not speak a version of the request that we do.
    UnsupportedVersion,
    /// The broker says no.
    Broker(ErrorCode),
    /// The request makes no sense; nothing was sent.
    Usage,
}

impl ClientError {
    pub fn new(kind: ErrorKind, what: impl Into<String>, why: impl Into<String>) -> ClientError {
        ClientError { what: what.into(), why: why.into(), todo: None, kind }
    }

    /// A broker's answer. Its own message counts; a code without one is put in words.
    pub fn broker(what: impl Into<String>, code: i16, message: Option<&str>) -> ClientError {
        let code = ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError);
        let why = match message {
            Some(message) if !message.is_empty() => message.to_owned(),
            _ => plain_words(code).to_owned(),
        };
        let mut error = ClientError::new(ErrorKind::Broker(code), what, why);
        error.todo = what_to_do(code).map(str::to_owned);
        error
    }

    pub fn usage(what: impl Into<String>, why: impl Into<String>) -> ClientError {
        ClientError::new(ErrorKind::Usage, what, why)
    }

    pub fn todo(mut self, todo: impl Into<String>) -> ClientError {
        self.todo = Some(todo.into());
        self
    }

    /// Gives the error the name of the operation that it ended.
    pub fn during(mut self, what: impl Into<String>) -> ClientError {
        self.what = what.into();
        self
    }

    /// Kafka's name of a broker's error, or ours of a failure on the way to it.
    pub fn code(&self) -> &'static str {
        match self.kind {
            ErrorKind::Unreachable => "UNREACHABLE",
            ErrorKind::Disconnected => "DISCONNECTED",
            ErrorKind::TimedOut => "TIMED_OUT",
            ErrorKind::Malformed => "NOT_KAFKA",
            ErrorKind::UnsupportedVersion => "UNSUPPORTED_VERSION",
            ErrorKind::Broker(code) => code.name(),
            ErrorKind::Usage => "USAGE",
        }
    }

    pub fn broker_code(&self) -> Option<ErrorCode> {
        match self.kind {
            ErrorKind::Broker(code) => Some(code),
            _ => None,
        }
    }

    pub fn is_broker(&self, code: ErrorCode) -> bool {
        self.kind == ErrorKind::Broker(code)
    }

    /// Whether the same request may succeed later, perhaps at another broker.
    pub fn is_retriable(&self) -> bool {
        match self.kind {
            ErrorKind::Unreachable | ErrorKind::Disconnected => true,
            ErrorKind::Broker(code) => is_retriable(code),
            _ => false,
        }
    }
}

/// Whether a broker's answer says "not now" or "not here". Source: Kafka `RetriableException`.
pub fn is_retriable(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::LeaderNotAvailable
            | ErrorCode::NotLeaderOrFollower
            | ErrorCode::RequestTimedOut
            | ErrorCode::ReplicaNotAvailable
            | ErrorCode::NetworkException
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator
            | ErrorCode::NotEnoughReplicas
            | ErrorCode::NotEnoughReplicasAfterAppend
            | ErrorCode::NotController
            | ErrorCode::KafkaStorageError
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::OffsetNotAvailable
            | ErrorCode::UnstableOffsetCommit
            | ErrorCode::ThrottlingQuotaExceeded
    )
}

/// What a code means, when the broker adds no message of its own.
fn plain_words(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::UnknownTopicOrPartition => "there is no such topic or partition",
        ErrorCode::TopicAlreadyExists => "a topic with this name already exists",
        ErrorCode::LeaderNotAvailable => "the partition has no leader at the moment",
        ErrorCode::NotLeaderOrFollower => "the broker asked is not the partition's leader",
        ErrorCode::OffsetOutOfRange => "the partition does not have this offset",
        ErrorCode::MessageTooLarge => "the batch is larger than the topic's max.message.bytes",
        ErrorCode::RequestTimedOut => "the broker gave up waiting",
        ErrorCode::GroupIdNotFound => "there is no such group",
        ErrorCode::NonEmptyGroup => "the group has members",
        ErrorCode::GroupSubscribedToTopic => "the group is subscribed to the topic",
        ErrorCode::CoordinatorNotAvailable => "the group's coordinator is not available yet",
        ErrorCode::NotCoordinator => "the broker asked is not the group's coordinator",
        ErrorCode::RebalanceInProgress => "the group is rebalancing",
        ErrorCode::UnknownMemberId => "the group does not know this member",
        ErrorCode::InvalidTopicException => "the name is not a legal topic name",
        ErrorCode::InvalidPartitions => "the number of partitions is not possible",
        ErrorCode::InvalidReplicationFactor => "the replication factor is not possible",
        ErrorCode::InvalidConfig => "a configuration value is not legal",
        ErrorCode::PolicyViolation => "a policy of the cluster forbids it",
        ErrorCode::UnsupportedVersion => "the broker does not support the version of this request",
        ErrorCode::NotEnoughReplicas => "fewer replicas are in sync than min.insync.replicas asks",
        ErrorCode::NotController => "the broker asked is not the controller",
        ErrorCode::TopicAuthorizationFailed => "access to the topic is denied",
        ErrorCode::GroupAuthorizationFailed => "access to the group is denied",
        ErrorCode::ClusterAuthorizationFailed => "access to the cluster is denied",
        ErrorCode::KafkaStorageError => "the broker's disk failed",
        ErrorCode::CorruptMessage => "the records arrived damaged",
        _ => "the broker refused",
    }
}

fn what_to_do(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::UnknownTopicOrPartition => Some("ottla topic list shows what there is"),
        ErrorCode::TopicAlreadyExists => Some("ottla topic describe NAME shows it"),
        ErrorCode::GroupIdNotFound => Some("ottla group list shows what there is"),
        ErrorCode::NonEmptyGroup | ErrorCode::GroupSubscribedToTopic => {
            Some("stop the group's consumers first; ottla group describe NAME shows them")
        }
        ErrorCode::InvalidTopicException => {
            Some("use letters, digits, `.`, `_` and `-`, at most 249 characters")
        }
        ErrorCode::MessageTooLarge => {
            Some("ottla config set topic NAME max.message.bytes=N raises the limit")
        }
        _ => None,
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · {}", self.what, self.why)?;
        if let Some(todo) = &self.todo {
            write!(f, " · {todo}")?;
        }
        write!(f, " · {}", self.code())
    }
}

impl std::error::Error for ClientError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_why_what_to_do_and_its_code() {
        let error = ClientError::broker("describe topic x", 3, None);
        assert_eq!(
            error.to_string(),
            "describe topic x · there is no such topic or partition · ottla topic list shows \
             what there is · UNKNOWN_TOPIC_OR_PARTITION"
        );
    }

    #[test]
    fn the_brokers_own_words_come_first() {
        let error = ClientError::broker("create topic x", 36, Some("Topic 'x' already exists."));
        assert_eq!(error.why, "Topic 'x' already exists.");
        assert!(!error.is_retriable());
        assert!(ClientError::broker("x", 41, None).is_retriable());
    }
}
