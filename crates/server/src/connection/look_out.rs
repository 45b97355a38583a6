//! Whether to look for a connection's next request instead of sleeping until it comes.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::TAKEN_AT_ONCE_MAX;

/// A lone producer sends its next request as soon as it has its answer, and a thread that sleeps
/// wakes later than that.
const LOOK_OUT: Duration = Duration::from_micros(50);

/// Keeps the thread of a connection awake for a moment after an answer, if it serves nobody else
/// and the request before came within that moment: whoever takes longer costs it once.
#[derive(Debug, Default)]
pub(super) struct LookOut {
    answered: Option<Instant>,
    is_brisk: bool,
    /// Requests since the runtime had its turn.
    taken_at_once: u32,
}

impl LookOut {
    /// `is_lone`: the thread has waited for the disk itself, having nobody else to serve.
    pub(super) fn note_answered(&mut self, is_lone: bool, now: Instant) {
        self.answered = is_lone.then_some(now);
    }

    /// A request has come the usual way.
    pub(super) fn note_request(&mut self, now: impl FnOnce() -> Instant) {
        self.taken_at_once = 0;
        self.note_came(now);
    }

    pub(super) fn note_taken_at_once(&mut self, now: impl FnOnce() -> Instant) {
        self.taken_at_once += 1;
        self.note_came(now);
    }

    /// Whether the next request may be taken past the runtime.
    pub(super) fn may_take_at_once(&self) -> bool {
        self.taken_at_once < TAKEN_AT_ONCE_MAX
    }

    fn note_came(&mut self, now: impl FnOnce() -> Instant) {
        if let Some(answered) = self.answered.take() {
            self.is_brisk = now() - answered <= LOOK_OUT;
        }
    }

    pub(super) fn is_on(&self, now: impl FnOnce() -> Instant) -> bool {
        let answered = self.answered.filter(|_| self.is_brisk);
        answered.is_some_and(|answered| now() - answered <= LOOK_OUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_request_is_looked_out_for_while_they_follow_their_answers_at_once() {
        let start = Instant::now();
        let at = |micros: u64| start + Duration::from_micros(micros);
        let mut look_out = LookOut::default();
        look_out.note_answered(true, at(0));
        assert!(!look_out.is_on(|| at(1)), "nobody knows yet how soon it comes");
        look_out.note_request(|| at(20));
        look_out.note_answered(true, at(100));
        assert!(look_out.is_on(|| at(149)) && !look_out.is_on(|| at(151)));
        look_out.note_request(|| at(151));
        look_out.note_answered(true, at(200));
        assert!(!look_out.is_on(|| at(201)), "the last one took longer");
        look_out.note_request(|| at(210));
        assert!(!look_out.is_on(|| at(211)), "a request is being answered");
        look_out.note_answered(false, at(300));
        assert!(!look_out.is_on(|| at(301)), "others are served here");
    }

    #[test]
    fn the_runtime_has_its_turn_after_a_few_requests_that_were_taken_past_it() {
        let start = Instant::now();
        let mut look_out = LookOut::default();
        for _ in 0..2 {
            for _ in 0..TAKEN_AT_ONCE_MAX {
                look_out.note_answered(true, start);
                assert!(look_out.may_take_at_once());
                look_out.note_taken_at_once(|| start);
                assert!(!look_out.is_on(|| start), "a request is being answered");
            }
            look_out.note_answered(true, start);
            assert!(!look_out.may_take_at_once() && look_out.is_on(|| start));
            look_out.note_request(|| start);
        }
    }
}
