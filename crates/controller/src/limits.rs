//! Bounds on what one request may do. Source: Kafka `QuorumController.MAX_RECORDS_PER_USER_OP`.

use std::time::Duration;

/// Partitions that one CreateTopics or CreatePartitions request may ask for, all topics together.
pub const PARTITIONS_PER_REQUEST_MAX: usize = 10_000;

/// Records that one request may lead to: each partition is one, configurations and topics come
/// on top. One atomic batch of them stays near 1 MB.
pub const RECORDS_PER_REQUEST_MAX: usize = 10_000;

/// Records in one batch. A change with more is several: such as the elections after a broker's
/// restart, or a metadata transaction if it must be atomic.
pub const RECORDS_PER_BATCH: usize = 10_000;

/// Bytes in one configuration value. Source: Kafka, since the value was a string with a two-byte
/// length.
pub const CONFIG_VALUE_BYTES_MAX: usize = 32_767;

/// Elections in one tick of the balance, so that clients of few partitions at a time look for their
/// leader. Source: Kafka `QuorumController.MAX_ELECTIONS_PER_IMBALANCE`.
pub const ELECTIONS_PER_TICK_MAX: usize = 1_000;

/// The longest step between two looks at the clock that counts as listening: ten looks a second.
/// Up to twice of it is counted of a longer one.
pub const LISTENING_STEP: Duration = Duration::from_millis(100);

/// How long a broker whose connection has ended may take to connect anew and say so, before it is
/// taken to be gone: five reconnects at 50 ms.
pub const CONNECTION_LOSS_GRACE: Duration = Duration::from_millis(250);

/// Producer ids in one block: what a broker asks for at once.
pub const PRODUCER_ID_BLOCK: i64 = 1_000;

/// How often a topic id is drawn again because it is reserved or taken. One in 64 ids begins with
/// `-`; a source that yields a hundred such ids in a row is broken.
pub const TOPIC_ID_DRAWS_MAX: usize = 100;
