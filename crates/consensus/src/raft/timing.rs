use std::time::Duration;

/// Finer than the clocks of a busy machine.
const TICK_MIN: Duration = Duration::from_millis(1);
/// A fifth of a leader's pause between two words, by default.
const TICK_MAX: Duration = Duration::from_millis(20);
/// Some 23 days of ticks: as good as never.
const TICKS_MAX: usize = 100_000_000;
/// Fewer, and voters stand against each other.
const PAUSE_TICKS_MIN: usize = 5;

/// How long a voter waits for another. Not persisted; may differ from voter to voter.
///
/// **Invariant:** `heartbeat_ticks < lease_ticks <= miss_ticks.0 < miss_ticks.1`, and the same of
/// `retry_ticks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaftTiming {
    /// The engine's unit of time.
    pub tick: Duration,
    /// A leader speaks to every voter this often, at least.
    pub heartbeat_ticks: usize,
    /// A voter that heard from the leader less than this ago lets nobody else lead, and a leader
    /// that heard from no majority for so long leads no more.
    pub lease_ticks: usize,
    /// A voter that heard nothing from the leader for so long stands for election: later than the
    /// lease, so that the others are free to follow. Shorter, and a burdened machine changes its
    /// leader for nothing; longer, and a dead one is missed later. Voters wait for different times
    /// from the first on and below the second, so that they do not stand against each other.
    pub miss_ticks: (usize, usize),
    /// A candidate that has no majority after so long stands again. From, and below.
    pub retry_ticks: (usize, usize),
}

impl Default for RaftTiming {
    /// That of Kafka's defaults: leaders speak every 100 ms and are missed after 460 to 840 ms.
    fn default() -> RaftTiming {
        let ms = Duration::from_millis;
        RaftTiming::within(ms(2000), ms(1000), ms(1000))
    }
}

impl RaftTiming {
    /// The times that keep what is promised as the most:
    ///
    /// - `fetch_timeout`: a follower stands for election before it has not heard from the leader
    ///   for so long, and a leader that has lost the majority is none any more. Leaders speak
    ///   twenty times in it, hold a lease of a fifth, and are missed after 23 % of it and a random
    ///   pause.
    /// - `election_timeout`: a candidate stands again before so long, after 46 % of it and a random
    ///   pause.
    /// - `backoff_max`: random pauses are shorter than two fifths of it.
    ///
    /// Kafka's voters pull, and wait the whole of the first before they stand. Ours are spoken to,
    /// so they may give up sooner on the same network. Source: Kafka `QuorumConfig`.
    pub fn within(
        fetch_timeout: Duration,
        election_timeout: Duration,
        backoff_max: Duration,
    ) -> RaftTiming {
        let tick = (fetch_timeout / 100).clamp(TICK_MIN, TICK_MAX);
        let ticks = |time: Duration, percent: u128| -> usize {
            usize::try_from(time.as_nanos() * percent / 100 / tick.as_nanos()).unwrap_or(usize::MAX)
        };
        let heartbeat_ticks = ticks(fetch_timeout, 5).clamp(1, TICKS_MAX / 8);
        let lease_ticks = ticks(fetch_timeout, 20).clamp(4 * heartbeat_ticks, TICKS_MAX);
        let pause = ticks(backoff_max, 40).clamp(PAUSE_TICKS_MIN, TICKS_MAX);
        let miss = ticks(fetch_timeout, 23).clamp(lease_ticks + 1, TICKS_MAX + 1);
        let retry = ticks(election_timeout, 46).clamp(lease_ticks + 1, TICKS_MAX + 1);
        RaftTiming {
            tick,
            heartbeat_ticks,
            lease_ticks,
            miss_ticks: (miss, miss + pause),
            retry_ticks: (retry, retry + pause),
        }
    }

    /// How many ticks this voter waits in `term` after `campaigns` candidacies: a pure function, so
    /// that the same run is the same run. Raft's own draw is never used.
    pub(super) fn election_ticks(
        &self,
        seed: u64,
        raft_id: u64,
        (term, campaigns): (u64, u64),
        stands: bool,
    ) -> usize {
        let mut mixed = seed;
        for part in [raft_id, term, campaigns] {
            mixed = mix(mixed ^ part);
        }
        let (min, below) = if stands { self.retry_ticks } else { self.miss_ticks };
        min + (mixed % (below - min) as u64) as usize
    }
}

/// SplitMix64's step and output.
pub(super) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(fetch_ms: u64, election_ms: u64, backoff_ms: u64) -> RaftTiming {
        let ms = Duration::from_millis;
        RaftTiming::within(ms(fetch_ms), ms(election_ms), ms(backoff_ms))
    }

    #[test]
    fn kafkas_defaults_miss_a_leader_after_460_to_840_ms() {
        let timing = RaftTiming::default();
        let ms = |ticks: usize| timing.tick.as_millis() as usize * ticks;
        assert_eq!((ms(timing.heartbeat_ticks), ms(timing.lease_ticks)), (100, 400));
        assert_eq!((ms(timing.miss_ticks.0), ms(timing.miss_ticks.1)), (460, 860));
        assert_eq!(timing.retry_ticks, timing.miss_ticks);
    }

    #[test]
    fn each_timeout_changes_what_it_is_for() {
        let usual = within(2000, 1000, 1000);
        let patient = within(10_000, 1000, 1000);
        assert_eq!(patient.tick * patient.miss_ticks.0 as u32, Duration::from_millis(2300));
        assert_eq!(patient.tick * patient.lease_ticks as u32, Duration::from_millis(2000));
        let slow = within(2000, 5000, 1000);
        assert_eq!(slow.miss_ticks, usual.miss_ticks);
        assert_eq!(slow.tick * slow.retry_ticks.0 as u32, Duration::from_millis(2300));
        let spread = within(2000, 1000, 3000);
        assert_eq!(spread.miss_ticks.0, usual.miss_ticks.0);
        let pause = (spread.miss_ticks.1 - spread.miss_ticks.0) as u32;
        assert_eq!(spread.tick * pause, Duration::from_millis(1200));
    }

    #[test]
    fn the_invariant_holds_whatever_is_configured() {
        let all = [0, 1, 10, 99, 100, 1000, 60_000, i32::MAX as u64, i64::MAX as u64];
        for fetch in all {
            for election in all {
                for backoff in all {
                    let timing = within(fetch, election, backoff);
                    let RaftTiming { heartbeat_ticks, lease_ticks, .. } = timing;
                    assert!(heartbeat_ticks > 0 && heartbeat_ticks < lease_ticks, "{timing:?}");
                    for (min, below) in [timing.miss_ticks, timing.retry_ticks] {
                        assert!(lease_ticks <= min && min < below, "{timing:?}");
                    }
                }
            }
        }
    }
}
