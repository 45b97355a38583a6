//! Answers that wait until the other voters have said that this node leads still.

use std::sync::{Arc, PoisonError};

use consensus::Epoch;
use env::Env;
use types::ErrorCode;

use super::ControllerHost;
use crate::limits::DECISIONS_WAITING_MAX;

pub(super) type Confirmed = Box<dyn FnOnce(Result<(), ErrorCode>) + Send>;

/// A question that is under way, and whom its answer concerns.
pub(super) struct Confirming {
    epoch: Epoch,
    number: u64,
    waiting: Vec<Confirmed>,
}

impl Confirming {
    pub(super) fn refuse(self) {
        refuse(self.waiting);
    }
}

fn refuse(waiting: Vec<Confirmed>) {
    waiting.into_iter().for_each(|done| done(Err(ErrorCode::NotController)));
}

impl<E: Env> ControllerHost<E> {
    /// Calls `done` once this node is known to have led after this was called. A controller that
    /// has slept believes that it leads until it hears of another: what it knows is not what is.
    ///
    /// One question is under way at a time; who comes meanwhile waits for the next.
    ///
    /// # Errors
    /// `done` gets `NOT_CONTROLLER`: it does not lead, or nobody says that it does.
    pub fn confirm_reign(
        self: &Arc<Self>,
        done: impl FnOnce(Result<(), ErrorCode>) + Send + 'static,
    ) {
        if !self.is_quorum {
            return done(Ok(()));
        }
        let mut unconfirmed = self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner);
        if unconfirmed.len() >= DECISIONS_WAITING_MAX {
            drop(unconfirmed);
            return done(Err(ErrorCode::NotController));
        }
        unconfirmed.push(Box::new(done));
        drop(unconfirmed);
        self.call();
    }

    /// On the lane: tells those who waited, and asks for those who came meanwhile.
    pub(super) fn advance_confirmations(&self) {
        // A voter that is alone is its own majority: it needs no second look.
        while self.end_question() && self.begin_question() {}
    }

    /// Returns whether none is under way.
    fn end_question(&self) -> bool {
        let mut voting = self.voting();
        let Some(question) = voting.confirming.take() else { return true };
        let confirmed = voting.engine.as_mut().map(|engine| engine.port().confirmed());
        let leads = self.lock().reign == Some(question.epoch);
        match confirmed.filter(|_| leads) {
            Some(confirmed) if confirmed < question.number => {
                voting.confirming = Some(question);
                false
            }
            Some(_) => {
                drop(voting);
                question.waiting.into_iter().for_each(|done| done(Ok(())));
                true
            }
            None => {
                drop(voting);
                question.refuse();
                true
            }
        }
    }

    /// Returns whether one was asked.
    fn begin_question(&self) -> bool {
        let waiting = self.take_unconfirmed();
        if waiting.is_empty() {
            return false;
        }
        let reign = self.lock().reign;
        let mut voting = self.voting();
        let engine = voting.engine.as_mut();
        let asked = engine.zip(reign).and_then(|(engine, epoch)| {
            let number = engine.port().confirm(epoch)?;
            Some((epoch, number, self.turn(engine)))
        });
        let Some((epoch, number, outcome)) = asked else {
            drop(voting);
            refuse(waiting);
            return false;
        };
        voting.confirming = Some(Confirming { epoch, number, waiting });
        drop(voting);
        if let Err(why) = outcome {
            self.fail(&why);
        }
        true
    }

    fn take_unconfirmed(&self) -> Vec<Confirmed> {
        std::mem::take(&mut *self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Nobody is asked any more.
    pub(super) fn refuse_unconfirmed(&self, question: Option<Confirming>) {
        question.into_iter().for_each(Confirming::refuse);
        refuse(self.take_unconfirmed());
    }
}
