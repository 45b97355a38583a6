//! One queue of deadlines for everything in the broker that waits for time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use types::MonoTime;

/// Something that wants to know when its deadline has passed.
pub trait Expire: Send + Sync {
    /// Called once, without the timer lock, at or after the deadline.
    fn expire(self: Arc<Self>, now: MonoTime);
}

/// Names a registered deadline, for cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerId {
    deadline: MonoTime,
    number: u64,
}

impl TimerId {
    pub fn deadline(self) -> MonoTime {
        self.deadline
    }
}

/// Deadlines in order. The shell sleeps until [`next_deadline`](Self::next_deadline) and calls
/// [`expire`](Self::expire); the simulator does the same with its own clock.
#[derive(Default)]
pub struct Timers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    due: BTreeMap<TimerId, Arc<dyn Expire>>,
    registered: u64,
    sleeper: Option<Waker>,
}

impl Timers {
    pub fn register(&self, deadline: MonoTime, timer: Arc<dyn Expire>) -> TimerId {
        let mut state = self.lock();
        state.registered += 1;
        let id = TimerId { deadline, number: state.registered };
        state.due.insert(id, timer);
        let is_earliest = state.due.first_key_value().is_some_and(|(first, _)| *first == id);
        let sleeper = if is_earliest { state.sleeper.take() } else { None };
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
        id
    }

    /// Forgets a deadline; nothing happens if it has passed already.
    pub fn cancel(&self, id: TimerId) {
        let cancelled = self.lock().due.remove(&id);
        drop(cancelled);
    }

    pub fn next_deadline(&self) -> Option<MonoTime> {
        self.lock().due.first_key_value().map(|(id, _)| id.deadline)
    }

    /// Ready once the next deadline differs from `known`: the sleeper must set its alarm anew.
    pub fn poll_changed(&self, known: Option<MonoTime>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let next = state.due.first_key_value().map(|(id, _)| id.deadline);
        if next != known {
            return Poll::Ready(());
        }
        state.sleeper = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Runs everything that is due at `now`, in deadline order.
    pub fn expire(&self, now: MonoTime) {
        loop {
            let mut state = self.lock();
            let Some(entry) = state.due.first_entry() else { return };
            if entry.key().deadline > now {
                return;
            }
            let timer = entry.remove();
            drop(state);
            timer.expire(now);
        }
    }

    /// Drops whoever waits, without telling them: their process is over.
    pub fn forget(&self) {
        let forgotten = std::mem::take(&mut self.lock().due);
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Note(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Expire for Note {
        fn expire(self: Arc<Self>, _now: MonoTime) {
            self.1.lock().expect("not poisoned").push(self.0);
        }
    }

    #[test]
    fn deadlines_fire_in_order_once_and_not_when_cancelled() {
        let timers = Timers::default();
        let fired = Arc::new(Mutex::new(Vec::new()));
        let note = |name| Arc::new(Note(name, Arc::clone(&fired)));
        timers.register(MonoTime(30), note("late"));
        timers.register(MonoTime(20), note("second"));
        let cancelled = timers.register(MonoTime(15), note("cancelled"));
        timers.register(MonoTime(10), note("first"));
        timers.cancel(cancelled);
        timers.expire(MonoTime(20));
        timers.expire(MonoTime(20));
        assert_eq!(*fired.lock().expect("not poisoned"), ["first", "second"]);
        assert_eq!(timers.next_deadline(), Some(MonoTime(30)));
    }
}
