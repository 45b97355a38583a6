//! Decisions: made one after another, committed, answered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use consensus::{Epoch, ProposeError};
use controller::{Controller, ControllerResult};
use env::{Clock, Env};
use metadata::MetadataVersion;
use types::{ErrorCode, Offset};

use super::state::Fate;
use super::{ControllerHost, Engine, Voting};
use crate::limits::DECISIONS_WAITING_MAX;

type Decide = Box<dyn FnOnce(Option<&Controller>) -> Decided + Send>;
type Done = Box<dyn FnOnce(Result<(), ErrorCode>) + Send>;

/// A decision that is still to be made, from the state of its turn; from nothing, if it must be
/// refused.
pub(super) struct Waiting {
    decide: Decide,
    /// It is among the first of this reign, before which no other is made.
    opens: Option<Epoch>,
}

struct Decided {
    batches: Result<VecDeque<Vec<Bytes>>, String>,
    done: Done,
}

/// A decision that was made in this reign and is not committed yet.
pub(super) struct UnderWay {
    epoch: Epoch,
    batches: VecDeque<Vec<Bytes>>,
    /// The next batch leaves when the log is committed so far.
    waits_for: Option<Offset>,
    done: Done,
}

/// The end of a decision. Its reply leaves without locks.
struct Ended {
    done: Done,
    outcome: Result<(), ErrorCode>,
}

impl Ended {
    fn tell(self) {
        (self.done)(self.outcome);
    }
}

/// Why a decision was not committed, or nobody knows whether it was.
struct NotCommitted {
    why: String,
    /// Nothing will be from now on.
    is_fatal: bool,
}

impl NotCommitted {
    fn passing(why: &str) -> NotCommitted {
        NotCommitted { why: why.to_owned(), is_fatal: false }
    }
}

impl Waiting {
    fn new<R: Send + 'static>(
        decide: impl FnOnce(&Controller) -> ControllerResult<R> + Send + 'static,
        done: impl FnOnce(Result<R, ErrorCode>) + Send + 'static,
    ) -> Waiting {
        let decide = move |controller: Option<&Controller>| match controller {
            Some(controller) => {
                let result = decide(controller);
                let batches = match result.records.is_empty() {
                    true => Ok(Vec::new()),
                    false => controller.encode(&result).map_err(|error| error.to_string()),
                };
                let reply = result.reply;
                let done: Done = Box::new(move |outcome| done(outcome.map(|()| reply)));
                Decided { batches: batches.map(VecDeque::from), done }
            }
            None => {
                let done: Done = Box::new(move |_| done(Err(ErrorCode::NotController)));
                Decided { batches: Ok(VecDeque::new()), done }
            }
        };
        Waiting { decide: Box::new(decide), opens: None }
    }

    fn refused(self) -> Ended {
        Ended { done: (self.decide)(None).done, outcome: Err(ErrorCode::NotController) }
    }
}

impl<E: Env> ControllerHost<E> {
    /// Has a decision made and committed. `done` gets the reply then; beside a lone voter, before
    /// this returns.
    ///
    /// # Errors
    /// `done` gets `NOT_CONTROLLER`: the decision was not committed, or nobody knows whether it
    /// was.
    pub fn submit<R: Send + 'static>(
        self: &Arc<Self>,
        decide: impl FnOnce(&Controller) -> ControllerResult<R> + Send + 'static,
        done: impl FnOnce(Result<R, ErrorCode>) + Send + 'static,
    ) {
        let waiting = Waiting::new(decide, done);
        if !self.is_quorum {
            return self.decide_here(waiting).tell();
        }
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        if decisions.len() >= DECISIONS_WAITING_MAX {
            drop(decisions);
            return waiting.refused().tell();
        }
        decisions.push_back(waiting);
        drop(decisions);
        self.call();
    }

    /// The same beside a lone voter, for whoever has nothing else to do meanwhile.
    ///
    /// # Errors
    /// `NOT_CONTROLLER`, as [`submit`](Self::submit).
    pub fn submit_alone<R: Send + 'static>(
        self: &Arc<Self>,
        decide: impl FnOnce(&Controller) -> ControllerResult<R> + Send + 'static,
    ) -> Result<R, ErrorCode> {
        let answer = Arc::new(Mutex::new(None));
        let told = Arc::clone(&answer);
        self.submit(decide, move |outcome| {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        });
        let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.unwrap_or(Err(ErrorCode::NotController))
    }

    /// Decides and commits as a lone voter, whose records are committed once they are on disk.
    fn decide_here(&self, waiting: Waiting) -> Ended {
        let mut voting = self.voting();
        let ended = self.decide_and_commit(&mut voting, waiting);
        // What was made on the way is part of the decision: whoever hears of it finds it assigned.
        while let Some(request) = self.subscriber().and_then(|s| s.take_assignments()) {
            let assign = Waiting::new(move |c| c.assign_replicas_to_dirs(&request), |_| {});
            if self.decide_and_commit(&mut voting, assign).outcome.is_err() {
                break;
            }
        }
        ended
    }

    fn decide_and_commit(&self, voting: &mut Voting<E>, waiting: Waiting) -> Ended {
        let mut decision = match self.begin(waiting) {
            Ok(decision) => decision,
            Err(ended) => return ended,
        };
        let outcome = match self.go_on(voting, &mut decision) {
            Ok(true) => Ok(()),
            Ok(false) => Err(NotCommitted::passing("a lone voter has not committed its records")),
            Err(failed) => Err(failed),
        };
        self.ended(decision, outcome)
    }

    /// On the lane: makes decisions and commits them, as far as that goes without other voters.
    pub(super) fn advance(self: &Arc<Self>) {
        self.advance_changes();
        loop {
            if let Some(epoch) = self.lock().opening.take() {
                self.open_reign(epoch);
            }
            let Some(ended) = self.advance_once() else { break };
            ended.tell();
        }
        self.advance_confirmations();
    }

    fn advance_once(&self) -> Option<Ended> {
        let mut voting = self.voting();
        let mut decision = match voting.under_way.take() {
            Some(decision) => decision,
            None => {
                let next =
                    self.decisions.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                match self.begin(next?) {
                    Ok(decision) => decision,
                    Err(ended) => return Some(ended),
                }
            }
        };
        let outcome = match self.go_on(&mut voting, &mut decision) {
            Ok(true) => Ok(()),
            Ok(false) => {
                voting.under_way = Some(decision);
                return None;
            }
            Err(failed) => Err(failed),
        };
        drop(voting);
        Some(self.ended(decision, outcome))
    }

    fn ended(&self, decision: UnderWay, outcome: Result<(), NotCommitted>) -> Ended {
        let outcome = outcome.map_err(|failed| {
            match failed.is_fatal {
                true => self.fail(&failed.why),
                false => {
                    log::warn!(target: "kafka.controller.QuorumController", "{}", failed.why);
                }
            }
            ErrorCode::NotController
        });
        Ended { done: decision.done, outcome }
    }

    /// Decides from the state as it is now: everything that was decided before is in it.
    fn begin(&self, waiting: Waiting) -> Result<UnderWay, Ended> {
        let state = self.lock();
        let may_decide = |epoch: &Epoch| {
            state.is_activated || waiting.opens.is_some_and(|opens| opens == *epoch)
        };
        let Some(epoch) = state.reign.filter(may_decide) else {
            drop(state);
            return Err(waiting.refused());
        };
        let Decided { batches, done } = (waiting.decide)(Some(&state.controller));
        drop(state);
        match batches {
            Ok(batches) => Ok(UnderWay { epoch, batches, waits_for: None, done }),
            Err(why) => {
                log::error!(target: "kafka.controller.QuorumController", "{why}");
                Err(Ended { done, outcome: Err(ErrorCode::NotController) })
            }
        }
    }

    /// Proposes what is next of a decision. Returns whether all of it is committed.
    fn go_on(&self, voting: &mut Voting<E>, decision: &mut UnderWay) -> Result<bool, NotCommitted> {
        loop {
            let state = self.lock();
            let next = state.gate.next();
            let fate = decision.waits_for.map(|end| state.fate(decision.epoch, end));
            drop(state);
            match fate {
                Some(Fate::Open) => return Ok(false),
                Some(Fate::Unknown) => {
                    let ended = "the reign has ended; perhaps it is committed all the same";
                    return Err(NotCommitted::passing(ended));
                }
                Some(Fate::Committed) | None => {}
            }
            let Some(records) = decision.batches.pop_front() else { return Ok(true) };
            let closed = || NotCommitted::passing("the metadata log is closed");
            let engine = voting.engine.as_mut().ok_or_else(closed)?;
            decision.waits_for = Some(next.plus(records.len() as i64));
            self.propose(engine, decision, next, records)?;
        }
    }

    fn propose(
        &self,
        engine: &mut Engine<E::Disk>,
        decision: &mut UnderWay,
        base: Offset,
        records: Vec<Bytes>,
    ) -> Result<(), NotCommitted> {
        let now = self.env.clock().wall();
        match engine.port().propose(decision.epoch, base, records.clone(), now) {
            Ok(()) => {}
            // No other decision is on its way: it is a batch of the engine's own, such as a change
            // of voters, which changes nothing of what was decided from.
            Err(ProposeError::WrongOffset { next }) if next > base => {
                decision.batches.push_front(records);
                decision.waits_for = Some(next);
            }
            Err(error) => {
                return Err(NotCommitted {
                    why: format!("propose metadata records: {error}"),
                    is_fatal: engine.is_fatal(error),
                });
            }
        }
        self.turn(engine).map_err(|why| NotCommitted { why, is_fatal: true })
    }

    /// Writes what a reign must have written before it decides anything else.
    fn open_reign(self: &Arc<Self>, epoch: Epoch) {
        let weak = Arc::downgrade(self);
        let first = Waiting::new(
            |c| c.activate(MetadataVersion::LATEST),
            move |written| {
                if let (Some(this), Ok(_)) = (weak.upgrade(), written) {
                    this.give_up_unserved_features(epoch);
                }
            },
        );
        self.decide_first(epoch, first);
    }

    fn give_up_unserved_features(self: &Arc<Self>, epoch: Epoch) {
        let weak = Arc::downgrade(self);
        let last = Waiting::new(
            |c| c.give_up_unserved_features(),
            move |written| {
                if let (Some(this), Ok(_)) = (weak.upgrade(), written) {
                    this.activate(epoch);
                }
            },
        );
        self.decide_first(epoch, last);
    }

    /// On the lane, which looks for it next.
    fn decide_first(&self, epoch: Epoch, waiting: Waiting) {
        let waiting = Waiting { opens: Some(epoch), ..waiting };
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner).push_front(waiting);
    }

    fn activate(&self, epoch: Epoch) {
        let mut state = self.lock();
        state.is_activated = state.reign == Some(epoch);
        let is_active = state.is_activated;
        self.show(state);
        if is_active {
            log::info!(
                target: "kafka.controller.QuorumController",
                "this node is the active controller"
            );
            if let Some(subscriber) = self.subscriber() {
                subscriber.handle_leader(None, epoch);
            }
            self.state_kraft_version(epoch);
        }
    }

    /// Nothing is decided here any more.
    pub(super) fn refuse_all(&self, under_way: Option<UnderWay>) {
        if let Some(UnderWay { done, .. }) = under_way {
            Ended { done, outcome: Err(ErrorCode::NotController) }.tell();
        }
        let waiting =
            std::mem::take(&mut *self.decisions.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(|waiting| waiting.refused().tell());
    }
}
