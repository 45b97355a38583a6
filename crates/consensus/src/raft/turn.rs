//! The order of things: durable first, then said, then applied.
//!
//! A turn is one of: take what Raft has ready (write it, say what may be said at once, deliver what
//! is committed), or make everything written durable in one sync and say what waited for it. So
//! whatever came in between two syncs shares one.

use std::io;

use bytes::Bytes;
use raft::eraftpb::{Entry, Message, MessageType};
use raft::{Ready, StateRole};

use super::message::{Address, Body, Envelope};
use super::payload::{Content, Payload};
use super::store::epoch_of;
use super::{RaftEngine, Reign};
use crate::{
    CommittedBatch, ControlBatch, EngineEvent, MessageError, MetadataLog, OutboundMessage,
};

impl<L: MetadataLog> RaftEngine<L> {
    /// Does one thing; false if there is nothing to do.
    pub(super) fn turn(&mut self) -> bool {
        if self.has_failed {
            return false;
        }
        let done = if self.node.has_ready() {
            self.take_ready()
        } else if let Some(number) = self.unsynced.take() {
            self.sync(number)
        } else {
            return false;
        };
        if let Err(error) = done {
            self.fail(error);
        }
        self.settle();
        true
    }

    fn take_ready(&mut self) -> io::Result<()> {
        let mut ready = self.node.ready();
        let installed = Some(ready.snapshot().get_metadata().index).filter(|index| *index > 0);
        self.write(&ready, installed)?;
        // Raft gives a leader's messages here: they ask others to keep what the leader is about to
        // make durable itself, and claim nothing of it.
        for message in ready.take_messages() {
            self.send(message)?;
        }
        self.held.append(&mut ready.take_persisted_messages());
        self.confirmations.take_in(&ready.take_read_states());
        let committed = ready.take_committed_entries();
        let number = ready.number();
        let is_dirty = !ready.entries().is_empty() || self.unsynced.is_some();
        self.node.advance_append_async(ready);
        // The host hears of a leader before it gets the leader's batches.
        self.settle();
        self.deliver(committed)?;
        if let Some(index) = installed {
            // Raft counts nothing behind a snapshot before that is durable.
            self.unsynced = None;
            self.sync(number)?;
            self.node.advance_apply_to(index);
            return Ok(());
        }
        if is_dirty {
            self.unsynced = Some(number);
            return Ok(());
        }
        self.durable(number)
    }

    /// Votes first: an entry of a term that this voter forgot it had reached would be a vote lost.
    fn write(&mut self, ready: &Ready, installed: Option<u64>) -> io::Result<()> {
        if let Some(hard_state) = ready.hs() {
            let (term, vote) = (hard_state.term, hard_state.vote);
            let store = self.node.mut_store();
            // It comes with every commit, too.
            if (term, vote) != (store.state().term, store.state().vote) {
                store.change_state(|state| (state.term, state.vote) = (term, vote))?;
            }
        }
        if let Some(index) = installed {
            self.install(index)?;
        }
        let (leader, wall) = (self.address.node, self.wall);
        self.node.mut_store().append(ready.entries(), leader, wall)
    }

    fn sync(&mut self, number: u64) -> io::Result<()> {
        self.node.mut_store().sync()?;
        self.durable(number)
    }

    /// Everything up to Raft's change `number` survives a power loss.
    fn durable(&mut self, number: u64) -> io::Result<()> {
        self.node.on_persist_ready(number);
        self.keep_commit_of_voters()?;
        for message in std::mem::take(&mut self.held) {
            self.send(message)?;
        }
        Ok(())
    }

    /// A voter that starts again must not vote by a configuration whose successor it has
    /// acknowledged: the members that were removed would make a majority with it.
    fn keep_commit_of_voters(&mut self) -> io::Result<()> {
        let raft_log = &self.node.raft.raft_log;
        let commit = raft_log.committed.min(raft_log.persisted);
        let store = self.node.mut_store();
        if store.has_voters_between(store.state().commit, commit) {
            store.change_state(|state| state.commit = commit)?;
        }
        Ok(())
    }

    fn deliver(&mut self, committed: Vec<Entry>) -> io::Result<()> {
        let Some(last) = committed.last().map(|entry| entry.index) else { return Ok(()) };
        for entry in committed {
            assert_eq!(entry.index, self.delivered.0 + 1, "commits come in order");
            let payload = Payload::decode(self.node.store().payload(entry.index)?);
            let payload = payload.map_err(io::Error::other)?;
            let (base_offset, next) = (self.delivered.1, self.node.store().end_of(entry.index));
            self.delivered = (entry.index, next);
            let (records, control) = match payload.content {
                Content::Records(records) => (records, None),
                Content::Control(control) => (Vec::new(), Some(control)),
            };
            self.events.push_back(EngineEvent::Committed(CommittedBatch {
                epoch: epoch_of(entry.term),
                base_offset,
                last_offset: next.plus(-1),
                appended_at: payload.appended_at,
                records,
                kraft_version: control.as_ref().and_then(ControlBatch::kraft_version),
            }));
            match control {
                Some(ControlBatch::Voters(voters)) => self.apply_voters(voters, entry.index)?,
                Some(ControlBatch::KRaftVersion { voters, .. }) => {
                    self.apply_kraft_version(voters, entry.index)?;
                }
                Some(ControlBatch::LeaderChange { .. }) => self.open_reign(entry.term),
                Some(ControlBatch::Foreign(_)) | None => {}
            }
        }
        self.node.advance_apply_to(last);
        self.leave_if_removed();
        Ok(())
    }

    /// The batch that opens a reign is committed, and everything before it was delivered.
    fn open_reign(&mut self, term: u64) {
        let next = self.node.store().log().log_end();
        let Some(reign) = self.reign.as_mut().filter(|reign| reign.term == term) else { return };
        reign.is_announced = true;
        reign.next = next;
        log::info!(
            target: "kafka.raft.KafkaRaftClient",
            "node {} leads the metadata quorum in epoch {}",
            self.address.node,
            epoch_of(term)
        );
        self.events.push_back(EngineEvent::Leader { epoch: epoch_of(term), next });
    }

    /// Raft draws its timeout from a generator of the thread; what it drew is put aside before any
    /// tick can meet it.
    pub(super) fn fix_election_timeout(&mut self) {
        let (id, draw) = (self.address.raft_id, (self.node.raft.term, self.campaigns));
        let ticks = self.timing.election_ticks(self.seed, id, draw, self.stands());
        self.node.raft.set_randomized_election_timeout(ticks);
    }

    pub(super) fn stands(&self) -> bool {
        matches!(self.node.raft.state, StateRole::PreCandidate | StateRole::Candidate)
    }

    /// Tells the host who leads, when that changed.
    pub(super) fn observe_role(&mut self) {
        if self.has_failed {
            return;
        }
        let raft = &self.node.raft;
        let (term, leader) = (raft.term, raft.leader_id);
        let leads = raft.state == StateRole::Leader;
        if leads && self.reign.is_some_and(|reign| reign.term == term) {
            return;
        }
        let ended = self.reign.take();
        if leads {
            let next = self.delivered.1;
            let deposed = self.heard.depose(term, &self.timing);
            self.reign = Some(Reign { term, is_announced: false, next, deposed });
        }
        let known = (leader != 0 && !leads).then_some((leader, term));
        let is_news = known != self.followed && (known.is_some() || !leads);
        if ended.is_some_and(|reign| reign.is_announced) || is_news {
            let leader = known.and_then(|(leader, _)| self.peers.node(leader));
            self.events.push_back(EngineEvent::Follow { epoch: epoch_of(term), leader });
        }
        self.followed = known;
    }

    /// Where the leader listens may only be known now: the host is told again whom it follows.
    pub(super) fn follow_anew(&mut self) {
        self.followed = None;
    }

    pub(super) fn step(&mut self, message: Message) {
        if self.heard.owes_lease(&message, self.node.raft.term) {
            return;
        }
        let raft = &self.node.raft;
        let last = raft.raft_log.last_index();
        if message.msg_type == MessageType::MsgHeartbeat
            && message.term >= raft.term
            && message.commit > last
        {
            // The leader counts on entries that this voter acknowledged.
            return self.fail(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "this voter's metadata log ends at batch {last} and the leader has its word \
                     for {}: it lost what it had made durable; remove it from the quorum, then \
                     add it with an empty directory",
                    message.commit
                ),
            ));
        }
        let (kind, from) = (message.msg_type, message.from);
        // Raft refuses what comes from no member; that is as if it had been lost.
        let _ = self.node.step(message);
        let raft = &self.node.raft;
        if raft.leader_id == from && raft.state == StateRole::Follower {
            self.heard.hear(self.peers.node(from), &self.timing);
        }
        if kind == MessageType::MsgTimeoutNow && raft.state == StateRole::Candidate {
            self.heard.name_heir(raft.term);
        }
        // An idle follower answers heartbeats alone.
        let answers = [MessageType::MsgAppendResponse, MessageType::MsgHeartbeatResponse];
        if answers.contains(&kind) && raft.state == StateRole::Leader {
            let last = raft.raft_log.last_index();
            if raft.prs().get(from).is_some_and(|progress| progress.matched == last) {
                self.peers.note_caught_up(from, self.wall);
            }
        }
        self.settle();
    }

    /// # Errors
    /// Raft refuses: it does not lead.
    pub(super) fn propose_entry(&mut self, payload: Bytes) -> raft::Result<()> {
        let entry = Entry { data: payload, ..Entry::default() };
        let mut message = Message { msg_type: MessageType::MsgPropose, ..Message::default() };
        message.from = self.address.raft_id;
        message.entries.push(entry);
        self.node.raft.step(message)
    }

    /// Puts a message into the outbox, with the content of the entries as they are in the log.
    fn send(&mut self, mut message: Message) -> io::Result<()> {
        let Some(peer) = self.peers.get(message.to) else { return Ok(()) };
        let to = peer.address;
        if message.msg_type == MessageType::MsgSnapshot {
            self.offer(to, &message);
            return Ok(());
        }
        for entry in message.entries.iter_mut() {
            if entry.data.is_empty() || !entry.context.is_empty() {
                entry.data = self.node.store().payload(entry.index)?;
                entry.context = Bytes::new();
            }
        }
        self.put(to, Body::Raft(Box::new(message)));
        Ok(())
    }

    pub(super) fn put(&mut self, to: Address, body: Body) {
        self.put_from(self.address, to, body);
    }

    pub(super) fn put_from(&mut self, from: Address, to: Address, body: Body) {
        let bytes = Envelope { from, to, body }.encode();
        self.outbox.push_back(OutboundMessage { to: to.node, bytes });
    }

    /// # Errors
    /// [`MessageError::NotForUs`], or an address that cannot be.
    pub(super) fn check_addresses(
        &self,
        from: Address,
        to: Address,
        is_for_any: bool,
    ) -> Result<(), MessageError> {
        let own = self.address;
        let is_ours = is_for_any || (to.raft_id == own.raft_id && to.node == own.node);
        let is_directory = to.directory.is_zero() || to.directory == own.directory;
        if !is_ours || !is_directory || from.raft_id == own.raft_id {
            return Err(MessageError::NotForUs);
        }
        if !super::peers::is_consistent(from) {
            return Err(MessageError::Malformed("its sender's number is another's"));
        }
        Ok(())
    }
}
