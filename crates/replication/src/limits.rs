//! Every bound of this crate, with its arithmetic.

use std::time::Duration;

/// Between two attempts to have a change of the in-sync set accepted: at most 5 requests a second
/// for a partition, however often it is refused, and a controller that fails over is found again
/// within its election time.
pub const ISR_RETRY_BACKOFF: Duration = Duration::from_millis(200);

/// Between a fetch that failed and the next one from that partition. A leader that changes is
/// heard of through the metadata, and does not wait for this.
pub const FETCH_RETRY_BACKOFF: Duration = Duration::from_millis(200);
