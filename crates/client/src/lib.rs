//! A small blocking client: what command line and console need to talk to any Kafka cluster.
//!
//! One request at a time, on the caller's thread. [`Client`] finds the broker a request belongs to
//! and tries again while that can help; producers, readers and group members stand on it.

mod aborted;
pub mod admin;
mod commits;
mod connection;
mod consumer;
mod error;
mod group;
mod limits;
mod metadata;
mod offsets;
mod options;
mod partitioner;
mod producer;
mod range;
mod retry;
mod routing;
mod subscription;
mod transport;

pub use commits::{Committed, Committer};
pub use connection::{Connection, Pending, VersionRange};
pub use consumer::{Consumed, Position, Reader, ReaderOptions, Reset};
pub use error::{ClientError, ErrorKind, is_retriable};
pub use group::{GroupConsumer, GroupOptions};
pub use limits::{BATCH_BYTES, OPERATION_TIMEOUT, PARTITION_FETCH_BYTES_MAX, REQUEST_TIMEOUT};
pub use metadata::{Broker, Cluster, Partition, Topic, TopicsWanted};
pub use offsets::{FoundOffset, OffsetAt, Place};
pub use options::{DEFAULT_BOOTSTRAP, Options};
pub use partitioner::{Sticky, murmur2, partition_for_key};
pub use producer::{Acks, Delivered, Outgoing, Producer, ProducerOptions};
pub use retry::Retry;
pub use routing::{ByLeader, Client};
pub use subscription::{read_assignment, read_subscription};
