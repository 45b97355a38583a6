//! Bounds of the socket shell.

use std::time::Duration;

/// Slices given to one `writev`; the kernel takes at most 1,024 (`UIO_MAXIOV`).
pub const WRITE_SLICES_MAX: usize = 256;

/// What of a lone producer's next request is taken without asking the runtime: most are smaller,
/// and the rest of a larger one comes the usual way.
pub const TAKEN_AT_ONCE_BYTES_MAX: usize = 2 * 1024;

/// So many requests are taken in a row without asking the runtime: then whoever else is served on
/// the thread has a turn, no later than after so many commits.
pub const TAKEN_AT_ONCE_MAX: u32 = 4;

/// Network threads on a large machine. The kernel's TCP stack, not our code, is the limit per core.
pub const WORKERS_MAX: usize = 16;

/// Accepted connections on their way to a worker.
pub const HANDOVER_QUEUE: usize = 1024;

/// HTTP connections open at once, all listeners together: scrapers, probes and a few people. Each
/// may hold one page of metrics, some 1.5 MB at most.
pub const HTTP_CONNECTIONS_MAX: usize = 64;

/// The most that the head of an HTTP request may measure, and a body that nobody asked for.
pub const HTTP_HEAD_BYTES_MAX: usize = 16 * 1024;

/// How long a client may take to send a request, the pause before it included.
pub const HTTP_HEAD_WITHIN: Duration = Duration::from_secs(60);

/// No HTTP connection lives longer: whoever takes its answers too slowly loses its place.
pub const HTTP_CONNECTION_LIFE_MAX: Duration = Duration::from_secs(600);
