use std::collections::VecDeque;
use std::time::Duration;

use types::MonoTime;

/// Over what a rate is measured.
///
/// **Invariant:** neither is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaWindows {
    /// `replication.quota.window.num`: that many, the one that is not over included.
    pub count: usize,
    /// `replication.quota.window.size.seconds`.
    pub size: Duration,
}

/// Bytes a second of throttled replicas, and whether they are too many.
///
/// The rate is what was recorded in the windows that are remembered, over the time since the first
/// of them began, which counts as one window at least. What was recorded counts whether or not the
/// rate allowed it, so that whoever asks first and records after still keeps to it on average.
/// **Source:** KIP-73; Kafka `ReplicationQuotaManager`, `SimpleRate`, `SampledStat`.
#[doc(alias = "ReplicationQuotaManager")]
#[derive(Clone, Debug)]
pub struct ReplicationQuota {
    windows: QuotaWindows,
    /// Bytes a second.
    rate_max: u64,
    /// When a window began, and the bytes in it; the oldest first.
    samples: VecDeque<(MonoTime, u64)>,
}

impl ReplicationQuota {
    pub fn new(windows: QuotaWindows, rate_max: u64) -> ReplicationQuota {
        ReplicationQuota { windows, rate_max, samples: VecDeque::new() }
    }

    /// Bytes a second from now on; what was recorded counts on.
    pub fn set_rate_max(&mut self, bytes_per_second: u64) {
        self.rate_max = bytes_per_second;
    }

    pub fn record(&mut self, bytes: usize, now: MonoTime) {
        self.forget_before(now);
        match self.samples.back_mut() {
            Some((began, sum)) if now.since(*began) < self.windows.size => {
                *sum = sum.saturating_add(bytes as u64);
            }
            _ => self.samples.push_back((now, bytes as u64)),
        }
    }

    /// Bytes a second, as of now.
    pub fn rate(&mut self, now: MonoTime) -> u64 {
        let (sum, nanos) = self.measure(now);
        u64::try_from(sum * NANOS_A_SECOND / nanos).unwrap_or(u64::MAX)
    }

    pub fn is_exceeded(&mut self, now: MonoTime) -> bool {
        let (sum, nanos) = self.measure(now);
        sum * NANOS_A_SECOND > u128::from(self.rate_max) * nanos
    }

    /// Bytes, and the nanoseconds over which they count.
    fn measure(&mut self, now: MonoTime) -> (u128, u128) {
        self.forget_before(now);
        let began = self.samples.front().map_or(now, |(began, _)| *began);
        let nanos = now.since(began).max(self.windows.size).as_nanos();
        (u128::from(self.sum()), nanos.max(1))
    }

    /// When it is not exceeded any more, if nothing is recorded until then.
    pub fn poll_timeout(&mut self, now: MonoTime) -> Option<MonoTime> {
        if !self.is_exceeded(now) {
            return None;
        }
        let (mut left, mut earliest) = (self.sum(), now);
        for (began, bytes) in &self.samples {
            let spread = falls_below(left, self.rate_max).max(self.windows.size);
            if spread < self.memory() {
                return Some(began.plus(spread).max(earliest));
            }
            // Only that this window is forgotten can help.
            earliest = earliest.max(began.plus(self.memory()));
            left = left.saturating_sub(*bytes);
        }
        Some(earliest)
    }

    /// For how long a window is remembered.
    fn memory(&self) -> Duration {
        self.windows.size.saturating_mul(u32::try_from(self.windows.count).unwrap_or(u32::MAX))
    }

    fn forget_before(&mut self, now: MonoTime) {
        let memory = self.memory();
        while self.samples.front().is_some_and(|(began, _)| now.since(*began) >= memory) {
            self.samples.pop_front();
        }
    }

    fn sum(&self) -> u64 {
        self.samples.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }
}

const NANOS_A_SECOND: u128 = 1_000_000_000;

/// How long `bytes` take at `rate`.
fn falls_below(bytes: u64, rate: u64) -> Duration {
    if rate == 0 {
        return Duration::MAX;
    }
    let nanos = (u128::from(bytes) * NANOS_A_SECOND).div_ceil(u128::from(rate));
    u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: QuotaWindows = QuotaWindows { count: 11, size: Duration::from_secs(1) };

    fn ms(n: u64) -> MonoTime {
        MonoTime(n * 1_000_000)
    }

    fn quota(rate_max: u64) -> ReplicationQuota {
        ReplicationQuota::new(WINDOWS, rate_max)
    }

    #[test]
    fn bytes_count_against_one_window_at_least_and_then_against_the_time_since_the_first() {
        let mut quota = quota(1_000);
        assert_eq!((quota.rate(ms(0)), quota.is_exceeded(ms(0))), (0, false));
        quota.record(1_000, ms(0));
        assert_eq!((quota.rate(ms(1)), quota.is_exceeded(ms(1))), (1_000, false));
        quota.record(3_000, ms(500));
        assert_eq!((quota.rate(ms(600)), quota.is_exceeded(ms(600))), (4_000, true));
        assert_eq!(quota.rate(ms(2_000)), 2_000);
        assert_eq!(quota.poll_timeout(ms(600)), Some(ms(4_000)));
        assert_eq!((quota.is_exceeded(ms(3_999)), quota.is_exceeded(ms(4_000))), (true, false));
    }

    #[test]
    fn what_is_as_old_as_all_windows_is_forgotten_and_so_even_a_rate_of_nothing_lets_some_through()
    {
        let mut quota = quota(0);
        quota.record(5, ms(0));
        quota.record(5, ms(4_000));
        assert_eq!(quota.poll_timeout(ms(10_000)), Some(ms(15_000)));
        assert!(quota.is_exceeded(ms(8_999)));
        assert!(!quota.is_exceeded(ms(15_000)));
    }

    #[test]
    fn a_burst_is_waited_for_until_it_is_spread_out_or_forgotten_whichever_is_first() {
        let mut quota = quota(10);
        quota.record(1_000, ms(0));
        quota.record(50, ms(9_000));
        // 1,050 bytes would take 105 s; the first thousand is forgotten after 11.
        assert_eq!(quota.poll_timeout(ms(9_000)), Some(ms(14_000)));
        assert!(quota.is_exceeded(ms(13_999)) && !quota.is_exceeded(ms(14_000)));
    }

    #[test]
    fn whoever_asks_first_and_records_after_keeps_to_the_rate_on_average() {
        let mut quota = quota(100_000);
        let (mut now, mut sent) = (ms(0), 0);
        while now < ms(60_000) {
            match quota.poll_timeout(now) {
                Some(free) => {
                    assert!(free > now);
                    now = free;
                }
                None => {
                    quota.record(70_000, now);
                    sent += 70_000;
                    now = now.plus(Duration::from_millis(1));
                }
            }
        }
        assert!((5_700_000..6_300_000).contains(&sent), "{sent} bytes in 60 s at 100,000 a second");
    }

    #[test]
    fn a_changed_rate_holds_at_once() {
        let mut quota = quota(u64::MAX);
        quota.record(5_000, ms(0));
        assert_eq!(quota.poll_timeout(ms(1)), None);
        quota.set_rate_max(1_000);
        assert_eq!(quota.poll_timeout(ms(1)), Some(ms(5_000)));
        quota.set_rate_max(10_000);
        assert_eq!(quota.poll_timeout(ms(1)), None);
    }
}
