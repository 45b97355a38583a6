//! Drives the controller: decide, propose, commit, gate, replay, publish, reply.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use consensus::{
    CommittedBatch, ConsensusEngine, EngineEvent, Epoch, Gate, GateVerdict, MetadataLog,
    ProposeError, QuorumStatus, SingleVoter,
};
use controller::{Controller, ControllerResult};
use env::{Clock, Env};
use metadata::{BrokerEpoch, Loaded, MetadataImage, MetadataRecord, Provenance};
use protocol::messages::{AssignReplicasToDirsRequest, BrokerHeartbeatRequest};
use storage::{LogReader, ReadError};
use types::{BrokerId, ErrorCode, MonoTime, Offset, WallTime};

use crate::metadata_fetch::CommitWait;
use crate::metadata_log::StoredMetadataLog;
use crate::timers::Timers;

/// Is told of every committed change, under the controller's lock and in commit order.
#[doc(alias = "MetadataPublisher")]
pub trait ImageSubscriber: Send + Sync {
    fn handle_image(&self, loaded: &Loaded, now: WallTime);

    /// Where replicas were put since this was last asked: what a broker tells its controller.
    fn take_assignments(&self) -> Option<AssignReplicasToDirsRequest>;

    /// The metadata log has failed; nothing is decided here any more.
    fn handle_fatal(&self, why: &str);
}

/// The controller of this node, over its engine.
///
/// A decision is made from replayed state only, and its reply leaves after its records are
/// committed, replayed and published: a client that hears "created" can use the topic at once.
pub struct ControllerHost<E: Env> {
    env: E,
    state: Mutex<State<E>>,
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
    engine: Option<SingleVoter<StoredMetadataLog<E::Disk>>>,
    gate: Gate,
    controller: Controller,
    reign: Option<Epoch>,
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
        engine: SingleVoter<StoredMetadataLog<E::Disk>>,
        controller: Controller,
        timers: Arc<Timers>,
    ) -> Result<ControllerHost<E>, String> {
        let log = Some(engine.log().reader());
        let gate = Gate::new(Epoch::NONE, engine.log().log_start());
        let mut state = State { engine: Some(engine), gate, controller, reign: None };
        state.drain(&mut Vec::new(), env.clock().mono())?;
        Ok(ControllerHost::of(env, state, log, timers))
    }

    /// What stands in its place on a broker whose controllers are elsewhere: it decides nothing.
    pub fn elsewhere(env: E, controller: Controller, timers: Arc<Timers>) -> ControllerHost<E> {
        let gate = Gate::new(Epoch::NONE, Offset::ZERO);
        let state = State { engine: None, gate, controller, reign: None };
        ControllerHost::of(env, state, None, timers)
    }

    fn of(
        env: E,
        state: State<E>,
        log: Option<LogReader<E::Disk>>,
        timers: Arc<Timers>,
    ) -> ControllerHost<E> {
        ControllerHost {
            env,
            log,
            committed: AtomicI64::new(state.gate.next().0),
            is_active: AtomicBool::new(state.reign.is_some()),
            state: Mutex::new(state),
            subscriber: Mutex::default(),
            waits: Mutex::default(),
            timers,
            heard_over: Mutex::default(),
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

    /// Whole committed batches from the one that holds `from` on, as they lie in the log.
    ///
    /// # Errors
    /// What a fetch is answered.
    pub fn read_committed(&self, from: Offset, bytes_max: usize) -> Result<Bytes, ErrorCode> {
        let log = self.log.as_ref().ok_or(ErrorCode::NotLeaderOrFollower)?;
        let committed = self.committed();
        if from >= committed {
            return Ok(Bytes::new());
        }
        match log.read(from, bytes_max, committed, true) {
            Ok(slice) => Ok(slice.bytes),
            Err(ReadError::OffsetOutOfRange { .. }) => Err(ErrorCode::OffsetOutOfRange),
            Err(_) => Err(ErrorCode::KafkaStorageError),
        }
    }

    /// `wait` is completed by the next commit.
    pub fn add_wait(&self, wait: Arc<CommitWait>) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.retain(|wait| !wait.is_over());
        waits.push(wait);
    }

    /// Tells those who look at this host without its lock where its state stands.
    fn show(&self, state: MutexGuard<'_, State<E>>) {
        self.is_active.store(state.reign.is_some(), Ordering::Release);
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
        self.lock().engine.as_ref().map(SingleVoter::status)
    }

    /// Closes the metadata log. Whatever is submitted later is refused.
    pub fn close(&self) {
        let mut state = self.lock();
        state.reign = None;
        let closed = state.engine.take().map_or(Ok(()), |engine| engine.into_log().close());
        self.show(state);
        if let Err(error) = closed {
            log::error!(target: "kafka.controller.QuorumController", "{error}");
        }
    }

    /// A broker lives, and speaks over this connection.
    pub fn note_heartbeat(&self, peer: SocketAddr, request: &BrokerHeartbeatRequest) {
        let (id, epoch) = (BrokerId(request.broker_id), BrokerEpoch(request.broker_epoch));
        let mut heard_over = self.heard_over.lock().unwrap_or_else(PoisonError::into_inner);
        // The end of a connection that it has left says nothing of it.
        heard_over.retain(|at, (other, _)| *at == peer || *other != id);
        heard_over.insert(peer, (id, epoch));
        drop(heard_over);
        let now = self.env.clock().mono();
        self.lock().controller.handle_broker_heartbeat(request, now);
    }

    /// A connection to this controller has ended.
    pub fn note_connection_end(&self, peer: SocketAddr) {
        let mut heard_over = self.heard_over.lock().unwrap_or_else(PoisonError::into_inner);
        let broker = heard_over.remove(&peer);
        drop(heard_over);
        if let Some((id, epoch)) = broker {
            let now = self.env.clock().mono();
            self.lock().controller.handle_broker_connection_lost(id, epoch, now);
        }
    }

    /// Takes brokers out of service that have been silent for too long. Returns when to look again;
    /// `None` if somebody else is to look.
    pub fn fence_silent_brokers(&self) -> Option<MonoTime> {
        loop {
            let now = self.env.clock().mono();
            let stale = self.lock().controller.poll_stale_broker(now);
            let Some((id, epoch)) = stale.filter(|_| self.is_active()) else { break };
            log::warn!(
                target: "kafka.controller.BrokerHeartbeatManager",
                "fencing broker {id}: it has not been heard of for too long"
            );
            if self.submit(|c| c.fence_broker(id, epoch)).is_err() {
                break;
            }
        }
        self.lock().controller.poll_stale_deadline()
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
        let now = (self.env.clock().wall(), self.env.clock().mono());
        let mut state = self.lock();
        let result = decide(&state.controller);
        let subscriber = self.subscriber.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let outcome = state.decided(&result, now, subscriber.as_deref());
        // What was made on the way is part of the decision: whoever hears of it finds it assigned.
        while let Some(request) = subscriber.as_ref().and_then(|s| s.take_assignments()) {
            let result = state.controller.assign_replicas_to_dirs(&request);
            if state.decided(&result, now, subscriber.as_deref()).is_err() {
                break;
            }
        }
        self.show(state);
        outcome.map(|()| result.reply)
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Env> State<E> {
    /// Commits a decision and tells of it.
    fn decided<R>(
        &mut self,
        result: &ControllerResult<R>,
        (now, mono): (WallTime, MonoTime),
        subscriber: Option<&dyn ImageSubscriber>,
    ) -> Result<(), ErrorCode> {
        if result.records.is_empty() {
            return Ok(());
        }
        let mut steps = Vec::new();
        let outcome = self.commit(result, (now, mono), &mut steps);
        // What is committed is true, whatever became of the rest.
        if let Some(subscriber) = subscriber {
            steps.iter().for_each(|loaded| subscriber.handle_image(loaded, now));
        }
        outcome.map_err(|failed| {
            log::error!(target: "kafka.controller.QuorumController", "{}", failed.why);
            if failed.is_fatal {
                self.reign = None;
                subscriber.inspect(|subscriber| subscriber.handle_fatal(&failed.why));
            }
            ErrorCode::NotController
        })
    }

    /// Proposes the batches of a decision; `steps` gets what was committed and replayed.
    fn commit<R>(
        &mut self,
        result: &ControllerResult<R>,
        (now, mono): (WallTime, MonoTime),
        steps: &mut Vec<Loaded>,
    ) -> Result<(), NotCommitted> {
        let passing = |why: &str| NotCommitted { why: why.to_owned(), is_fatal: false };
        let batches = self.controller.encode(result);
        for records in batches.map_err(|error| passing(&error.to_string()))? {
            let not_leader = || passing("this node does not lead the metadata log");
            let epoch = self.reign.ok_or_else(not_leader)?;
            let closed = || passing("the metadata log is closed");
            let engine = self.engine.as_mut().ok_or_else(closed)?;
            let proposed = engine.propose(epoch, self.gate.next(), records, now);
            proposed.map_err(|error| NotCommitted {
                why: format!("propose metadata records: {error}"),
                is_fatal: error != ProposeError::NoRoom,
            })?;
            self.drain(steps, mono).map_err(|why| NotCommitted { why, is_fatal: true })?;
        }
        Ok(())
    }

    /// Takes in everything the engine has to say.
    fn drain(&mut self, steps: &mut Vec<Loaded>, mono: MonoTime) -> Result<(), String> {
        while let Some(event) = self.engine.as_mut().and_then(SingleVoter::poll_event) {
            match event {
                EngineEvent::Leader { epoch, .. } => {
                    self.reign = Some(epoch);
                    self.controller.handle_reign_started(mono);
                }
                EngineEvent::Follow { .. } => {
                    self.reign = None;
                    self.controller.handle_reign_ended();
                }
                EngineEvent::Fatal(error) => {
                    return Err(format!("the metadata log failed: {error}"));
                }
                EngineEvent::Committed(batch) => match self.gate.admit(&batch) {
                    GateVerdict::Apply => steps.extend(self.replay(&batch)?),
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
