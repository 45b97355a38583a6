use types::{MonoTime, WallTime};

use crate::limits::{CLOCK_BELIEVED_AFTER, CLOCK_JUMP_MS_MAX};

/// The wall clock for those who delete by age: a jump forward is not believed at once.
///
/// A machine whose time is set ten years ahead, for a moment, would otherwise find every record
/// expired. The other clock knows how much time has really passed. A jump back only makes records
/// younger and needs no doubt, but the way from there to the right time is no jump either.
///
/// **Invariant:** what it says is never ahead of the wall clock.
#[derive(Debug)]
pub struct SteadyTime {
    /// Both clocks when they last agreed.
    agreed: (MonoTime, WallTime),
    doubted_since: Option<MonoTime>,
}

impl SteadyTime {
    pub fn new(mono: MonoTime, wall: WallTime) -> SteadyTime {
        SteadyTime { agreed: (mono, wall), doubted_since: None }
    }

    /// What time it is, as far as it is safe to delete by.
    pub fn at(&mut self, mono: MonoTime, wall: WallTime) -> WallTime {
        let (then_mono, then_wall) = self.agreed;
        let passed_ms = i64::try_from(mono.since(then_mono).as_millis()).unwrap_or(i64::MAX);
        let expected = WallTime(then_wall.0.saturating_add(passed_ms));
        let is_near = wall.0.abs_diff(expected.0) <= CLOCK_JUMP_MS_MAX;
        let doubted_since = *self.doubted_since.get_or_insert(mono);
        if is_near || mono.since(doubted_since) >= CLOCK_BELIEVED_AFTER {
            *self = SteadyTime::new(mono, wall);
            return wall;
        }
        if doubted_since == mono {
            let hours = CLOCK_BELIEVED_AFTER.as_secs() / 3600;
            log::warn!(
                target: "kafka.log.LogManager",
                "the clock is {} s away from where it should be; nothing is deleted for its age by \
                 the new time unless it stays so for {hours} hours",
                wall.0.abs_diff(expected.0) / 1000
            );
        }
        wall.min(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const YEARS_MS: i64 = 10 * 365 * 24 * HOUR_MS;

    fn mono(hours: i64) -> MonoTime {
        MonoTime(hours as u64 * HOUR_MS as u64 * 1_000_000)
    }

    fn wall(hours: i64, jump_ms: i64) -> WallTime {
        WallTime(YEARS_MS * 2 + hours * HOUR_MS + jump_ms)
    }

    #[test]
    fn small_steps_are_followed_however_far_they_lead() {
        let mut time = SteadyTime::new(mono(0), wall(0, 0));
        for hour in 1..100 {
            let stepped = wall(hour, hour * HOUR_MS / 2);
            assert_eq!(time.at(mono(hour), stepped), stepped);
        }
    }

    #[test]
    fn a_jump_ahead_counts_for_nothing_unless_it_stays() {
        let mut time = SteadyTime::new(mono(0), wall(0, 0));
        for hour in 1..24 {
            assert_eq!(time.at(mono(hour), wall(hour, YEARS_MS)), wall(hour, 0));
        }
        assert_eq!(time.at(mono(24), wall(24, 0)), wall(24, 0), "it was a mistake");
        for hour in 25..49 {
            assert_eq!(time.at(mono(hour), wall(hour, YEARS_MS)), wall(hour, 0));
        }
        assert_eq!(time.at(mono(49), wall(49, YEARS_MS)), wall(49, YEARS_MS), "it was none");
        assert_eq!(time.at(mono(50), wall(50, YEARS_MS)), wall(50, YEARS_MS));
    }

    #[test]
    fn a_jump_back_is_followed_and_so_is_the_return() {
        let mut time = SteadyTime::new(mono(0), wall(0, 0));
        assert_eq!(time.at(mono(1), wall(1, -YEARS_MS)), wall(1, -YEARS_MS));
        assert_eq!(time.at(mono(2), wall(2, 0)), wall(2, 0));
    }
}
