//! The engine of a quorum of voters: Raft, by the crate `raft`, over our log and our messages.
//!
//! Raft decides; this turns its entries into batches and its numbers into offsets, keeps the order
//! "durable first, then said", and hides what of the crate reaches for clock, chance or protobuf.
//! docs/adr: the embedded Raft engine.

mod confirming;
mod heard;
mod membership;
mod message;
mod observers;
mod opening;
mod payload;
mod peers;
mod quorum_state;
mod status;
mod store;
mod timing;
mod transfer;
mod turn;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::io;

use bytes::Bytes;
use raft::{RawNode, StateRole};
use types::{MonoTime, Offset, WallTime};

use crate::limits::UNSYNCED_BATCHES_MAX;
use crate::{
    ConsensusEngine, DeposedLeader, EngineEvent, Epoch, LogMark, MessageError, MetadataLog, NodeId,
    OutboundMessage, ProposeError, QuorumStatus, Voter, VoterChange, VoterChangeError,
    VoterEndpoint, VoterKey,
};
use confirming::Confirmations;
use heard::HeardLeader;
use message::{Address, Body, Envelope};
use payload::Payload;
use peers::Peers;
use store::{Store, term_of};
use transfer::{Incoming, Offer};

pub use timing::RaftTiming;

/// How a voter starts.
#[derive(Clone, Debug)]
pub struct RaftOptions {
    /// This node and its log directory, as `meta.properties` says. Never zero.
    pub voter: VoterKey,
    /// The first voters of the quorum, equal on all of them; a directory is zero for voters that
    /// are named by their node id alone. Ignored once the log directory knows better. Empty on a
    /// node that is to be added to a quorum.
    pub voters: Vec<Voter>,
    /// Where this node listens for voters: told by one that does not vote, so that it is sent the
    /// log.
    pub endpoints: Vec<VoterEndpoint>,
    pub timing: RaftTiming,
    /// Makes the waits of this cluster's voters differ from those of another's.
    pub seed: u64,
}

/// One voter.
///
/// **Invariant:** nothing is said to another voter that is not durable here, if it follows from it;
/// nothing is delivered that is not durable on a majority, this voter among it.
pub struct RaftEngine<L: MetadataLog> {
    node: RawNode<Store<L>>,
    address: Address,
    timing: RaftTiming,
    seed: u64,
    campaigns: u64,
    /// Wall time at the last moment the engine was told of, for what it writes by itself.
    wall: WallTime,
    clock: (WallTime, MonoTime),
    next_tick: MonoTime,
    heard: HeardLeader,
    peers: Peers,
    /// Where this node listens.
    endpoints: Vec<VoterEndpoint>,
    /// Who is sent the log without voting. Soft: whoever leads next is asked anew.
    observers: BTreeMap<u64, Voter>,
    /// Who votes and where, as a leader has told this node when it asked to observe. An address
    /// book, and nothing else: who votes is in the log.
    told: Vec<Voter>,
    /// How many ticks ago it asked.
    asked_ago: usize,
    reign: Option<Reign>,
    confirmations: Confirmations,
    /// What the host was last told: the leader and, if there is one, its term.
    followed: Option<(u64, u64)>,
    /// The last index that was delivered, and the offset after it.
    delivered: (u64, Offset),
    events: VecDeque<EngineEvent>,
    /// A snapshot that another voter sends.
    incoming: Option<Incoming>,
    /// The one that Raft was shown, and will go on from.
    shown: Option<Offer>,
    ticks: u32,
    outbox: VecDeque<OutboundMessage>,
    /// Messages that follow from what is not durable yet.
    held: Vec<raft::eraftpb::Message>,
    /// The last of Raft's changes that is in the log and not yet synced.
    unsynced: Option<u64>,
    has_failed: bool,
}

/// A time in which this node leads.
#[derive(Clone, Copy, Debug)]
struct Reign {
    term: u64,
    /// The batch that opens it is committed, and the host was told.
    is_announced: bool,
    /// Where the next proposal lands, once announced.
    next: Offset,
    deposed: Option<DeposedLeader>,
}

impl<L: MetadataLog> RaftEngine<L> {
    /// Takes up the log and the vote as they were left. A quorum of one leads at once.
    ///
    /// # Errors
    /// The log or the quorum state cannot be read, belongs to another directory or does not fit
    /// the voters that are configured.
    pub fn open(
        options: RaftOptions,
        mut log: L,
        wall: WallTime,
        now: MonoTime,
    ) -> io::Result<RaftEngine<L>> {
        let RaftOptions { voter, voters, endpoints, timing, seed } = options;
        // Another system's file of the same name is none.
        let mut state = match log.quorum_state()?.filter(|bytes| quorum_state::is_ours(bytes)) {
            Some(bytes) => opening::known_state(&bytes, voter)?,
            None => {
                let state = opening::first_state(&log, voter, voters)?;
                log.set_quorum_state(&state.encode())?;
                state
            }
        };
        opening::restart(&mut log, &mut state, wall)?;
        // What an earlier process wrote and never synced is in the log that Raft sees.
        log.sync()?;
        let address =
            Address { raft_id: state.self_id, node: voter.id, directory: voter.directory };
        let mut store = Store::open(log, state)?;
        opening::repair(&mut store)?;
        let known = opening::known(&mut store)?;
        let (first, start) = (store.state().first.0 - 1, store.state().start);
        let (applied, end) = known.map_or((first, start), |(index, mark)| (index, mark.end));
        let delivered = (applied, end);
        let mut peers = Peers::default();
        peers.know(&store.state().voters, &store.state().peers);
        let config = opening::config(address.raft_id, applied, &timing);
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let node = RawNode::new(&config, store, &logger).map_err(io::Error::other)?;
        let heard = HeardLeader::at_start(node.raft.term, &timing);
        let mut engine = RaftEngine {
            node,
            address,
            timing,
            seed,
            campaigns: 0,
            wall,
            clock: (wall, now),
            next_tick: now.plus(timing.tick),
            heard,
            peers,
            endpoints,
            observers: BTreeMap::new(),
            told: Vec::new(),
            asked_ago: timing.lease_ticks,
            reign: None,
            confirmations: Confirmations::default(),
            followed: None,
            delivered,
            events: known.map(|(_, mark)| EngineEvent::Installed(mark)).into_iter().collect(),
            incoming: None,
            shown: None,
            ticks: 0,
            outbox: VecDeque::new(),
            held: Vec::new(),
            unsynced: None,
            has_failed: false,
        };
        engine.fix_election_timeout();
        if engine.is_alone() {
            engine.node.campaign().map_err(io::Error::other)?;
        }
        engine.settle();
        Ok(engine)
    }

    /// Whether this engine has kept the quorum's state beside `log`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn is_kept_in(log: &L) -> io::Result<bool> {
        Ok(log.quorum_state()?.is_some_and(|bytes| quorum_state::is_ours(&bytes)))
    }

    /// Where the replay begins: what a [`Gate`](crate::Gate) in front of it expects first.
    pub fn log_start(&self) -> Offset {
        self.node.store().state().start
    }

    pub fn log(&self) -> &L {
        self.node.store().log()
    }

    /// Ends this voter and gives the log back, to be closed.
    pub fn into_log(self) -> L {
        self.node.raft.r.raft_log.store.into_log()
    }

    /// The voters as far as this node has applied their changes.
    pub fn voters(&self) -> &[Voter] {
        &self.node.store().state().voters
    }

    fn is_voter(&self, id: u64) -> bool {
        self.voters().iter().any(|voter| self.raft_id(voter.key) == id)
    }

    fn is_alone(&self) -> bool {
        matches!(self.voters(), [voter] if self.raft_id(voter.key) == self.address.raft_id)
    }

    /// The number by which Raft knows a voter, or one that may come to be one.
    fn raft_id(&self, key: VoterKey) -> u64 {
        self.node.store().state().raft_id(key)
    }

    /// Looks at what a call into Raft changed. Follows every one of them.
    fn settle(&mut self) {
        self.fix_election_timeout();
        self.observe_role();
        if let Some(error) = self.node.store().take_failure() {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: io::Error) {
        if !self.has_failed {
            self.has_failed = true;
            self.reign = None;
            self.held.clear();
            self.outbox.clear();
            self.events.clear();
            self.events.push_back(EngineEvent::Fatal(error));
        }
    }
}

impl<L: MetadataLog> ConsensusEngine for RaftEngine<L> {
    fn propose(
        &mut self,
        epoch: Epoch,
        base_offset: Offset,
        records: Vec<Bytes>,
        now: WallTime,
    ) -> Result<(), ProposeError> {
        if self.has_failed {
            return Err(ProposeError::Failed);
        }
        let next = self.reign_of(epoch).ok_or(ProposeError::NotLeader)?.next;
        if base_offset != next {
            return Err(ProposeError::WrongOffset { next });
        }
        let bytes = ProposeError::check_size(&records)?;
        let raft_log = &self.node.raft.raft_log;
        if raft_log.last_index() - raft_log.committed >= UNSYNCED_BATCHES_MAX as u64 {
            return Err(ProposeError::Busy);
        }
        if !self.log().has_room(bytes) {
            return Err(ProposeError::NoRoom);
        }
        let after = next.plus(records.len() as i64);
        let payload = Payload::records(now, records).encode();
        self.propose_entry(payload).map_err(|_| ProposeError::NotLeader)?;
        self.wall = self.wall.max(now);
        if let Some(reign) = &mut self.reign {
            reign.next = after;
        }
        self.settle();
        Ok(())
    }

    fn poll_event(&mut self) -> Option<EngineEvent> {
        while self.events.is_empty() && self.turn() {}
        self.events.pop_front()
    }

    fn poll_message(&mut self) -> Option<OutboundMessage> {
        while self.outbox.is_empty() && self.turn() {}
        self.outbox.pop_front()
    }

    fn handle_message(&mut self, message: Bytes) -> Result<(), MessageError> {
        if self.has_failed {
            return Err(MessageError::Failed);
        }
        let Envelope { from, to, body } = Envelope::decode(message)?;
        self.check_addresses(from, to, matches!(body, Body::Observe { .. }))?;
        match body {
            Body::NotThatVoter { known } => self.handle_not_that_voter(from, to, known),
            Body::Observe { endpoints, is_relayed } => {
                self.handle_observe(from, endpoints, is_relayed);
            }
            Body::Told { voters } => self.handle_told(voters),
            body => {
                self.check_sender(from)?;
                self.peers.hear(from, self.wall);
                self.hear(from, body);
            }
        }
        Ok(())
    }

    fn handle_unreachable(&mut self, node: NodeId) {
        if self.has_failed {
            return;
        }
        let numbers: Vec<_> = self.peers.of_node(node).collect();
        for number in numbers {
            if self.node.raft.prs().get(number).is_some() {
                self.node.report_unreachable(number);
            }
        }
        self.settle();
    }

    fn change_voters(
        &mut self,
        epoch: Epoch,
        change: VoterChange,
        now: WallTime,
    ) -> Result<Offset, VoterChangeError> {
        self.propose_voters(epoch, change, now)
    }

    fn poll_timeout(&self) -> Option<MonoTime> {
        (!self.has_failed).then_some(self.next_tick)
    }

    /// One tick at most: after a pause of the machine the messages that wait are heard before this
    /// voter thinks that the others are gone.
    fn handle_timeout(&mut self, now: MonoTime) {
        let (wall, mono) = self.clock;
        let elapsed_ms = i64::try_from(now.since(mono).as_millis()).unwrap_or(i64::MAX);
        self.wall = self.wall.max(WallTime(wall.0.saturating_add(elapsed_ms)));
        if self.has_failed || now < self.next_tick {
            return;
        }
        self.next_tick = now.plus(self.timing.tick);
        self.node.tick();
        self.heard.tick(self.node.raft.state, &self.timing);
        if self.stands() && self.node.raft.election_elapsed == 0 {
            self.campaigns += 1;
        }
        self.settle();
        self.tick_snapshots();
        self.forget_silent_observers();
        self.ask_to_observe();
    }

    fn trim(&mut self, snapshot: LogMark) -> io::Result<bool> {
        self.trim_to(snapshot)
    }

    fn wants_snapshot(&self) -> bool {
        self.node.store().take_wants_snapshot()
    }

    fn confirm(&mut self, epoch: Epoch) -> Option<u64> {
        self.ask_whether_it_leads(epoch)
    }

    fn confirmed(&self) -> u64 {
        self.confirmations.confirmed()
    }

    /// Hands over to the voter that is furthest: it need not wait until it misses a leader.
    fn resign(&mut self, epoch: Epoch) {
        let term = self.node.raft.term;
        if self.node.raft.state != StateRole::Leader || term != term_of(epoch) {
            return;
        }
        self.step_down();
    }

    fn deposed_leader(&self) -> Option<DeposedLeader> {
        self.reign.as_ref()?.deposed
    }

    fn status(&self) -> QuorumStatus {
        self.quorum_status()
    }
}
