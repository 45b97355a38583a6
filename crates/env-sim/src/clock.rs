use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use env::Clock;
use types::{MonoTime, WallTime};

/// Simulated wall time starts here: 2026-01-01.
const WALL_ORIGIN_MS: i64 = 1_767_225_600_000;
const NANOS_PER_MS: u64 = 1_000_000;

/// A clock that the world sets. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct SimClock {
    now: Arc<AtomicU64>,
}

impl SimClock {
    pub fn set(&self, now: MonoTime) {
        self.now.fetch_max(now.0, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn mono(&self) -> MonoTime {
        MonoTime(self.now.load(Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        WallTime(WALL_ORIGIN_MS + (self.mono().0 / NANOS_PER_MS) as i64)
    }
}
