//! The metadata log as Raft sees it: one entry a batch, numbered without gaps.
//!
//! A batch's index is not on disk: it is its place in the log, counted from the first one. Equal
//! logs up to an index have equal batches, so equal offsets.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use raft::eraftpb::{ConfState, Entry, EntryType, HardState, Snapshot};
use raft::{GetEntriesContext, RaftState, StorageError};
use types::{Offset, WallTime};

use super::payload::{Content, Payload};
use super::quorum_state::QuorumState;
use super::transfer::Offer;
use crate::limits::RECENT_BYTES_MAX;
use crate::{ControlBatch, Epoch, LogBatch, LogMark, MetadataLog, NodeId};

/// One batch in the log.
///
/// **Invariant:** terms do not fall and bases grow from one to the next.
#[derive(Clone, Copy, Debug)]
struct Position {
    term: u64,
    base: Offset,
}

pub(super) struct Store<L> {
    log: L,
    state: QuorumState,
    positions: VecDeque<Position>,
    /// The indexes of the batches in which the voters change, in order.
    voter_changes: Vec<u64>,
    /// The payloads of the last batches, up to the end of the log.
    recent: VecDeque<Bytes>,
    recent_bytes: usize,
    /// Somebody is too far behind, and there is no snapshot to offer.
    wants_snapshot: Cell<bool>,
    /// Up to here the host knows everything from a snapshot.
    known: u64,
    /// A read that Raft asked for has failed.
    failed: RefCell<Option<io::Error>>,
}

/// Raft's term 0 is before the first reign, and so is epoch -1.
pub(super) fn term_of(epoch: Epoch) -> u64 {
    u64::try_from(i64::from(epoch.0) + 1).unwrap_or(0)
}

/// # Panics
/// After 2^31 reigns.
pub(super) fn epoch_of(term: u64) -> Epoch {
    assert!(term <= i32::MAX as u64, "the epochs of the metadata log are used up");
    Epoch(term as i32 - 1)
}

impl<L: MetadataLog> Store<L> {
    /// # Errors
    /// The log cannot be read to its end.
    pub(super) fn open(log: L, state: QuorumState) -> io::Result<Store<L>> {
        let (positions, voter_changes) = (VecDeque::new(), Vec::new());
        let (recent, recent_bytes) = (VecDeque::new(), 0);
        let (wants_snapshot, known, failed) = (Cell::new(false), 0, RefCell::new(None));
        let mut store = Store {
            log,
            state,
            positions,
            voter_changes,
            recent,
            recent_bytes,
            wants_snapshot,
            known,
            failed,
        };
        // What was let go of may be there still.
        let (mut next, end) = (store.state.start, store.log.log_end());
        if store.log.log_start() > next || end < next {
            return Err(hole(next, end));
        }
        let mut term = store.state.first.1;
        while next < end {
            let batch = store.log.read(next)?.filter(|batch| batch.base_offset == next);
            let batch = batch.ok_or_else(|| hole(next, end))?;
            let of_batch = term_of(batch.epoch);
            if of_batch < term || batch.last_offset < next {
                return Err(hole(next, end));
            }
            (term, next) = (of_batch, batch.last_offset.plus(1));
            let base = batch.base_offset;
            store.remember(Position { term, base }, &Payload::of_batch(batch));
        }
        Ok(store)
    }

    pub(super) fn log(&self) -> &L {
        &self.log
    }

    pub(super) fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    pub(super) fn into_log(self) -> L {
        self.log
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.log.sync()
    }

    pub(super) fn state(&self) -> &QuorumState {
        &self.state
    }

    /// Changes the quorum state, for good.
    pub(super) fn change_state(&mut self, change: impl FnOnce(&mut QuorumState)) -> io::Result<()> {
        let mut state = self.state.clone();
        change(&mut state);
        if state != self.state {
            self.log.set_quorum_state(&state.encode())?;
            self.state = state;
        }
        Ok(())
    }

    pub(super) fn take_failure(&self) -> Option<io::Error> {
        self.failed.borrow_mut().take()
    }

    pub(super) fn last(&self) -> u64 {
        self.state.first.0 + self.positions.len() as u64 - 1
    }

    /// Where the batch after `index` begins.
    pub(super) fn end_of(&self, index: u64) -> Offset {
        match self.position(index + 1) {
            Some(position) => position.base,
            None if index < self.state.first.0 => self.state.start,
            None => self.log.log_end(),
        }
    }

    /// Whether the voters change in one of these entries.
    pub(super) fn has_voters_between(&self, after: u64, to: u64) -> bool {
        let at = self.voter_changes.partition_point(|index| *index <= after);
        self.voter_changes.get(at).is_some_and(|index| *index <= to)
    }

    /// The last batch below `end`, if one ends there.
    pub(super) fn index_before(&self, end: Offset) -> Option<u64> {
        let first = self.state.first.0;
        if end == self.log.log_end() {
            return Some(self.last());
        }
        let at = self.positions.binary_search_by_key(&end, |position| position.base).ok()?;
        Some(first + at as u64 - 1)
    }

    /// The last batch that a snapshot covers, if it goes with this log.
    pub(super) fn index_of(&self, snapshot: LogMark) -> Option<u64> {
        let index = self.index_before(snapshot.end)?;
        let term = raft::Storage::term(self, index).ok()?;
        (term == term_of(snapshot.epoch)).then_some(index)
    }

    /// The host knows what is up to `index`, so all of it is committed.
    pub(super) fn know(&mut self, index: u64) {
        self.known = index;
    }

    pub(super) fn take_wants_snapshot(&self) -> bool {
        self.wants_snapshot.take()
    }

    /// Lets go of everything up to `index`, of `term`, for good. First it is said where the log
    /// begins: what is before that counts no more, however much of it a crash leaves. Returns false
    /// if the disk was too full to remove anything.
    pub(super) fn trim(&mut self, index: u64, term: u64) -> io::Result<bool> {
        let (start, gone) = (self.end_of(index), (index + 1 - self.state.first.0) as usize);
        self.change_state(|state| (state.first, state.start) = ((index + 1, term), start))?;
        self.positions.drain(..gone);
        self.voter_changes.retain(|at| *at > index);
        while self.recent.len() > self.positions.len() {
            self.recent_bytes -= self.recent.pop_front().map_or(0, |payload| payload.len());
        }
        crate::single_voter::trim(&mut self.log, start)
    }

    /// Begins anew behind a snapshot of another voter, which is durable here. Wherever this stops,
    /// a start goes on with it.
    pub(super) fn install(&mut self, offer: Offer, now: WallTime) -> io::Result<()> {
        let (index, term, start) = (offer.index, offer.index_term, offer.end);
        let pinned = offer.pinned();
        self.change_state(|state| {
            (state.first, state.start, state.restarts) = ((index + 1, term), start, true);
            (state.voters, state.voters_index) = (offer.voters, index);
            state.commit = state.commit.max(index);
            if !pinned.is_empty() {
                state.peers = pinned;
            }
            offer.retired.into_iter().for_each(|id| state.retire(id));
        })?;
        self.log.restart_at(start, now)?;
        self.change_state(|state| state.restarts = false)?;
        (self.positions, self.voter_changes) = Default::default();
        (self.recent, self.recent_bytes) = Default::default();
        Ok(())
    }

    fn position(&self, index: u64) -> Option<&Position> {
        let at = index.checked_sub(self.state.first.0)?;
        self.positions.get(usize::try_from(at).ok()?)
    }

    /// Puts entries behind each other; the first may replace what is there and after it.
    ///
    /// An entry without data is the one with which `leader`, this node, opens its reign.
    pub(super) fn append(
        &mut self,
        entries: &[Entry],
        leader: NodeId,
        now: WallTime,
    ) -> io::Result<()> {
        for entry in entries {
            if entry.index <= self.last() {
                self.truncate_from(entry.index, now)?;
            }
            assert_eq!(entry.index, self.last() + 1, "the log of the quorum has no gaps");
            let payload = match (entry.context.is_empty(), entry.data.is_empty()) {
                // The leader's own change of voters: what Raft made of it is in the data.
                (false, _) => Payload::decode(entry.context.clone()),
                (true, false) => Payload::decode(entry.data.clone()),
                (true, true) => Ok(self.opening(leader, now)),
            };
            let payload = payload.map_err(io::Error::other)?;
            let base = self.write(epoch_of(entry.term), &payload)?;
            self.remember(Position { term: entry.term, base }, &payload);
        }
        Ok(())
    }

    fn opening(&self, leader: NodeId, now: WallTime) -> Payload {
        let voters = self.state.voters.iter().map(|voter| voter.key).collect();
        Payload::control(now, ControlBatch::LeaderChange { leader, voters })
    }

    fn write(&mut self, epoch: Epoch, payload: &Payload) -> io::Result<Offset> {
        let expected = self.log.log_end();
        let base = match &payload.content {
            Content::Records(records) => self.log.append(epoch, records, payload.appended_at),
            Content::Control(control) => {
                self.log.append_control(epoch, control, payload.appended_at)
            }
        }?;
        assert_eq!(base, expected, "the metadata log appended elsewhere");
        Ok(base)
    }

    fn remember(&mut self, position: Position, payload: &Payload) {
        self.positions.push_back(position);
        if payload.is_voters() {
            self.voter_changes.push(self.last());
        }
        let payload = payload.encode();
        self.recent_bytes += payload.len();
        self.recent.push_back(payload);
        while self.recent_bytes > RECENT_BYTES_MAX && self.recent.len() > 1 {
            self.recent_bytes -= self.recent.pop_front().map_or(0, |payload| payload.len());
        }
    }

    fn truncate_from(&mut self, index: u64, now: WallTime) -> io::Result<()> {
        let end = self.end_of(index - 1);
        self.log.truncate_to(end, now)?;
        while self.last() >= index {
            self.positions.pop_back();
            self.recent_bytes -= self.recent.pop_back().map_or(0, |payload| payload.len());
        }
        self.voter_changes.retain(|at| *at < index);
        assert_eq!(self.log.log_end(), end, "the metadata log was cut elsewhere");
        Ok(())
    }

    /// What the entry at `index` carries.
    pub(super) fn payload(&self, index: u64) -> io::Result<Bytes> {
        let from_end = (self.last() - index) as usize;
        if from_end < self.recent.len() {
            return Ok(self.recent[self.recent.len() - 1 - from_end].clone());
        }
        self.batch(index).map(|batch| Payload::of_batch(batch).encode())
    }

    fn batch(&self, index: u64) -> io::Result<LogBatch> {
        let (base, end) = (self.end_of(index - 1), self.log.log_end());
        let batch = self.log.read(base)?.filter(|batch| batch.base_offset == base);
        batch.ok_or_else(|| hole(base, end))
    }

    fn entry(&self, index: u64) -> io::Result<Entry> {
        let missing = || hole(self.end_of(index), self.log.log_end());
        let position = *self.position(index).ok_or_else(missing)?;
        let (term, data) = (position.term, self.payload(index)?);
        let entry_type = match self.voter_changes.binary_search(&index) {
            Ok(_) => EntryType::EntryConfChange,
            Err(_) => EntryType::EntryNormal,
        };
        Ok(Entry { entry_type, term, index, data, ..Entry::default() })
    }
}

impl<L: MetadataLog> raft::Storage for Store<L> {
    fn initial_state(&self) -> raft::Result<RaftState> {
        let state = &self.state;
        let hard_state = HardState {
            term: state.term,
            vote: state.vote,
            commit: state.commit.max(state.first.0 - 1).max(self.known),
            ..HardState::default()
        };
        let voters = state.voters.iter().map(|voter| state.raft_id(voter.key)).collect();
        Ok(RaftState { hard_state, conf_state: ConfState { voters, ..ConfState::default() } })
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low < self.state.first.0 {
            return Err(raft::Error::Store(StorageError::Compacted));
        }
        assert!(high <= self.last() + 1, "entries up to {high} of {}", self.last());
        let bytes_max = max_size.into().unwrap_or(u64::MAX);
        let (mut bytes, mut entries) = (0, Vec::new());
        for index in low..high {
            let entry = self.entry(index).map_err(|error| {
                *self.failed.borrow_mut() = Some(error);
                raft::Error::Store(StorageError::LogTemporarilyUnavailable)
            })?;
            bytes += entry.data.len() as u64;
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        let (first, before) = self.state.first;
        match self.position(index) {
            Some(position) => Ok(position.term),
            None if index + 1 == first => Ok(before),
            None if index < first => Err(raft::Error::Store(StorageError::Compacted)),
            None => Err(raft::Error::Store(StorageError::Unavailable)),
        }
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.state.first.0)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, request_index: u64, _to: u64) -> raft::Result<Snapshot> {
        let newest = self.log.newest_snapshot();
        let found = newest.and_then(|newest| Some((self.index_of(newest)?, newest)));
        // Who votes is known as of now: a snapshot from before the last change says too little.
        let is_new_enough = |index: u64| index >= request_index && index >= self.state.voters_index;
        let Some((index, newest)) = found.filter(|(index, _)| is_new_enough(*index)) else {
            self.wants_snapshot.set(true);
            return Err(raft::Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        };
        let mut snapshot = Snapshot::default();
        let metadata = snapshot.mut_metadata();
        (metadata.index, metadata.term) = (index, term_of(newest.epoch));
        Ok(snapshot)
    }
}

fn hole(at: Offset, end: Offset) -> io::Error {
    let why = format!("read the metadata log at offset {at} of {end}: the batch is not there");
    io::Error::new(io::ErrorKind::InvalidData, why)
}
