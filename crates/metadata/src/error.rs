use std::fmt;

use protocol::{DecodeError, EncodeError};
use types::Uuid;

/// Why the value of a metadata log record cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The frame before the message is cut off or has a number that is too large.
    BadFrame(DecodeError),
    UnknownFrameVersion(u32),
    /// A record type that nobody knows: the log was written by something newer.
    UnknownType(u32),
    /// A record type that Kafka has and we do not apply. Skipping it would change its meaning.
    UnsupportedType {
        id: u32,
        name: &'static str,
    },
    BadMessage {
        record: &'static str,
        error: DecodeError,
    },
    CannotEncode(EncodeError),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::BadFrame(error) => {
                write!(f, "read the frame of a metadata record: {error}")
            }
            RecordError::UnknownFrameVersion(version) => {
                write!(f, "a metadata record has frame version {version}; only 1 is known")
            }
            RecordError::UnknownType(id) => {
                write!(f, "a metadata record has type {id}, which is unknown to this version")
            }
            RecordError::UnsupportedType { id, name } => {
                write!(f, "a metadata record is a {name} (type {id}), which is not supported yet")
            }
            RecordError::BadMessage { record, error } => write!(f, "read a {record}: {error}"),
            RecordError::CannotEncode(error) => write!(f, "write a metadata record: {error}"),
        }
    }
}

impl std::error::Error for RecordError {}

/// Why a record contradicts the image that it should change: the log is not one that a controller
/// wrote, or a defect of ours. Nothing may be applied after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    NoSuchTopic(Uuid),
    NoSuchPartition {
        topic: Uuid,
        partition: i32,
    },
    /// Partition indexes of a topic are dense from 0.
    PartitionGap {
        topic: Uuid,
        partition: i32,
        partitions: usize,
    },
    TopicNameTaken {
        name: String,
        by: Uuid,
        refused: Uuid,
    },
    TopicIdTaken(Uuid),
    NoSuchBroker(i32),
    StaleBrokerEpoch {
        broker: i32,
        current: i64,
        found: i64,
    },
    UnknownResourceType(i8),
    /// Producer ids only grow.
    ProducerIdsWentBack {
        next: i64,
        found: i64,
    },
    BadTransaction(&'static str),
    TooLarge(&'static str),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::NoSuchTopic(id) => write!(f, "no topic has id {id}"),
            ReplayError::NoSuchPartition { topic, partition } => {
                write!(f, "topic {topic} has no partition {partition}")
            }
            ReplayError::PartitionGap { topic, partition, partitions } => {
                write!(f, "topic {topic} has {partitions} partitions; {partition} is not the next")
            }
            ReplayError::TopicNameTaken { name, by, refused } => {
                write!(f, "topic {name} exists with id {by} and cannot be made with {refused}")
            }
            ReplayError::TopicIdTaken(id) => write!(f, "topic id {id} is taken"),
            ReplayError::NoSuchBroker(id) => write!(f, "broker {id} is not registered"),
            ReplayError::StaleBrokerEpoch { broker, current, found } => {
                write!(f, "broker {broker} has epoch {current}, the record says {found}")
            }
            ReplayError::UnknownResourceType(kind) => {
                write!(f, "a configuration belongs to resource type {kind}, which is unknown")
            }
            ReplayError::ProducerIdsWentBack { next, found } => {
                write!(f, "producer ids up to {next} are given out; {found} would reuse some")
            }
            ReplayError::BadTransaction(why) => write!(f, "metadata transaction: {why}"),
            ReplayError::TooLarge(what) => write!(f, "too many {what}"),
        }
    }
}

impl std::error::Error for ReplayError {}
