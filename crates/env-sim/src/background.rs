use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use env::{Background, Clock, Job, Lane, Rng};
use types::MonoTime;

use crate::{SimClock, SimRng};

/// How many of the jobs that may be are done at once: most take time, for that is when faults come
/// in between.
const HERE_ONE_IN: u64 = 3;

/// Other hands in a simulated world: jobs become due at times of its own, and the world runs them.
#[derive(Clone, Debug)]
pub struct SimBackground {
    clock: SimClock,
    rng: SimRng,
    state: Arc<Mutex<State>>,
}

/// A queue whose jobs take time. Clones share it.
#[derive(Clone, Debug)]
pub struct SimLane {
    hands: SimBackground,
    number: u64,
}

#[derive(Default)]
struct State {
    lanes: u64,
    given: u64,
    /// When the last job of a lane is done.
    busy_until: BTreeMap<u64, MonoTime>,
    due: BTreeMap<(MonoTime, u64), Job>,
    latency_max: Duration,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let due = self.due.keys();
        f.debug_struct("State").field("due", &due).finish_non_exhaustive()
    }
}

impl SimBackground {
    pub(crate) fn new(clock: SimClock, rng: SimRng, latency_max: Duration) -> SimBackground {
        let state = State { latency_max, ..State::default() };
        SimBackground { clock, rng, state: Arc::new(Mutex::new(state)) }
    }

    /// From now on a job is done at any time up to `most` after it was begun. At first it is due at
    /// once.
    pub fn set_latency_max(&self, most: Duration) {
        self.lock().latency_max = most;
    }

    /// As slow as these, with nothing to do.
    pub(crate) fn for_process(&self) -> SimBackground {
        let latency_max = self.lock().latency_max;
        SimBackground::new(self.clock.clone(), self.rng.clone(), latency_max)
    }

    /// When the next job is done.
    pub fn next_due(&self) -> Option<MonoTime> {
        self.lock().due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Does the first job that is due at the clock's time. Says whether there was one.
    pub fn run_one(&self) -> bool {
        let mut state = self.lock();
        let now = self.clock.mono();
        let Some(entry) = state.due.first_entry().filter(|entry| entry.key().0 <= now) else {
            return false;
        };
        let job = entry.remove();
        drop(state);
        job();
        true
    }

    /// Does everything that is due at the clock's time, and what comes of it.
    pub fn run_due(&self) {
        while self.run_one() {}
    }

    /// The process is gone: what it had begun is never done.
    pub fn forget(&self) {
        let forgotten = std::mem::take(&mut self.lock().due);
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Background for SimBackground {
    type Lane = SimLane;

    fn lane(&self, _name: &str) -> SimLane {
        let mut state = self.lock();
        state.lanes += 1;
        SimLane { hands: self.clone(), number: state.lanes }
    }
}

impl Lane for SimLane {
    /// By chance, so that every run has both.
    fn run_here(&self, _usually: Duration, job: Job) -> bool {
        let is_chosen = self.hands.rng.next_u64().is_multiple_of(HERE_ONE_IN);
        if is_chosen {
            job();
        }
        is_chosen
    }

    fn run(&self, job: Job) {
        let now = self.hands.clock.mono();
        let mut state = self.hands.lock();
        let latency_ns = match u64::try_from(state.latency_max.as_nanos()) {
            Ok(0) | Err(_) => 0,
            Ok(most) => self.hands.rng.next_u64() % most,
        };
        let begun = state.busy_until.get(&self.number).map_or(now, |until| now.max(*until));
        let at = begun.plus(Duration::from_nanos(latency_ns));
        state.busy_until.insert(self.number, at);
        state.given += 1;
        let key = (at, state.given);
        state.due.insert(key, job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimEnv;
    use env::Env;

    #[test]
    fn jobs_of_a_lane_are_done_in_order_at_their_time_and_never_after_the_process() {
        let env = SimEnv::new(5);
        let hands = env.background();
        hands.set_latency_max(Duration::from_millis(5));
        let done = Arc::new(Mutex::new(Vec::new()));
        let lane = hands.lane("a");
        for number in 0..10 {
            let done = Arc::clone(&done);
            lane.run(Box::new(move || done.lock().unwrap().push(number)));
        }
        assert!(done.lock().unwrap().is_empty());
        while let Some(at) = hands.next_due() {
            env.clock().set(at);
            hands.run_due();
        }
        assert_eq!(*done.lock().unwrap(), (0..10).collect::<Vec<_>>());
        assert!(env.clock().mono() > MonoTime(0));
        let never = Arc::clone(&done);
        lane.run(Box::new(move || never.lock().unwrap().push(99)));
        hands.forget();
        assert_eq!(hands.next_due(), None);
        assert_eq!(Arc::strong_count(&done), 1);
    }

    #[test]
    fn without_latency_a_job_is_due_at_once_but_not_done_by_itself() {
        let env = SimEnv::new(5);
        let lane = env.background().lane("a");
        lane.run(Box::new(|| {}));
        assert_eq!(env.background().next_due(), Some(env.clock().mono()));
        assert!(env.background().run_one() && !env.background().run_one());
    }
}
