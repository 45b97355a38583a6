use types::{MonoTime, WallTime};

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// For deadlines and durations. Never goes back.
    fn mono(&self) -> MonoTime;
    /// For record timestamps, retention and commit times.
    fn wall(&self) -> WallTime;
}
