use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use types::{MonoTime, Offset, WallTime};

use crate::{
    CommittedBatch, ConsensusEngine, EngineEvent, Epoch, NodeId, ProposeError, QuorumStatus,
    VoterStatus,
};

/// Several nodes that agree because they share one value. Elections happen by the test's hand.
///
/// **Invariant:** clones share the same quorum.
#[derive(Clone, Debug)]
pub struct MemoryQuorum(Arc<Mutex<QuorumState>>);

#[derive(Debug)]
struct QuorumState {
    voters: Vec<NodeId>,
    epoch: Epoch,
    leader: Option<NodeId>,
    batches: Vec<CommittedBatch>,
}

impl QuorumState {
    fn end(&self) -> Offset {
        self.batches.last().map_or(Offset::ZERO, CommittedBatch::next_offset)
    }
}

impl MemoryQuorum {
    pub fn new(voters: impl IntoIterator<Item = NodeId>) -> MemoryQuorum {
        let mut voters: Vec<_> = voters.into_iter().collect();
        voters.sort_unstable();
        let (epoch, leader) = (Epoch::NONE, None);
        let state = QuorumState { voters, epoch, leader, batches: Vec::new() };
        MemoryQuorum(Arc::new(Mutex::new(state)))
    }

    /// The engine of one node, which starts with nothing applied.
    pub fn engine(&self, id: NodeId) -> MemoryEngine {
        MemoryEngine {
            id,
            quorum: self.clone(),
            delivered: 0,
            reign: None,
            epoch_seen: Epoch::NONE,
        }
    }

    /// Starts a reign of `leader` in a new epoch.
    pub fn elect(&self, leader: NodeId) -> Epoch {
        let mut state = self.state();
        state.epoch = state.epoch.next();
        state.leader = Some(leader);
        state.epoch
    }

    fn state(&self) -> MutexGuard<'_, QuorumState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One node's engine over a [`MemoryQuorum`]. Nothing survives the process.
#[derive(Debug)]
pub struct MemoryEngine {
    id: NodeId,
    quorum: MemoryQuorum,
    /// How many batches were handed out.
    delivered: usize,
    /// The epoch in which this node was told that it leads.
    reign: Option<Epoch>,
    epoch_seen: Epoch,
}

impl MemoryEngine {
    /// A quorum of one that leads at once: the shortest way to an engine in a test.
    pub fn alone(id: NodeId) -> MemoryEngine {
        let quorum = MemoryQuorum::new([id]);
        quorum.elect(id);
        quorum.engine(id)
    }
}

impl ConsensusEngine for MemoryEngine {
    fn propose(
        &mut self,
        epoch: Epoch,
        base_offset: Offset,
        records: Vec<Bytes>,
        now: WallTime,
    ) -> Result<(), ProposeError> {
        let mut state = self.quorum.state();
        if state.leader != Some(self.id) || state.epoch != epoch || self.reign != Some(epoch) {
            return Err(ProposeError::NotLeader);
        }
        let next = state.end();
        if base_offset != next {
            return Err(ProposeError::WrongOffset { next });
        }
        ProposeError::check_size(&records)?;
        let last_offset = base_offset.plus(records.len() as i64 - 1);
        state.batches.push(CommittedBatch {
            epoch,
            base_offset,
            last_offset,
            appended_at: now,
            records,
            kraft_version: None,
        });
        Ok(())
    }

    fn poll_event(&mut self) -> Option<EngineEvent> {
        let state = self.quorum.state();
        let (epoch, leader) = (state.epoch, state.leader);
        if epoch > self.epoch_seen && leader != Some(self.id) {
            self.epoch_seen = epoch;
            self.reign = None;
            return Some(EngineEvent::Follow { epoch, leader });
        }
        if let Some(batch) = state.batches.get(self.delivered) {
            self.delivered += 1;
            return Some(EngineEvent::Committed(batch.clone()));
        }
        if leader == Some(self.id) && self.reign != Some(epoch) {
            self.epoch_seen = epoch;
            self.reign = Some(epoch);
            return Some(EngineEvent::Leader { epoch, next: state.end() });
        }
        if leader.is_none() && self.reign.take().is_some() {
            return Some(EngineEvent::Follow { epoch, leader });
        }
        None
    }

    fn poll_timeout(&self) -> Option<MonoTime> {
        None
    }

    fn handle_timeout(&mut self, _now: MonoTime) {}

    fn resign(&mut self, epoch: Epoch) {
        let mut state = self.quorum.state();
        if state.leader == Some(self.id) && state.epoch == epoch {
            state.leader = None;
        }
    }

    fn status(&self) -> QuorumStatus {
        let state = self.quorum.state();
        let log_end = state.end();
        QuorumStatus {
            leader: state.leader,
            leader_epoch: state.epoch,
            high_watermark: log_end,
            voters: state.voters.iter().map(|&id| VoterStatus::at(id, log_end)).collect(),
            observers: Vec::new(),
            told: Vec::new(),
        }
    }
}
