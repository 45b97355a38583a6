//! Drives the controller: decide, propose, commit, gate, replay, publish, reply.

mod committed;
mod confirming;
mod decisions;
mod engine;
mod liveness;
mod quorum;
mod snapshots;
mod state;
#[cfg(test)]
mod tests;
mod voter_changes;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consensus::{
    EngineEvent, Epoch, Gate, NodeId, OutboundMessage, QuorumStatus, VoterChangeError,
};
use controller::Controller;
use env::{Background, Clock, Env, Lane};
use metadata::{BrokerEpoch, Loaded, MetadataImage};
use protocol::messages::AssignReplicasToDirsRequest;
use storage::LogReader;
use types::{BrokerId, Offset, WallTime};

use self::confirming::{Confirmed, Confirming};
use self::decisions::{UnderWay, Waiting};
use self::quorum::Inbox;
use self::snapshots::Snapshots;
use self::state::{State, Told};
use self::voter_changes::{Asked, Changing};
use crate::metadata_fetch::CommitWait;
use crate::removals::LaneOf;
use crate::timers::Timers;

pub use engine::Engine;
pub use voter_changes::AnswerWhen;

/// Is told of every committed change, in commit order.
#[doc(alias = "MetadataPublisher")]
pub trait ImageSubscriber: Send + Sync {
    fn handle_image(&self, loaded: &Loaded, now: WallTime);

    /// Where replicas were put since this was last asked: what a broker tells its controller.
    fn take_assignments(&self) -> Option<AssignReplicasToDirsRequest>;

    /// A message to another voter. Must return at once, and call nothing of the host that waits.
    fn send(&self, message: OutboundMessage);

    /// Which other node leads the quorum now, if one is known to. Also when the controller here
    /// has become active.
    fn handle_leader(&self, leader: Option<NodeId>, epoch: Epoch);

    /// The metadata log has failed; nothing is decided here any more.
    fn handle_fatal(&self, why: &str);
}

/// The controller of this node, over its engine.
///
/// A decision is made from replayed state only, one after another from its ground to its commit,
/// and its reply leaves after its records are committed, replayed and published: a client that
/// hears "created" can use the topic at once.
///
/// A lone voter decides where the request arrives. In a quorum whatever touches the engine happens
/// on one lane: messages of other voters, time, and decisions, which wait for their commit without
/// holding up anybody (their replies leave once they are committed and replayed). The lane alone
/// waits for the disk.
///
/// Two locks, taken in this order: `voting`, which may be held for as long as the disk takes, and
/// `state`, which never is. Who serves requests takes the second one alone, unless the voter is a
/// lone one.
pub struct ControllerHost<E: Env> {
    env: E,
    voting: Mutex<Voting<E>>,
    state: Mutex<State>,
    /// Decisions of a quorum that wait for their turn.
    decisions: Mutex<VecDeque<Waiting>>,
    /// A change of the voters that waits for its turn.
    asked: Mutex<Option<Asked>>,
    /// Who waits for the next question whether this node leads.
    unconfirmed: Mutex<Vec<Confirmed>>,
    /// What the lane has yet to hear from others.
    inbox: Mutex<Inbox>,
    /// The lane will look at what waits for it.
    is_called: AtomicBool,
    lane: LaneOf<E>,
    /// Where images are published that a quorum has agreed on.
    publishing: LaneOf<E>,
    is_quorum: bool,
    subscriber: Mutex<Option<Arc<dyn ImageSubscriber>>>,
    /// For those who fetch the log; `None` if there is none in this process.
    log: Option<LogReader<E::Disk>>,
    snapshots: Snapshots<E>,
    /// Offsets below are committed and replayed here.
    committed: AtomicI64,
    is_active: AtomicBool,
    waits: Mutex<Vec<Arc<CommitWait>>>,
    timers: Arc<Timers>,
    /// Over which connections brokers send their heartbeats.
    heard_over: Mutex<BTreeMap<SocketAddr, (BrokerId, BrokerEpoch)>>,
}

/// What may wait for the disk.
struct Voting<E: Env> {
    /// `None` once closed.
    engine: Option<Engine<E::Disk>>,
    /// The decision whose records are on their way.
    under_way: Option<UnderWay>,
    /// The change of voters that is.
    changing: Option<Changing>,
    /// The question whether this node leads that is.
    confirming: Option<Confirming>,
}

impl<E: Env> ControllerHost<E> {
    /// Takes over an opened engine. The log of a lone voter is replayed at once.
    ///
    /// # Errors
    /// The log cannot be read, or holds what this build does not know.
    pub fn open(
        env: E,
        engine: Engine<E::Disk>,
        controller: Controller,
        timers: Arc<Timers>,
    ) -> Result<Arc<ControllerHost<E>>, String> {
        let is_quorum = engine.is_quorum();
        let state = State {
            gate: Gate::new(Epoch::NONE, engine.log_start()),
            controller,
            reign: None,
            committed_by_us: (Epoch::NONE, Offset::ZERO),
            is_activated: !is_quorum,
            opening: None,
            quorum: Some(engine.status()),
        };
        let host = Arc::new(ControllerHost::of(env, Some(engine), state, timers));
        if !is_quorum && let Some(engine) = &mut host.voting().engine {
            host.turn(engine)?;
        }
        Ok(host)
    }

    /// What stands in its place on a broker whose controllers are elsewhere: it decides nothing.
    pub fn elsewhere(
        env: E,
        controller: Controller,
        timers: Arc<Timers>,
    ) -> Arc<ControllerHost<E>> {
        let gate = Gate::new(Epoch::NONE, Offset::ZERO);
        let (reign, opening, quorum) = (None, None, None);
        let state = State {
            gate,
            controller,
            reign,
            committed_by_us: (Epoch::NONE, Offset::ZERO),
            is_activated: false,
            opening,
            quorum,
        };
        Arc::new(ControllerHost::of(env, None, state, timers))
    }

    fn of(
        env: E,
        engine: Option<Engine<E::Disk>>,
        state: State,
        timers: Arc<Timers>,
    ) -> ControllerHost<E> {
        let log = engine.as_ref().map(Engine::reader);
        ControllerHost {
            snapshots: Snapshots::of(&env, log.clone(), &state.controller.config().quorum),
            log,
            committed: AtomicI64::new(state.gate.next().0),
            is_active: AtomicBool::new(state.leads()),
            is_quorum: engine.as_ref().is_some_and(Engine::is_quorum),
            lane: env.background().lane("controller"),
            publishing: env.background().lane("metadata"),
            voting: Mutex::new(Voting {
                engine,
                under_way: None,
                changing: None,
                confirming: None,
            }),
            unconfirmed: Mutex::default(),
            asked: Mutex::default(),
            state: Mutex::new(state),
            decisions: Mutex::default(),
            inbox: Mutex::default(),
            is_called: AtomicBool::new(false),
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
    fn show(&self, state: MutexGuard<'_, State>) {
        self.is_active.store(state.leads(), Ordering::Release);
        let committed = state.gate.next().0;
        // Whoever waits for a commit looks at this host again.
        drop(state);
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
        self.lock().quorum.clone()
    }

    /// Closes the metadata log. Whatever is submitted later is refused.
    pub fn close(&self) {
        let mut voting = self.voting();
        let engine = voting.engine.take();
        let under_way = voting.under_way.take();
        let changing = voting.changing.take();
        let confirming = voting.confirming.take();
        drop(voting);
        let mut state = self.lock();
        (state.reign, state.quorum) = (None, None);
        self.show(state);
        if let Some(Err(error)) = engine.map(Engine::close) {
            log::error!(target: "kafka.controller.QuorumController", "{error}");
        }
        self.refuse_all(under_way);
        self.refuse_unconfirmed(confirming);
        changing.into_iter().for_each(Changing::refuse);
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        asked.into_iter().for_each(|asked| asked.refuse(VoterChangeError::NotLeader));
    }

    /// Asks without deciding anything.
    pub fn ask<R>(&self, ask: impl FnOnce(&Controller) -> R) -> R {
        ask(&self.lock().controller)
    }

    /// Takes in everything the engine has to say, and tells those whom it concerns. The engine may
    /// wait for the disk.
    ///
    /// # Errors
    /// The metadata log has failed.
    fn turn(&self, engine: &mut Engine<E::Disk>) -> Result<(), String> {
        let subscriber = self.subscriber();
        let mut told = Told::default();
        let mut outcome = Ok(());
        loop {
            if let Some(message) = engine.port().poll_message() {
                // Before the next sync: the others write at the same time.
                subscriber.as_ref().inspect(|subscriber| subscriber.send(message));
                continue;
            }
            let Some(event) = engine.port().poll_event() else { break };
            let now = self.env.clock().mono();
            let deposed = engine.deposed_leader();
            if let EngineEvent::Installed(mark) = event {
                outcome = self.install(engine, mark, &mut told);
                match outcome {
                    Ok(()) => continue,
                    Err(_) => break,
                }
            }
            let mut state = self.lock();
            let is_reign = matches!(event, EngineEvent::Leader { .. });
            if let EngineEvent::Committed(batch) = &event {
                let bytes = batch.records.iter().map(bytes::Bytes::len).sum();
                told.is_snapshot_due |= self.snapshots.note_committed(bytes, now);
            }
            outcome = state.take_in(event, &mut told, now, self.is_quorum);
            if let Some(before) = deposed.filter(|_| is_reign) {
                let id = BrokerId(before.node.0);
                state.controller.handle_deposed_leader(id, before.silent, before.missed);
            }
            drop(state);
            if outcome.is_err() {
                break;
            }
        }
        // What is committed is true, whatever became of the rest.
        if let Some(subscriber) = &subscriber {
            self.publish(subscriber, told.steps);
        }
        if outcome.is_ok() {
            self.trim(engine);
        }
        if outcome.is_ok() && (told.is_snapshot_due || engine.port().wants_snapshot()) {
            self.begin_snapshot(engine);
        }
        let mut state = self.lock();
        state.quorum = Some(engine.status());
        self.show(state);
        if let (Some(subscriber), Some((leader, epoch))) = (subscriber, told.leader) {
            subscriber.handle_leader(leader, epoch);
        }
        outcome
    }

    /// Under the engine's lock: in commit order.
    fn publish(&self, subscriber: &Arc<dyn ImageSubscriber>, steps: Vec<Loaded>) {
        let now = self.env.clock().wall();
        for loaded in steps {
            if self.is_quorum {
                let subscriber = Arc::clone(subscriber);
                self.publishing.run(Box::new(move || subscriber.handle_image(&loaded, now)));
            } else {
                subscriber.handle_image(&loaded, now);
            }
        }
    }

    fn fail(&self, why: &str) {
        log::error!(target: "kafka.controller.QuorumController", "{why}");
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

    fn voting(&self) -> MutexGuard<'_, Voting<E>> {
        self.voting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
