use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use types::MonoTime;

/// How long this broker may believe that what it leads is led by nobody else.
///
/// A broker that wakes from a freeze finds old metadata in memory and requests in its sockets. It
/// would answer from state that others have moved on from. Appends are safe without a lease (a
/// leader of an old epoch gets no acknowledgement); answers that only read are not.
///
/// A controller gives a broker's partitions to others once it has not heard of it for a session,
/// counted from when a heartbeat arrived. Counted from when it was sent, two thirds of that are
/// over before: the third is what a controller holds against the broker in the process of the one
/// before it (docs/adr/0012, point 5). Who was fenced comes back into service, and to a lease,
/// only once its metadata says that it was (`Controller::broker_heartbeat`).
pub struct Lease {
    /// A [`MonoTime`], or one of the two below.
    until: AtomicU64,
}

const NO_LEASE: u64 = 0;
/// There is no other broker and no other controller.
const UNLIMITED: u64 = u64::MAX;

impl Lease {
    /// That of the one broker that lives with the one controller: they sleep and wake together.
    pub fn unlimited() -> Lease {
        Lease { until: AtomicU64::new(UNLIMITED) }
    }

    /// From here on it takes heartbeats to have one.
    pub fn end(&self) {
        self.until.store(NO_LEASE, Ordering::Release);
    }

    /// A heartbeat that was sent then has found the broker in service.
    pub fn renew(&self, sent_at: MonoTime, session: Duration) {
        let until = sent_at.plus(session * 2 / 3);
        self.until.fetch_max(until.0, Ordering::AcqRel);
    }

    pub fn holds(&self, now: MonoTime) -> bool {
        now.0 < self.until.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: MonoTime = MonoTime(1_000_000_000);
    const SESSION: Duration = Duration::from_millis(1_500);

    #[test]
    fn a_lease_ends_well_before_the_session_does() {
        let lease = Lease::unlimited();
        lease.end();
        assert!(!lease.holds(SENT));
        lease.renew(SENT, SESSION);
        assert!(lease.holds(SENT.plus(Duration::from_millis(999))));
        assert!(!lease.holds(SENT.plus(Duration::from_millis(1_000))));
    }

    #[test]
    fn a_late_answer_to_an_early_heartbeat_shortens_no_lease() {
        let lease = Lease::unlimited();
        lease.end();
        lease.renew(SENT.plus(Duration::from_secs(1)), SESSION);
        lease.renew(SENT, SESSION);
        assert!(lease.holds(SENT.plus(Duration::from_millis(1_999))));
    }

    #[test]
    fn the_only_broker_beside_the_only_controller_needs_no_heartbeats() {
        let lease = Lease::unlimited();
        lease.renew(SENT, SESSION);
        assert!(lease.holds(MonoTime(u64::MAX - 1)));
    }
}
