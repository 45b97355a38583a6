use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use types::{Offset, WallTime};

use crate::{ControlBatch, Epoch, LogBatch, LogMark, MetadataLog};

/// How a whole snapshot in memory ends.
pub const SNAPSHOT_END: &[u8] = b"end";

/// A [`MetadataLog`] that knows what a power loss would leave of it.
///
/// **Invariant:** clones share the same log, so a clone outlives the engine that holds the other.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog(Arc<Mutex<MemoryLogState>>);

#[derive(Clone, Debug, Default)]
struct MemoryLogState {
    /// What lies below is gone.
    start: Offset,
    /// Of the last batch that is gone.
    epoch_before: Option<Epoch>,
    batches: Vec<LogBatch>,
    /// How many batches survive a power loss.
    durable: usize,
    syncs: u64,
    fails_sync: bool,
    /// Indexes of batches that cannot be read.
    holes: Vec<usize>,
    quorum_state: Option<Vec<u8>>,
    /// Durable. One without its end is damaged.
    snapshots: BTreeMap<LogMark, Bytes>,
    /// Parts of another voter's.
    parts: Option<(LogMark, Vec<u8>)>,
}

impl MemoryLogState {
    fn end(&self) -> Offset {
        self.batches.last().map_or(self.start, |batch| batch.last_offset.plus(1))
    }

    /// Whether a batch, or the log, ends there.
    fn fits(&self, mark: &LogMark) -> bool {
        let before = self.batches.iter().rev().find(|batch| batch.last_offset < mark.end);
        match before {
            Some(batch) => batch.last_offset.plus(1) == mark.end && batch.epoch == mark.epoch,
            None => mark.end == self.start && self.epoch_before.is_none_or(|e| e == mark.epoch),
        }
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
        state.parts = None;
    }

    /// The same, but `batches` of what was not synced had reached the disk: a torn write is cut off
    /// where the log is opened, so whole ones are left.
    pub fn lose_power_keeping(&self, batches: usize) {
        let mut state = self.state();
        let kept = state.durable.saturating_add(batches).min(state.batches.len());
        state.batches.truncate(kept);
        state.durable = kept;
        state.parts = None;
    }

    /// Whether a power loss would leave the batch of `epoch` that begins at `base_offset`, or a
    /// snapshot that it is in.
    pub fn keeps(&self, base_offset: Offset, epoch: Epoch) -> bool {
        let state = self.state();
        if base_offset < state.start {
            return true;
        }
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
        let copy = MemoryLogState { syncs: 0, fails_sync: false, ..self.state().clone() };
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

    /// Puts down a snapshot as the host would. One without [`SNAPSHOT_END`] is damaged.
    pub fn put_snapshot(&self, mark: LogMark, bytes: Bytes) {
        self.state().snapshots.insert(mark, bytes);
    }

    /// Removes the snapshots before `mark`.
    pub fn remove_snapshots_before(&self, mark: LogMark) {
        self.state().snapshots.retain(|of, _| *of >= mark);
    }

    fn state(&self) -> MutexGuard<'_, MemoryLogState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetadataLog for MemoryLog {
    fn log_start(&self) -> Offset {
        self.state().start
    }

    fn log_end(&self) -> Offset {
        self.state().end()
    }

    fn last_epoch(&self) -> Epoch {
        let state = self.state();
        let before = state.epoch_before.unwrap_or(Epoch::NONE);
        state.batches.last().map_or(before, |batch| batch.epoch)
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
        let offsets = control.offsets();
        Ok(self.state().push(epoch, (Vec::new(), Some(control.clone())), offsets, now))
    }

    fn truncate_to(&mut self, end: Offset, _now: WallTime) -> io::Result<()> {
        let mut state = self.state();
        let kept = state.batches.partition_point(|batch| batch.last_offset < end);
        state.batches.truncate(kept);
        state.durable = state.durable.min(kept);
        Ok(())
    }

    fn trim_to(&mut self, start: Offset) -> io::Result<()> {
        let mut state = self.state();
        if state.fails_sync {
            return Err(io::Error::other("sync fails on request"));
        }
        let gone = state.batches.partition_point(|batch| batch.last_offset < start);
        assert!(gone <= state.durable, "what is not durable is not let go of");
        state.epoch_before = gone.checked_sub(1).map(|last| state.batches[last].epoch);
        state.batches.drain(..gone);
        (state.start, state.durable) = (start, state.durable - gone);
        Ok(())
    }

    fn restart_at(&mut self, start: Offset, _now: WallTime) -> io::Result<()> {
        let mut state = self.state();
        state.batches.clear();
        (state.start, state.durable, state.epoch_before) = (start, 0, None);
        Ok(())
    }

    fn find_snapshot(&self, from: Offset) -> io::Result<Option<LogMark>> {
        let state = self.state();
        let mut whole =
            state.snapshots.iter().rev().filter(|(_, bytes)| bytes.ends_with(SNAPSHOT_END));
        let fits = |mark: &&LogMark| mark.end >= from && state.fits(mark);
        Ok(whole.by_ref().map(|(mark, _)| mark).find(fits).copied())
    }

    fn newest_snapshot(&self) -> Option<LogMark> {
        self.state().snapshots.keys().next_back().copied()
    }

    fn read_snapshot(
        &self,
        of: LogMark,
        position: u64,
        bytes_max: usize,
    ) -> io::Result<Option<(u64, Bytes)>> {
        let state = self.state();
        Ok(state.snapshots.get(&of).map(|bytes| {
            let from = bytes.len().min(position as usize);
            let to = bytes.len().min(from + bytes_max);
            (bytes.len() as u64, bytes.slice(from..to))
        }))
    }

    fn put_snapshot_part(&mut self, of: LogMark, position: u64, part: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if position == 0 {
            state.parts = Some((of, Vec::new()));
        }
        let (whose, parts) = state.parts.get_or_insert((of, Vec::new()));
        assert_eq!((*whose, parts.len() as u64), (of, position), "parts come in order");
        parts.extend_from_slice(part);
        Ok(())
    }

    fn complete_snapshot(&mut self, of: LogMark) -> io::Result<bool> {
        let mut state = self.state();
        let parts = state.parts.take().filter(|(whose, _)| *whose == of);
        let whole = parts.filter(|(_, bytes)| bytes.ends_with(SNAPSHOT_END));
        let is_whole = whole.is_some();
        if let Some((mark, bytes)) = whole {
            state.snapshots.insert(mark, Bytes::from(bytes));
        }
        Ok(is_whole)
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
