//! Numbers and names with a meaning. No logic, no dependencies.
//!
//! Everything else in the workspace may use this crate; it uses nothing.

mod epoch;
mod error_code;
mod ids;
mod offset;
mod time;
mod topic_partition;
mod uuid;

pub use epoch::{BrokerEpoch, EpochEnd, LeaderEpoch, PartitionEpoch, ProducerEpoch};
pub use error_code::ErrorCode;
pub use ids::{BrokerId, ProducerId, Sequence};
pub use offset::Offset;
pub use time::{MonoTime, WallTime};
pub use topic_partition::{TopicName, TopicPartition};
pub use uuid::Uuid;
