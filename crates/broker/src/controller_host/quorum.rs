//! A controller that is one of several voters: messages in and out, time, and the first records of
//! a reign.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use consensus::NodeId;
use env::{Clock, Env, Lane};
use metadata::MetadataVersion;
use types::MonoTime;

use super::ControllerHost;
use crate::removals::LaneOf;

impl<E: Env> ControllerHost<E> {
    /// Whether other voters must agree to what is decided here.
    pub fn is_quorum(&self) -> bool {
        self.is_quorum
    }

    /// Where decisions are made that wait for other voters.
    pub fn lane(&self) -> &LaneOf<E> {
        &self.lane
    }

    /// Lets the engine speak for the first time.
    pub fn begin(self: &Arc<Self>) {
        self.after_turn(self.turn(self.lock()));
    }

    /// Another voter has said something.
    pub fn handle_message(self: &Arc<Self>, message: Bytes) {
        let mut state = self.lock();
        let Some(engine) = state.engine.as_mut() else { return };
        if let Err(error) = engine.handle_message(message) {
            log::debug!(target: "kafka.raft.KafkaRaftClient", "a message was dropped: {error}");
        }
        self.after_turn(self.turn(state));
    }

    /// A message to `node` has not arrived.
    pub fn handle_unreachable(self: &Arc<Self>, node: NodeId) {
        let mut state = self.lock();
        let Some(engine) = state.engine.as_mut() else { return };
        engine.handle_unreachable(node);
        self.after_turn(self.turn(state));
    }

    /// Time has passed. Returns when the engine wants to know of it again; `None` once closed.
    pub fn handle_time(self: &Arc<Self>) -> Option<MonoTime> {
        let now = self.env.clock().mono();
        let mut state = self.lock();
        let engine = state.engine.as_mut()?;
        if engine.port().poll_timeout().is_some_and(|at| at <= now) {
            engine.port().handle_timeout(now);
        }
        self.after_turn(self.turn(state));
        self.lock().engine.as_mut().and_then(|engine| engine.port().poll_timeout())
    }

    fn after_turn(self: &Arc<Self>, outcome: Result<(), String>) {
        if let Err(why) = outcome {
            log::error!(target: "kafka.controller.QuorumController", "{why}");
            return self.fail(&why);
        }
        let begins = {
            let state = self.lock();
            state.reign.is_some() && !state.is_activated
        };
        if begins {
            let this = Arc::clone(self);
            self.lane.run(Box::new(move || this.activate()));
        }
    }

    /// Writes what a reign must have written before it decides anything.
    fn activate(&self) {
        let deciding = self.deciding.lock().unwrap_or_else(PoisonError::into_inner);
        let epoch = {
            let state = self.lock();
            if state.is_activated {
                return;
            }
            state.reign
        };
        let first = self.ask(|c| c.activate(MetadataVersion::LATEST));
        if epoch.is_none() || self.decided(&first).is_err() {
            return;
        }
        let unserved = self.ask(|c| c.give_up_unserved_features());
        if self.decided(&unserved).is_err() {
            return;
        }
        let mut state = self.lock();
        state.is_activated = state.reign == epoch;
        self.show(state);
        drop(deciding);
        log::info!(
            target: "kafka.controller.QuorumController",
            "this node is the active controller"
        );
    }
}
