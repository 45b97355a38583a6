//! Answers that wait until replicas have what was decided, and no longer than they may.
//!
//! Source: Kafka `CoordinatorRuntime.OperationTimeout`: what was decided stays, and may be
//! committed yet; who asked is told that the time is over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use types::{ErrorCode, MonoTime};

use crate::partitions::GatePassed;
use crate::timers::{Expire, TimerId, Timers};

/// Gives up waiting after `offsets.commit.timeout.ms`.
pub(super) struct AnswerTimeouts {
    timers: Arc<Timers>,
    timeout: Duration,
    state: Mutex<State>,
}

/// An answer until somebody has sent it.
type Slot = Mutex<Option<GatePassed>>;

#[derive(Default)]
struct State {
    /// In the order of their deadlines. Whoever waits holds the answer: one that was sent is gone.
    waiting: VecDeque<(MonoTime, Weak<Slot>)>,
    alarm: Option<TimerId>,
    is_closed: bool,
}

impl AnswerTimeouts {
    pub(super) fn new(timers: &Arc<Timers>, timeout: Duration) -> Arc<AnswerTimeouts> {
        let (timers, state) = (Arc::clone(timers), Mutex::default());
        Arc::new(AnswerTimeouts { timers, timeout, state })
    }

    /// What is returned calls `then`, unless the time is over before: then it was called with
    /// [`ErrorCode::RequestTimedOut`].
    pub(super) fn within(self: &Arc<Self>, now: MonoTime, then: GatePassed) -> GatePassed {
        let slot: Arc<Slot> = Arc::new(Mutex::new(Some(then)));
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            return answer(slot);
        }
        state.forget_sent();
        state.waiting.push_back((now.plus(self.timeout), Arc::downgrade(&slot)));
        self.set_alarm(&mut state);
        drop(state);
        answer(slot)
    }

    /// Nobody is given up any more: those who wait are told that their partition is closed.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.waiting.clear();
        if let Some(alarm) = state.alarm.take() {
            self.timers.cancel(alarm);
        }
    }

    /// One alarm at a time, for the answer that has waited longest when it is set: an answer that
    /// comes soon costs none.
    fn set_alarm(self: &Arc<Self>, state: &mut State) {
        if let (None, Some((deadline, _))) = (state.alarm, state.waiting.front()) {
            let this = Arc::clone(self) as Arc<dyn Expire>;
            state.alarm = Some(self.timers.register(*deadline, this));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expire for AnswerTimeouts {
    fn expire(self: Arc<Self>, now: MonoTime) {
        let mut state = self.lock();
        state.alarm = None;
        let due = state.waiting.partition_point(|(deadline, _)| *deadline <= now);
        let due: Vec<Weak<Slot>> = state.waiting.drain(..due).map(|(_, slot)| slot).collect();
        state.forget_sent();
        self.set_alarm(&mut state);
        drop(state);
        for slot in due.iter().filter_map(Weak::upgrade) {
            if let Some(then) = take(&slot) {
                then(Err(ErrorCode::RequestTimedOut));
            }
        }
    }
}

impl State {
    fn forget_sent(&mut self) {
        while self.waiting.front().is_some_and(|(_, slot)| slot.strong_count() == 0) {
            self.waiting.pop_front();
        }
    }
}

fn answer(slot: Arc<Slot>) -> GatePassed {
    Box::new(move |outcome| {
        if let Some(then) = take(&slot) {
            then(outcome);
        }
    })
}

fn take(slot: &Slot) -> Option<GatePassed> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Heard = Arc<Mutex<Vec<(u8, Result<(), ErrorCode>)>>>;

    fn note(heard: &Heard, number: u8) -> GatePassed {
        let heard = Arc::clone(heard);
        Box::new(move |outcome| heard.lock().expect("not poisoned").push((number, outcome)))
    }

    #[test]
    fn an_answer_is_given_once_by_whoever_comes_first_and_costs_no_alarm_of_its_own() {
        let timers = Arc::new(Timers::default());
        let timeouts = AnswerTimeouts::new(&timers, Duration::from_millis(5));
        let (heard, at) = (Heard::default(), |ms: u64| MonoTime(0).plus(Duration::from_millis(ms)));
        let first = timeouts.within(at(0), note(&heard, 1));
        let second = timeouts.within(at(1), note(&heard, 2));
        first(Ok(()));
        assert_eq!(timers.next_deadline(), Some(at(5)), "set for the first");
        timers.expire(at(5));
        assert_eq!(timers.next_deadline(), Some(at(6)), "the second still waits");
        timers.expire(at(6));
        assert_eq!(timers.next_deadline(), None, "nobody waits");
        second(Ok(()));
        let third = timeouts.within(at(7), note(&heard, 3));
        timeouts.close();
        assert_eq!(timers.next_deadline(), None, "no alarm outlives those it is for");
        third(Err(ErrorCode::NotLeaderOrFollower));
        let told = heard.lock().expect("not poisoned").split_off(0);
        assert_eq!(told[..2], [(1, Ok(())), (2, Err(ErrorCode::RequestTimedOut))]);
        assert_eq!(told[2..], [(3, Err(ErrorCode::NotLeaderOrFollower))]);
    }
}
