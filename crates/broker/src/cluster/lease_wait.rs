//! Answers that a broker without a lease holds back until it has one again.
//!
//! Leases end when a controller is lost, and come back with the next one; those of a broker that
//! was asleep, once it has heard what others lead by now. Whoever was answered `NOT_COORDINATOR`
//! meanwhile would find the same coordinator again; librdkafka (2.11) then never asks it anew for
//! the offsets of its partitions, and reads nothing until the next rebalance.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::MonoTime;

use super::Lease;
use crate::limits::{LEASE_LOOK, LEASE_WAIT_MAX};
use crate::timers::{Expire, TimerId, Timers};

/// What is done once there is a lease, or waiting is over; it is told when that is.
type Then = Box<dyn FnOnce(MonoTime) + Send>;

/// Those who wait for this broker's lease.
pub struct LeaseWait {
    timers: Arc<Timers>,
    lease: Arc<Lease>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Each with the end of its waiting, the first to come in front.
    waiting: Vec<(MonoTime, Then)>,
    alarm: Option<TimerId>,
    is_closed: bool,
}

impl LeaseWait {
    pub fn new(timers: &Arc<Timers>, lease: &Arc<Lease>) -> Arc<LeaseWait> {
        let (timers, lease) = (Arc::clone(timers), Arc::clone(lease));
        Arc::new(LeaseWait { timers, lease, state: Mutex::default() })
    }

    pub fn is_leased(&self, now: MonoTime) -> bool {
        self.lease.holds(now)
    }

    /// Calls `then` once: at once if there is a lease, and after [`LEASE_WAIT_MAX`] in any case.
    pub fn once(self: &Arc<Self>, now: MonoTime, then: Then) {
        if self.is_leased(now) {
            return then(now);
        }
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            return then(now);
        }
        state.waiting.push((now.plus(LEASE_WAIT_MAX), then));
        self.set_alarm(&mut state, now);
    }

    /// Nobody waits any more.
    pub fn close(&self, now: MonoTime) {
        let mut state = self.lock();
        state.is_closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        if let Some(alarm) = state.alarm.take() {
            self.timers.cancel(alarm);
        }
        drop(state);
        waiting.into_iter().for_each(|(_, then)| then(now));
    }

    fn set_alarm(self: &Arc<Self>, state: &mut State, now: MonoTime) {
        if state.alarm.is_none() && !state.waiting.is_empty() {
            let this = Arc::clone(self) as Arc<dyn Expire>;
            state.alarm = Some(self.timers.register(now.plus(LEASE_LOOK), this));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expire for LeaseWait {
    fn expire(self: Arc<Self>, now: MonoTime) {
        let mut state = self.lock();
        state.alarm = None;
        let over = match self.lease.holds(now) {
            true => state.waiting.len(),
            false => state.waiting.partition_point(|(end, _)| *end <= now),
        };
        let over: Vec<(MonoTime, Then)> = state.waiting.drain(..over).collect();
        self.set_alarm(&mut state, now);
        drop(state);
        over.into_iter().for_each(|(_, then)| then(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    const SESSION: Duration = Duration::from_millis(1_200);

    struct World {
        timers: Arc<Timers>,
        lease: Arc<Lease>,
        wait: Arc<LeaseWait>,
        told: Arc<AtomicUsize>,
    }

    impl World {
        fn without_lease() -> World {
            let (timers, lease) = (Arc::<Timers>::default(), Arc::new(Lease::unlimited()));
            lease.end();
            let wait = LeaseWait::new(&timers, &lease);
            World { timers, lease, wait, told: Arc::default() }
        }

        fn ask(&self, now: MonoTime) -> usize {
            let told = Arc::clone(&self.told);
            self.wait.once(now, Box::new(move |_| _ = told.fetch_add(1, Ordering::Relaxed)));
            self.told.load(Ordering::Relaxed)
        }

        fn told_by(&self, now: MonoTime) -> usize {
            self.timers.expire(now);
            self.told.load(Ordering::Relaxed)
        }
    }

    fn at(ms: u64) -> MonoTime {
        MonoTime(ms * 1_000_000)
    }

    #[test]
    fn who_asks_without_a_lease_is_answered_soon_after_there_is_one() {
        let world = World::without_lease();
        assert_eq!((world.ask(at(1_000)), world.ask(at(1_001))), (0, 0));
        assert_eq!(world.told_by(at(1_500)), 0);
        world.lease.renew(at(1_510), SESSION);
        assert_eq!(world.told_by(at(1_530)), 2);
        assert_eq!(world.ask(at(1_531)), 3);
        assert_eq!(world.timers.next_deadline(), None, "nobody waits");
    }

    #[test]
    fn waiting_ends_without_a_lease_too_for_each_in_its_time_and_with_the_node() {
        let world = World::without_lease();
        world.ask(at(0));
        world.ask(at(2_000));
        assert_eq!(world.told_by(at(LEASE_WAIT_MAX.as_millis() as u64)), 1);
        world.wait.close(at(3_100));
        assert_eq!(world.told_by(at(3_500)), 2);
        assert_eq!((world.ask(at(3_600)), world.timers.next_deadline()), (3, None));
    }
}
