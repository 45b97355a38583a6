//! Changes of the voters: proposed one at a time, answered once committed.

use std::sync::{Arc, PoisonError};

use consensus::{Epoch, VoterChange, VoterChangeError};
use env::{Clock, Env};
use metadata::KRAFT_VERSION_FEATURE;
use types::Offset;

use super::ControllerHost;
use super::state::Fate;

type Done = Box<dyn FnOnce(Result<(), VoterChangeError>) + Send>;

/// When whoever asks for a change is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerWhen {
    Committed,
    /// It is in the leader's log, and may come to nothing.
    Appended,
}

/// A change that waits for the lane.
pub(super) struct Asked {
    change: VoterChange,
    when: AnswerWhen,
    done: Done,
}

impl Asked {
    pub(super) fn refuse(self, why: VoterChangeError) {
        (self.done)(Err(why));
    }
}

/// A change on its way.
pub(super) struct Changing {
    epoch: Epoch,
    end: Offset,
    done: Done,
}

impl Changing {
    pub(super) fn refuse(self) {
        (self.done)(Err(VoterChangeError::NotLeader));
    }
}

impl<E: Env> ControllerHost<E> {
    /// Has a change of the voters made, as the active controller. Its own removal is answered, too.
    ///
    /// # Errors
    /// `done` gets why it was not made. [`NotLeader`](VoterChangeError::NotLeader) also after the
    /// reign has ended in between: it may be committed all the same.
    pub fn change_voters(
        self: &Arc<Self>,
        change: VoterChange,
        when: AnswerWhen,
        done: impl FnOnce(Result<(), VoterChangeError>) + Send + 'static,
    ) {
        if !self.is_active() {
            return done(Err(VoterChangeError::NotLeader));
        }
        if !self.is_quorum {
            return done(Err(VoterChangeError::Unsupported));
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.is_some() {
            drop(asked);
            return done(Err(VoterChangeError::Busy));
        }
        *asked = Some(Asked { change, when, done: Box::new(done) });
        drop(asked);
        self.call();
    }

    /// On the lane, at the beginning of a reign: where the first voters were named with their
    /// directories, the log must say that `kraft.version` is 1, for those who follow it. What fails
    /// is tried again by the next reign. Source: Kafka
    /// `LeaderState.appendStartOfEpochControlRecords`.
    pub(super) fn state_kraft_version(&self, epoch: Epoch) {
        if self.image().features.level(KRAFT_VERSION_FEATURE) > 0 {
            return;
        }
        let mut voting = self.voting();
        let Some(engine) = voting.engine.as_mut() else { return };
        if !engine.voters().iter().any(|voter| !voter.key.directory.is_zero()) {
            return;
        }
        let change = VoterChange::FinalizeKRaftVersion(Vec::new());
        let stated = engine.port().change_voters(epoch, change, self.env.clock().wall());
        let outcome = self.turn(engine);
        drop(voting);
        if let Err(why) = stated {
            log::info!(
                target: "kafka.raft.KafkaRaftClient",
                "the log does not say yet that kraft.version is 1: {why}"
            );
        }
        if let Err(why) = outcome {
            self.fail(&why);
        }
    }

    /// On the lane: answers what is decided, and proposes what was asked for. Who asks while a
    /// change is on its way is refused by the engine.
    pub(super) fn advance_changes(&self) {
        self.end_change();
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(asked) = asked {
            self.begin_change(asked);
            self.end_change();
        }
    }

    fn begin_change(&self, asked: Asked) {
        let state = self.lock();
        let reign = state.reign.filter(|_| state.is_activated);
        drop(state);
        let Some(epoch) = reign else { return asked.refuse(VoterChangeError::NotLeader) };
        let mut voting = self.voting();
        if voting.changing.is_some() {
            drop(voting);
            return asked.refuse(VoterChangeError::Busy);
        }
        let Some(engine) = voting.engine.as_mut() else {
            drop(voting);
            return asked.refuse(VoterChangeError::NotLeader);
        };
        let Asked { change, when, done } = asked;
        log::info!(
            target: "kafka.raft.KafkaRaftClient",
            "the voters are to change: {change:?}"
        );
        let proposed = engine.port().change_voters(epoch, change, self.env.clock().wall());
        let outcome = match proposed {
            Ok(_) => self.turn(engine),
            Err(_) => Ok(()),
        };
        match (proposed, when) {
            (Ok(end), AnswerWhen::Committed) => {
                voting.changing = Some(Changing { epoch, end, done });
                drop(voting);
            }
            (proposed, _) => {
                drop(voting);
                done(proposed.map(|_| ()));
            }
        }
        if let Err(why) = outcome {
            self.fail(&why);
        }
    }

    fn end_change(&self) {
        let mut voting = self.voting();
        let Some(Changing { epoch, end, .. }) = voting.changing else { return };
        let outcome = match self.lock().fate(epoch, end) {
            Fate::Open => return,
            Fate::Committed => Ok(()),
            Fate::Unknown => Err(VoterChangeError::NotLeader),
        };
        let changing = voting.changing.take();
        drop(voting);
        if let Some(Changing { done, .. }) = changing {
            done(outcome);
        }
    }
}
