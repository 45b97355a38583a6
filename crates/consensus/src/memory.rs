use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use types::{MonoTime, Offset, WallTime};

use crate::{
    CommittedBatch, ConsensusEngine, ControlBatch, EngineEvent, Epoch, LogBatch, MetadataLog,
    NodeId, ProposeError, QuorumStatus, VoterStatus,
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
        }
    }
}

/// A [`MetadataLog`] that knows what a power loss would leave of it.
///
/// **Invariant:** clones share the same log, so a clone outlives the engine that holds the other.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog(Arc<Mutex<MemoryLogState>>);

#[derive(Debug, Default)]
struct MemoryLogState {
    batches: Vec<LogBatch>,
    /// How many batches survive a power loss.
    durable: usize,
    syncs: u64,
    fails_sync: bool,
    /// Indexes of batches that cannot be read.
    holes: Vec<usize>,
    quorum_state: Option<Vec<u8>>,
}

impl MemoryLogState {
    fn end(&self) -> Offset {
        self.batches.last().map_or(Offset::ZERO, |batch| batch.last_offset.plus(1))
    }

    fn push(&mut self, epoch: Epoch, content: Content, offsets: usize, now: WallTime) -> Offset {
        let base_offset = self.end();
        let last_offset = base_offset.plus(offsets as i64 - 1);
        let (appended_at, (records, control)) = (now, content);
        let batch = LogBatch { epoch, base_offset, last_offset, appended_at, records, control };
        self.batches.push(batch);
        base_offset
    }
}

type Content = (Vec<Bytes>, Option<ControlBatch>);

impl MemoryLog {
    /// Forgets what was not synced.
    pub fn lose_power(&self) {
        let mut state = self.state();
        let durable = state.durable;
        state.batches.truncate(durable);
    }

    /// The same, but `batches` of what was not synced had reached the disk: a torn write is cut off
    /// where the log is opened, so whole ones are left.
    pub fn lose_power_keeping(&self, batches: usize) {
        let mut state = self.state();
        let kept = state.durable.saturating_add(batches).min(state.batches.len());
        state.batches.truncate(kept);
        state.durable = kept;
    }

    /// Whether a power loss would leave the batch of `epoch` that begins at `base_offset`.
    pub fn keeps(&self, base_offset: Offset, epoch: Epoch) -> bool {
        let state = self.state();
        let durable = &state.batches[..state.durable];
        let at = durable.partition_point(|batch| batch.base_offset < base_offset);
        durable.get(at).is_some_and(|b| b.base_offset == base_offset && b.epoch == epoch)
    }

    /// How many batches a power loss may take.
    pub fn unsynced(&self) -> usize {
        let state = self.state();
        state.batches.len() - state.durable
    }

    /// Another log with the same content, which goes its own way.
    pub fn copy(&self) -> MemoryLog {
        let state = self.state();
        let copy = MemoryLogState {
            batches: state.batches.clone(),
            durable: state.durable,
            syncs: 0,
            fails_sync: false,
            holes: state.holes.clone(),
            quorum_state: state.quorum_state.clone(),
        };
        MemoryLog(Arc::new(Mutex::new(copy)))
    }

    /// From now on every sync fails, or works again.
    pub fn set_sync_fails(&self, fails: bool) {
        self.state().fails_sync = fails;
    }

    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    pub fn batches(&self) -> Vec<LogBatch> {
        self.state().batches.clone()
    }

    /// Puts a batch at the end as if an earlier process had written it.
    pub fn push_unsynced(&self, epoch: Epoch, records: &[Bytes], now: WallTime) -> Offset {
        self.state().push(epoch, (records.to_vec(), None), records.len(), now)
    }

    /// Leaves a hole of `count` offsets at the end, as a lost file would.
    pub fn skip_offsets(&self, count: usize) {
        let mut state = self.state();
        let last = state.batches.last().map_or(Epoch::NONE, |batch| batch.epoch);
        state.push(last, Content::default(), count, WallTime::NONE);
        let hole = state.batches.len() - 1;
        state.holes.push(hole);
    }

    fn state(&self) -> MutexGuard<'_, MemoryLogState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetadataLog for MemoryLog {
    fn log_start(&self) -> Offset {
        Offset::ZERO
    }

    fn log_end(&self) -> Offset {
        self.state().end()
    }

    fn last_epoch(&self) -> Epoch {
        self.state().batches.last().map_or(Epoch::NONE, |batch| batch.epoch)
    }

    fn append(&mut self, epoch: Epoch, records: &[Bytes], now: WallTime) -> io::Result<Offset> {
        Ok(self.state().push(epoch, (records.to_vec(), None), records.len(), now))
    }

    fn append_control(
        &mut self,
        epoch: Epoch,
        control: &ControlBatch,
        now: WallTime,
    ) -> io::Result<Offset> {
        let offsets = match control {
            ControlBatch::Foreign(records) => records.len(),
            _ => 1,
        };
        Ok(self.state().push(epoch, (Vec::new(), Some(control.clone())), offsets, now))
    }

    fn truncate_to(&mut self, end: Offset, _now: WallTime) -> io::Result<()> {
        let mut state = self.state();
        let kept = state.batches.partition_point(|batch| batch.last_offset < end);
        state.batches.truncate(kept);
        state.durable = state.durable.min(kept);
        Ok(())
    }

    fn quorum_state(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.state().quorum_state.clone())
    }

    fn set_quorum_state(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.fails_sync {
            return Err(io::Error::other("sync fails on request"));
        }
        state.quorum_state = Some(bytes.to_vec());
        Ok(())
    }

    fn read(&self, from: Offset) -> io::Result<Option<LogBatch>> {
        let state = self.state();
        let mut at = state.batches.partition_point(|batch| batch.last_offset < from);
        while state.holes.contains(&at) {
            at += 1;
        }
        Ok(state.batches.get(at).cloned())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state();
        if state.fails_sync {
            return Err(io::Error::other("sync fails on request"));
        }
        state.syncs += 1;
        state.durable = state.batches.len();
        Ok(())
    }
}
