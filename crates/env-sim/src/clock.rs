use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use env::Clock;
use types::{MonoTime, WallTime};

/// Simulated wall time starts here: 2026-01-01.
const WALL_ORIGIN_MS: i64 = 1_767_225_600_000;
const NANOS_PER_MS: u64 = 1_000_000;

/// A clock that the world sets. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct SimClock {
    now: Arc<AtomicU64>,
    wall_ahead_ms: Arc<AtomicI64>,
}

impl SimClock {
    pub fn set(&self, now: MonoTime) {
        self.now.fetch_max(now.0, Ordering::Relaxed);
    }

    /// Somebody sets the machine's time: the wall clock jumps, the other one does not notice.
    pub fn jump_wall(&self, by_ms: i64) {
        self.wall_ahead_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn mono(&self) -> MonoTime {
        MonoTime(self.now.load(Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        let ahead_ms = self.wall_ahead_ms.load(Ordering::Relaxed);
        WallTime(WALL_ORIGIN_MS + ahead_ms + (self.mono().0 / NANOS_PER_MS) as i64)
    }
}
