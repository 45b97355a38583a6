//! Bounds of the referee itself.

use std::time::Duration;

/// Requests that were due and have no answer, over all connections: 50 seconds at 20,000 a second.
/// A broker that is further behind does not keep up, and no figure of it would mean anything.
pub const WAITING_MAX: u64 = 1 << 20;

/// Slices given to one write.
pub const SLICES_MAX: usize = 16;

/// Answers to Produce are about 100 bytes; a partition's name may be longer.
pub const WRITER_INBOX_BYTES: usize = 8 << 10;

/// A fetch may return a batch larger than it asked for, and has a header.
pub const READER_INBOX_SLACK_BYTES: usize = 1100 << 10;

/// Of an answer that is waited for: to Produce or ApiVersions.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// After the window, for answers that are still due. What is unanswered then counts with the time
/// that it has waited so far.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Between looks at the clock, the memory of the broker and whoever watches.
pub const TICK: Duration = Duration::from_millis(100);

/// Latencies above count as this.
pub const LATENCY_MAX: Duration = Duration::from_secs(600);

/// Partitions of one topic. KRaft takes at most 10,000 records an operation: Kafka
/// `QuorumController.MAX_RECORDS_PER_USER_OP`.
pub const TOPIC_PARTITIONS_MAX: usize = 1_000;

/// For a broker to make the topics of a case and to be ready to take records in them.
pub const READY_MAX: Duration = Duration::from_secs(240);
