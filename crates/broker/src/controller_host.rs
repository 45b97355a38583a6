//! Drives the controller: decide, propose, commit, gate, replay, publish, reply.

mod committed;
mod engine;
mod liveness;
mod quorum;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use consensus::{
    CommittedBatch, EngineEvent, Epoch, Gate, GateVerdict, NodeId, OutboundMessage, QuorumStatus,
};
use controller::{Controller, ControllerResult};
use env::{Background, Clock, Env, Lane};
use metadata::{BrokerEpoch, Loaded, MetadataImage, MetadataRecord, Provenance};
use protocol::messages::AssignReplicasToDirsRequest;
use storage::LogReader;
use types::{BrokerId, ErrorCode, MonoTime, Offset, WallTime};

use crate::metadata_fetch::CommitWait;
use crate::removals::LaneOf;
use crate::timers::Timers;

pub use engine::Engine;

/// Is told of every committed change, under the controller's lock and in commit order.
#[doc(alias = "MetadataPublisher")]
pub trait ImageSubscriber: Send + Sync {
    fn handle_image(&self, loaded: &Loaded, now: WallTime);

    /// Where replicas were put since this was last asked: what a broker tells its controller.
    fn take_assignments(&self) -> Option<AssignReplicasToDirsRequest>;

    /// Messages to other voters.
    fn send(&self, messages: Vec<OutboundMessage>);

    /// Who leads the quorum now, if anybody is known to.
    fn handle_leader(&self, leader: Option<NodeId>, epoch: Epoch);

    /// The metadata log has failed; nothing is decided here any more.
    fn handle_fatal(&self, why: &str);
}

/// The controller of this node, over its engine.
///
/// A decision is made from replayed state only, and its reply leaves after its records are
/// committed, replayed and published: a client that hears "created" can use the topic at once.
/// In a quorum it leaves once they are committed and replayed; decisions are made on a lane, where
/// waiting for the other voters holds up nobody.
pub struct ControllerHost<E: Env> {
    env: E,
    state: Mutex<State<E>>,
    /// Something was committed, or the reign has ended.
    changed: Condvar,
    /// One decision after another, from its ground to its commit.
    deciding: Mutex<()>,
    /// Where decisions wait for other voters.
    lane: LaneOf<E>,
    /// Where images are published that a quorum has agreed on.
    publishing: LaneOf<E>,
    is_quorum: bool,
    subscriber: Mutex<Option<Arc<dyn ImageSubscriber>>>,
    /// For those who fetch the log; `None` if there is none in this process.
    log: Option<LogReader<E::Disk>>,
    /// Offsets below are committed and replayed here.
    committed: AtomicI64,
    is_active: AtomicBool,
    waits: Mutex<Vec<Arc<CommitWait>>>,
    timers: Arc<Timers>,
    /// Over which connections brokers send their heartbeats.
    heard_over: Mutex<BTreeMap<SocketAddr, (BrokerId, BrokerEpoch)>>,
}

struct State<E: Env> {
    /// `None` once closed.
    engine: Option<Engine<E::Disk>>,
    gate: Gate,
    controller: Controller,
    reign: Option<Epoch>,
    /// The reign has written what it must before it decides anything.
    is_activated: bool,
}

/// Why a decision was not committed, or nobody knows whether it was.
struct NotCommitted {
    why: String,
    /// Nothing will be from now on.
    is_fatal: bool,
}

impl<E: Env> ControllerHost<E> {
    /// Takes over an opened engine and replays its log.
    ///
    /// # Errors
    /// The log cannot be read, or holds what this build does not know.
    pub fn open(
        env: E,
        engine: Engine<E::Disk>,
        controller: Controller,
        timers: Arc<Timers>,
    ) -> Result<ControllerHost<E>, String> {
        let log = Some(engine.reader());
        let gate = Gate::new(Epoch::NONE, engine.log_start());
        let is_quorum = engine.is_quorum();
        let (engine, reign) = (Some(engine), None);
        let mut state = State { engine, gate, controller, reign, is_activated: !is_quorum };
        if !is_quorum {
            state.drain(&mut Turn::default(), env.clock().mono())?;
        }
        Ok(ControllerHost::of(env, state, log, timers))
    }

    /// What stands in its place on a broker whose controllers are elsewhere: it decides nothing.
    pub fn elsewhere(env: E, controller: Controller, timers: Arc<Timers>) -> ControllerHost<E> {
        let gate = Gate::new(Epoch::NONE, Offset::ZERO);
        let (engine, reign) = (None, None);
        let state = State { engine, gate, controller, reign, is_activated: false };
        ControllerHost::of(env, state, None, timers)
    }

    fn of(
        env: E,
        state: State<E>,
        log: Option<LogReader<E::Disk>>,
        timers: Arc<Timers>,
    ) -> ControllerHost<E> {
        ControllerHost {
            log,
            committed: AtomicI64::new(state.gate.next().0),
            is_active: AtomicBool::new(state.leads()),
            is_quorum: state.engine.as_ref().is_some_and(Engine::is_quorum),
            lane: env.background().lane("controller"),
            publishing: env.background().lane("metadata"),
            state: Mutex::new(state),
            changed: Condvar::new(),
            deciding: Mutex::default(),
            subscriber: Mutex::default(),
            waits: Mutex::default(),
            timers,
            heard_over: Mutex::default(),
            env,
        }
    }

    /// Whether this node is the active controller. Cheap: asked of every request that only the
    /// controller can answer.
    pub fn is_active(&self) -> bool {
        self.is_active.load(Ordering::Acquire)
    }

    /// Offsets below are committed.
    pub fn committed(&self) -> Offset {
        Offset(self.committed.load(Ordering::Acquire))
    }

    /// Tells those who look at this host without its lock where its state stands.
    fn show(&self, state: MutexGuard<'_, State<E>>) {
        self.is_active.store(state.leads(), Ordering::Release);
        let committed = state.gate.next().0;
        // Whoever waits for a commit looks at this host again.
        drop(state);
        self.changed.notify_all();
        if self.committed.swap(committed, Ordering::AcqRel) == committed {
            return;
        }
        let waits = std::mem::take(&mut *self.waits.lock().unwrap_or_else(PoisonError::into_inner));
        waits.iter().for_each(|wait| wait.complete(&self.timers));
    }

    /// From now on every commit is published to `subscriber`.
    pub fn subscribe(&self, subscriber: Arc<dyn ImageSubscriber>) {
        *self.subscriber.lock().unwrap_or_else(PoisonError::into_inner) = Some(subscriber);
    }

    pub fn image(&self) -> Arc<MetadataImage> {
        self.lock().controller.image()
    }

    /// What the quorum looks like from here; `None` once closed.
    pub fn quorum(&self) -> Option<QuorumStatus> {
        self.lock().engine.as_ref().map(Engine::status)
    }

    /// Closes the metadata log. Whatever is submitted later is refused.
    pub fn close(&self) {
        let mut state = self.lock();
        state.reign = None;
        let closed = state.engine.take().map_or(Ok(()), Engine::close);
        self.show(state);
        if let Err(error) = closed {
            log::error!(target: "kafka.controller.QuorumController", "{error}");
        }
    }

    /// Asks without deciding anything.
    pub fn ask<R>(&self, ask: impl FnOnce(&Controller) -> R) -> R {
        ask(&self.lock().controller)
    }

    /// Decides, commits what was decided, and returns the reply.
    ///
    /// # Errors
    /// `NOT_CONTROLLER`: the decision was not committed, or nobody knows whether it was.
    pub fn submit<R>(
        &self,
        decide: impl FnOnce(&Controller) -> ControllerResult<R>,
    ) -> Result<R, ErrorCode> {
        let _deciding = self.deciding.lock().unwrap_or_else(PoisonError::into_inner);
        let result = {
            let state = self.lock();
            if !state.is_activated {
                return Err(ErrorCode::NotController);
            }
            decide(&state.controller)
        };
        let outcome = self.decided(&result);
        // What was made on the way is part of the decision: whoever hears of it finds it assigned.
        while let Some(request) = self.subscriber().and_then(|s| s.take_assignments()) {
            let result = self.ask(|c| c.assign_replicas_to_dirs(&request));
            if self.decided(&result).is_err() {
                break;
            }
        }
        outcome.map(|()| result.reply)
    }

    /// Commits a decision and tells of it.
    fn decided<R>(&self, result: &ControllerResult<R>) -> Result<(), ErrorCode> {
        if result.records.is_empty() {
            return Ok(());
        }
        self.commit(result).map_err(|failed| {
            log::error!(target: "kafka.controller.QuorumController", "{}", failed.why);
            if failed.is_fatal {
                self.fail(&failed.why);
            }
            ErrorCode::NotController
        })
    }

    /// Proposes the batches of a decision, and waits for each to be committed.
    fn commit<R>(&self, result: &ControllerResult<R>) -> Result<(), NotCommitted> {
        let passing = |why: &str| NotCommitted { why: why.to_owned(), is_fatal: false };
        let batches = self.ask(|c| c.encode(result));
        for records in batches.map_err(|error| passing(&error.to_string()))? {
            let mut state = self.lock();
            let not_leader = || passing("this node does not lead the metadata log");
            let epoch = state.reign.ok_or_else(not_leader)?;
            let base = state.gate.next();
            let end = base.plus(records.len() as i64);
            let closed = || passing("the metadata log is closed");
            let engine = state.engine.as_mut().ok_or_else(closed)?;
            let proposed = engine.port().propose(epoch, base, records, self.env.clock().wall());
            proposed.map_err(|error| NotCommitted {
                why: format!("propose metadata records: {error}"),
                is_fatal: engine.is_fatal(error),
            })?;
            self.turn(state).map_err(|why| NotCommitted { why, is_fatal: true })?;
            let mut state = self.lock();
            while state.gate.next() < end {
                if state.reign != Some(epoch) {
                    return Err(passing(
                        "the reign has ended; perhaps it is committed all the same",
                    ));
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        Ok(())
    }

    /// Takes in everything the engine has to say, and tells those whom it concerns.
    ///
    /// # Errors
    /// The metadata log has failed.
    fn turn(&self, mut state: MutexGuard<'_, State<E>>) -> Result<(), String> {
        let subscriber = self.subscriber();
        let mut turn = Turn::default();
        let now = self.env.clock().wall();
        let outcome = state.drain(&mut turn, self.env.clock().mono());
        // What is committed is true, whatever became of the rest. Under the lock: in order.
        if let Some(subscriber) = &subscriber {
            for loaded in std::mem::take(&mut turn.steps) {
                if self.is_quorum {
                    let subscriber = Arc::clone(subscriber);
                    self.publishing.run(Box::new(move || subscriber.handle_image(&loaded, now)));
                } else {
                    subscriber.handle_image(&loaded, now);
                }
            }
        }
        self.show(state);
        if let Some(subscriber) = subscriber {
            if !turn.messages.is_empty() {
                subscriber.send(std::mem::take(&mut turn.messages));
            }
            if let Some((leader, epoch)) = turn.leader {
                subscriber.handle_leader(leader, epoch);
            }
        }
        outcome
    }

    fn fail(&self, why: &str) {
        let mut state = self.lock();
        state.reign = None;
        self.show(state);
        if let Some(subscriber) = self.subscriber() {
            subscriber.handle_fatal(why);
        }
    }

    fn subscriber(&self) -> Option<Arc<dyn ImageSubscriber>> {
        self.subscriber.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of asking the engine.
#[derive(Default)]
struct Turn {
    steps: Vec<Loaded>,
    messages: Vec<OutboundMessage>,
    leader: Option<(Option<NodeId>, Epoch)>,
}

impl<E: Env> State<E> {
    /// Whether decisions are made here.
    fn leads(&self) -> bool {
        self.reign.is_some() && self.is_activated
    }

    /// Takes in everything the engine has to say: first what others are waiting for.
    fn drain(&mut self, turn: &mut Turn, mono: MonoTime) -> Result<(), String> {
        while let Some(engine) = self.engine.as_mut() {
            if let Some(message) = engine.port().poll_message() {
                turn.messages.push(message);
                continue;
            }
            let Some(event) = engine.port().poll_event() else { break };
            let is_quorum = engine.is_quorum();
            match event {
                EngineEvent::Leader { epoch, .. } => {
                    self.reign = Some(epoch);
                    self.is_activated = !is_quorum;
                    self.controller.handle_reign_started(mono);
                    turn.leader = Some((None, epoch));
                }
                EngineEvent::Follow { epoch, leader } => {
                    self.reign = None;
                    self.controller.handle_reign_ended();
                    turn.leader = Some((leader, epoch));
                }
                EngineEvent::Fatal(error) => {
                    return Err(format!("the metadata log failed: {error}"));
                }
                EngineEvent::Committed(batch) => match self.gate.admit(&batch) {
                    GateVerdict::Apply => turn.steps.extend(self.replay(&batch)?),
                    GateVerdict::Drop => return Err("the gate dropped a batch".to_owned()),
                },
            }
        }
        Ok(())
    }

    fn replay(&mut self, batch: &CommittedBatch) -> Result<Option<Loaded>, String> {
        let at = |error: String| format!("replay metadata at {}: {error}", batch.base_offset);
        let decoded: Result<Vec<_>, _> =
            batch.records.iter().map(|value| MetadataRecord::decode(value.clone())).collect();
        let records = decoded.map_err(|error| at(error.to_string()))?;
        let provenance = Provenance {
            last_offset: batch.last_offset,
            epoch: batch.epoch.0,
            appended_at: batch.appended_at,
        };
        self.controller.replay(provenance, &records).map_err(|error| at(error.to_string()))
    }
}
