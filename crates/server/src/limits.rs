//! Bounds of the socket shell.

/// Slices given to one `writev`; the kernel takes at most 1,024 (`UIO_MAXIOV`).
pub const WRITE_SLICES_MAX: usize = 256;

/// Network threads on a large machine. The kernel's TCP stack, not our code, is the limit per core.
pub const WORKERS_MAX: usize = 16;

/// Accepted connections on their way to a worker.
pub const HANDOVER_QUEUE: usize = 1024;
