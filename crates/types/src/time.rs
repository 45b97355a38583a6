use std::time::Duration;

/// A moment on a clock that never goes back: deadlines and intervals. Meaningless across restarts.
///
/// **Unit:** nanoseconds since an arbitrary origin of the process (or of the simulated world).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonoTime(pub u64);

impl MonoTime {
    /// The moment `after` from here; saturates instead of wrapping.
    pub fn plus(self, after: Duration) -> MonoTime {
        MonoTime(self.0.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; zero if it is not in the past.
    pub fn since(self, earlier: MonoTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A moment people can read: record timestamps, retention, commit times. May jump.
///
/// **Unit:** milliseconds since 1970-01-01 UTC, as on Kafka's wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub i64);

impl WallTime {
    /// What the wire says for "no timestamp".
    pub const NONE: WallTime = WallTime(-1);
}
