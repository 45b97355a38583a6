use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use types::MonoTime;

use super::lease::Lease;

/// Whether this broker is cut off from its peers while clients still reach it.
///
/// It is if it has no lease, and no follower has fetched from it for a session. Others may lead
/// then what it leads by the metadata it has, and nothing that it takes is acknowledged: the
/// in-sync set cannot shrink without a controller. Clients with default settings ask nobody else
/// while a broker takes their requests, and wait in vain for as long as it is cut off. So it tells
/// them that it leads no more.
///
/// Where only the controllers are silent followers go on fetching, and reads and writes go on.
/// Kafka lets such clients wait (docs/adr/0012, point 8).
///
/// It is a hint and no proof: what a follower sent may have lain in a socket while this broker was
/// asleep, and a session counts from its last heartbeat. What must not be old asks for the
/// [lease](Lease).
pub struct Isolation {
    lease: Arc<Lease>,
    session: Duration,
    /// A [`MonoTime`]: the last fetch of a follower.
    followed_at: AtomicU64,
}

impl Isolation {
    pub fn new(lease: Arc<Lease>, session: Duration) -> Isolation {
        Isolation { lease, session, followed_at: AtomicU64::new(0) }
    }

    /// Of the only broker.
    #[cfg(test)]
    pub fn of_one_alone() -> Isolation {
        Isolation::new(Arc::new(Lease::unlimited()), Duration::from_secs(1))
    }

    /// A follower has fetched, be it only to hear that there is nothing.
    pub fn note_followed(&self, now: MonoTime) {
        self.followed_at.fetch_max(now.0, Ordering::AcqRel);
    }

    pub fn is_on(&self, now: MonoTime) -> bool {
        let followed_at = MonoTime(self.followed_at.load(Ordering::Acquire));
        !self.lease.holds(now) && now.since(followed_at) >= self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Duration = Duration::from_millis(1_500);
    const THEN: MonoTime = MonoTime(10_000_000_000);

    fn after_ms(ms: u64) -> MonoTime {
        THEN.plus(Duration::from_millis(ms))
    }

    fn joined() -> (Arc<Lease>, Isolation) {
        let lease = Arc::new(Lease::unlimited());
        lease.end();
        (Arc::clone(&lease), Isolation::new(lease, SESSION))
    }

    #[test]
    fn who_hears_neither_controller_nor_followers_for_a_session_is_cut_off() {
        let (lease, isolation) = joined();
        lease.renew(THEN, SESSION);
        isolation.note_followed(THEN);
        assert!(!isolation.is_on(after_ms(1_499)));
        assert!(isolation.is_on(after_ms(1_500)));
        isolation.note_followed(after_ms(1_600));
        assert!(!isolation.is_on(after_ms(1_600)));
    }

    #[test]
    fn who_is_followed_or_heard_by_the_controller_is_not() {
        let (lease, isolation) = joined();
        isolation.note_followed(after_ms(9_000));
        assert!(!isolation.is_on(after_ms(10_000)), "only the controller is silent");
        lease.renew(after_ms(19_500), SESSION);
        assert!(!isolation.is_on(after_ms(20_000)), "only followers are silent");
    }

    #[test]
    fn the_only_broker_is_never_cut_off() {
        let isolation = Isolation::of_one_alone();
        assert!(!isolation.is_on(after_ms(1_000_000)));
    }
}
