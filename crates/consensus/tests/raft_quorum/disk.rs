use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use consensus::{ControlBatch, Epoch, LogBatch, LogMark, MemoryLog, MetadataLog};
use types::{Offset, WallTime};

/// A defect that the checker must see. Production code knows nothing of them: they sit in the
/// ports, or in what a careless operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A sync returns before anything is on the disk: messages leave before what they say is kept.
    SyncsLie,
    /// The vote is forgotten by a power loss.
    VoteIsForgotten,
    /// A voter starts again with an empty disk as if nothing had happened.
    DiskIsReplacedUnderTheSameIdentity,
    /// The tail that a later leader replaced is back after a power loss.
    TruncationIsForgotten,
    /// One batch too many is left when the log is cut: places and offsets part (redpanda#29849).
    TruncationLeavesABatch,
    /// The file with the vote is gone after a power loss, and the log is not.
    QuorumStateIsLost,
    /// No time passes for a voter that leads (KAFKA-15489).
    LeadersHearNoClock,
}

/// A voter's log, and what a power loss makes of it.
#[derive(Clone)]
pub struct Disk {
    pub log: MemoryLog,
    defect: Option<Defect>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// Calls until the disk stops in the middle of what the engine does.
    calls_left: Option<u64>,
    /// What the log was before it was cut.
    before_cut: Option<MemoryLog>,
    synced_state: Option<Vec<u8>>,
    is_state_lost: bool,
}

impl Disk {
    pub fn new(defect: Option<Defect>) -> Disk {
        Disk { log: MemoryLog::default(), defect, shared: Arc::default() }
    }

    /// The disk fails at the `calls`-th call from here.
    pub fn fail_after(&self, calls: u64) {
        self.shared().calls_left = Some(calls);
    }

    /// Takes the power; `kept` batches that were not synced had reached the platter.
    pub fn lose_power(&mut self, kept: usize) {
        let before_cut = self.shared().before_cut.take();
        if let (Some(before), Some(Defect::TruncationIsForgotten)) = (before_cut, self.defect) {
            self.log = before;
        }
        self.log.lose_power_keeping(kept);
        if self.defect == Some(Defect::VoteIsForgotten) {
            let state = self.shared().synced_state.clone();
            let mut log = self.log.clone();
            state.map(|state| log.set_quorum_state(&state)).transpose().expect("memory works");
        }
        self.shared().is_state_lost = self.defect == Some(Defect::QuorumStateIsLost);
        self.shared().calls_left = None;
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().expect("one thread")
    }

    fn call(&self) -> io::Result<()> {
        let mut shared = self.shared();
        match &mut shared.calls_left {
            Some(0) => Err(io::Error::other("the power is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl MetadataLog for Disk {
    fn log_start(&self) -> Offset {
        self.log.log_start()
    }

    fn log_end(&self) -> Offset {
        self.log.log_end()
    }

    fn last_epoch(&self) -> Epoch {
        self.log.last_epoch()
    }

    fn append(&mut self, epoch: Epoch, records: &[Bytes], now: WallTime) -> io::Result<Offset> {
        self.call()?;
        self.log.append(epoch, records, now)
    }

    fn append_control(
        &mut self,
        epoch: Epoch,
        control: &ControlBatch,
        now: WallTime,
    ) -> io::Result<Offset> {
        self.call()?;
        self.log.append_control(epoch, control, now)
    }

    fn truncate_to(&mut self, end: Offset, now: WallTime) -> io::Result<()> {
        self.call()?;
        if self.defect == Some(Defect::TruncationIsForgotten) {
            self.shared().before_cut = Some(self.log.copy());
        }
        if self.defect == Some(Defect::TruncationLeavesABatch) {
            let last_kept = self.log.read(end)?.map_or(end, |batch| batch.last_offset.plus(1));
            return self.log.truncate_to(last_kept, now);
        }
        self.log.truncate_to(end, now)
    }

    fn trim_to(&mut self, start: Offset) -> io::Result<()> {
        self.call()?;
        self.log.trim_to(start)
    }

    fn restart_at(&mut self, start: Offset, now: WallTime) -> io::Result<()> {
        self.call()?;
        self.log.restart_at(start, now)
    }

    fn find_snapshot(&self, from: Offset) -> io::Result<Option<LogMark>> {
        self.log.find_snapshot(from)
    }

    fn newest_snapshot(&self) -> Option<LogMark> {
        self.log.newest_snapshot()
    }

    fn read_snapshot(
        &self,
        of: LogMark,
        position: u64,
        bytes_max: usize,
    ) -> io::Result<Option<(u64, Bytes)>> {
        self.log.read_snapshot(of, position, bytes_max)
    }

    fn put_snapshot_part(&mut self, of: LogMark, position: u64, part: &[u8]) -> io::Result<()> {
        self.call()?;
        self.log.put_snapshot_part(of, position, part)
    }

    fn complete_snapshot(&mut self, of: LogMark) -> io::Result<bool> {
        self.call()?;
        self.log.complete_snapshot(of)
    }

    fn quorum_state(&self) -> io::Result<Option<Vec<u8>>> {
        if self.shared().is_state_lost {
            return Ok(None);
        }
        self.log.quorum_state()
    }

    fn set_quorum_state(&mut self, state: &[u8]) -> io::Result<()> {
        self.call()?;
        self.shared().is_state_lost = false;
        let first = self.log.quorum_state()?;
        self.shared().synced_state.get_or_insert_with(|| first.unwrap_or_else(|| state.to_vec()));
        self.log.set_quorum_state(state)
    }

    fn read(&self, from: Offset) -> io::Result<Option<LogBatch>> {
        self.log.read(from)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.call()?;
        if self.defect == Some(Defect::SyncsLie) {
            return Ok(());
        }
        self.log.sync()
    }
}
