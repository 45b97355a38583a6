use env::Clock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use types::{MonoTime, WallTime};

/// The machine's clocks. Clones share the origin of monotonic time.
#[derive(Clone, Copy, Debug)]
pub struct OsClock {
    origin: Instant,
}

impl Default for OsClock {
    fn default() -> OsClock {
        OsClock { origin: Instant::now() }
    }
}

impl Clock for OsClock {
    fn mono(&self) -> MonoTime {
        MonoTime(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn wall(&self) -> WallTime {
        // A clock set before 1970 reads as 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallTime(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_this_century_and_monotonic_time_never_goes_back() {
        let clock = OsClock::default();
        let (first, second) = (clock.mono(), clock.mono());
        assert!(first <= second);
        assert!(clock.wall() > WallTime(1_700_000_000_000), "{:?}", clock.wall());
    }
}
