//! What replication may use where it is limited. Source: KIP-73.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{ReplicationConfig, ReplicationRates};
use replication::{QuotaWindows, ReplicationQuota};
use types::MonoTime;

/// The largest number that the property takes, and its default.
const UNLIMITED: u64 = i64::MAX as u64;

/// The limits of this broker: one for each of its two parts in replication, and one for copies from
/// one of its log directories to another.
#[derive(Debug)]
pub struct Throttles {
    pub leader: Throttle,
    pub follower: Throttle,
    pub dirs: Throttle,
}

impl Throttles {
    pub fn new(config: &ReplicationConfig) -> Throttles {
        let throttle = |(count, size): (i32, Duration)| {
            let count = usize::try_from(count).unwrap_or(1).max(1);
            Throttle::new(QuotaWindows { count, size })
        };
        Throttles {
            leader: throttle(config.quota_windows),
            follower: throttle(config.quota_windows),
            dirs: throttle(config.dirs_quota_windows),
        }
    }

    pub fn set_rates(&self, rates: ReplicationRates) {
        self.leader.set_rate(rates.leader);
        self.follower.set_rate(rates.follower);
        self.dirs.set_rate(rates.dirs);
    }
}

/// A limit that many look at. Where none is set, that costs one look at a number.
#[derive(Debug)]
pub struct Throttle {
    rate_max: AtomicU64,
    quota: Mutex<ReplicationQuota>,
}

impl Throttle {
    fn new(windows: QuotaWindows) -> Throttle {
        let quota = Mutex::new(ReplicationQuota::new(windows, UNLIMITED));
        Throttle { rate_max: AtomicU64::new(UNLIMITED), quota }
    }

    fn set_rate(&self, bytes_per_second: u64) {
        self.lock().set_rate_max(bytes_per_second);
        self.rate_max.store(bytes_per_second, Ordering::Release);
    }

    /// Whether there is a limit. Nothing is recorded without.
    pub fn is_on(&self) -> bool {
        self.rate_max.load(Ordering::Acquire) < UNLIMITED
    }

    pub fn record(&self, bytes: usize, now: MonoTime) {
        if bytes > 0 {
            self.lock().record(bytes, now);
        }
    }

    pub fn is_exceeded(&self, now: MonoTime) -> bool {
        self.lock().is_exceeded(now)
    }

    /// When it is not exceeded any more; `None` if it is not now.
    pub fn free_at(&self, now: MonoTime) -> Option<MonoTime> {
        self.lock().poll_timeout(now)
    }

    /// Bytes a second, as of now.
    pub fn rate(&self, now: MonoTime) -> u64 {
        self.lock().rate(now)
    }

    fn lock(&self) -> MutexGuard<'_, ReplicationQuota> {
        self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
