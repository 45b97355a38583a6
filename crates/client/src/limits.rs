//! Every bound of the client, with its reason.

use std::time::Duration;

/// The largest response read: Kafka's `fetch.max.bytes` (50 MiB) and one batch beyond it, doubled.
pub const RESPONSE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The most requests on their way on one connection; idempotent producers may have five. KIP-98.
pub const IN_FLIGHT_MAX: usize = 5;

/// How long opening a connection to one address may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Kafka's `default.api.timeout.ms`: how long one operation with all its retries may take.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(60);

/// Kafka's `request.timeout.ms`.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Kafka's `retry.backoff.ms` and `retry.backoff.max.ms`.
pub const BACKOFF_MIN: Duration = Duration::from_millis(100);
pub const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Kafka's `batch.size`: a partition's batch is sent at this size.
pub const BATCH_BYTES: usize = 16 * 1024;

/// Kafka's `fetch.max.bytes` and `max.partition.fetch.bytes`.
pub const FETCH_BYTES_MAX: i32 = 50 * 1024 * 1024;
pub const PARTITION_FETCH_BYTES_MAX: i32 = 1024 * 1024;
