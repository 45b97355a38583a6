use std::io;

use bytes::Bytes;
use types::{Offset, WallTime};

use crate::{Epoch, NodeId, Voter, VoterKey};

/// A place between two batches of the metadata log, and so the name of a snapshot: everything below
/// `end` is before it, the last of it of `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[doc(alias = "OffsetAndEpoch")]
pub struct LogMark {
    pub end: Offset,
    pub epoch: Epoch,
}

/// The durable log of one voter, as its host keeps it: `__cluster_metadata-0` as Kafka record
/// batches, whose partition leader epoch is the batch's [`Epoch`].
///
/// One caller at a time. Calls block. A log without snapshots is never trimmed.
pub trait MetadataLog {
    /// The oldest offset that can be read.
    fn log_start(&self) -> Offset;

    /// Where the next batch lands.
    fn log_end(&self) -> Offset;

    /// The epoch of the last batch, or [`Epoch::NONE`] for a log that never had one.
    fn last_epoch(&self) -> Epoch;

    /// Appends one atomic batch; the value of each record is one element, keys are null. Not
    /// durable before [`sync`](Self::sync). Returns its base offset. An error of kind `StorageFull`
    /// leaves the log as it was; after any other nobody knows what is in it.
    fn append(&mut self, epoch: Epoch, records: &[Bytes], now: WallTime) -> io::Result<Offset>;

    /// Appends a control batch, as Kafka's tools expect at every change of epoch or of voters. It
    /// takes one offset. Returns it.
    fn append_control(
        &mut self,
        epoch: Epoch,
        control: &ControlBatch,
        now: WallTime,
    ) -> io::Result<Offset>;

    /// Takes away everything at `end` and after: a leader of a later epoch has something else
    /// there. `end` is where a batch begins. Durable when it returns.
    fn truncate_to(&mut self, end: Offset, now: WallTime) -> io::Result<()>;

    /// What [`set_quorum_state`](Self::set_quorum_state) was last given; `None` before the first.
    fn quorum_state(&self) -> io::Result<Option<Vec<u8>>>;

    /// Lets go of everything below `start`, where a batch begins. Durable when it returns. An error
    /// of kind `StorageFull` leaves the log a sound one that starts at `start` or before.
    #[doc(alias = "deleteBeforeSnapshot")]
    fn trim_to(&mut self, start: Offset) -> io::Result<()> {
        let _ = start;
        Err(without_snapshots())
    }

    /// Takes away everything and begins again, empty, at `start`. Durable when it returns; after a
    /// crash in the middle it may be called again.
    #[doc(alias = "truncateToLatestSnapshot")]
    fn restart_at(&mut self, start: Offset, now: WallTime) -> io::Result<()> {
        let _ = (start, now);
        Err(without_snapshots())
    }

    /// The newest snapshot that is whole, ends at `from` or later, and behind which the log goes
    /// on. The host can name its content until something else is asked of the log.
    fn find_snapshot(&self, from: Offset) -> io::Result<Option<LogMark>> {
        let _ = from;
        Ok(None)
    }

    /// The newest snapshot, whole or not.
    fn newest_snapshot(&self) -> Option<LogMark> {
        None
    }

    /// How long a snapshot is, and up to `bytes_max` of it from `position` on; `None` if there is
    /// none of that name.
    fn read_snapshot(
        &self,
        of: LogMark,
        position: u64,
        bytes_max: usize,
    ) -> io::Result<Option<(u64, Bytes)>> {
        let _ = (of, position, bytes_max);
        Ok(None)
    }

    /// Keeps a part of another voter's snapshot, the first of it at position 0. At a restart they
    /// are gone.
    fn put_snapshot_part(&mut self, of: LogMark, position: u64, part: &[u8]) -> io::Result<()> {
        let _ = (of, position, part);
        Err(without_snapshots())
    }

    /// Makes a snapshot of the parts that were put. Durable when it returns true; false if it is
    /// not whole, and then it is gone.
    fn complete_snapshot(&mut self, of: LogMark) -> io::Result<bool> {
        let _ = of;
        Err(without_snapshots())
    }

    /// Replaces the quorum state: after a crash it is the whole old or the whole new one. Durable
    /// when it returns.
    #[doc(alias = "QuorumStateStore")]
    fn set_quorum_state(&mut self, state: &[u8]) -> io::Result<()>;

    /// Whether a batch of `bytes` is likely to fit on the disk.
    fn has_room(&self, bytes: usize) -> bool {
        let _ = bytes;
        true
    }

    /// The batch at `from`, or `None` at the end of the log.
    fn read(&self, from: Offset) -> io::Result<Option<LogBatch>>;

    /// Makes everything appended so far survive power loss.
    fn sync(&mut self) -> io::Result<()>;
}

fn without_snapshots() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this metadata log has no snapshots")
}

/// One batch as read from a [`MetadataLog`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogBatch {
    pub epoch: Epoch,
    pub base_offset: Offset,
    pub last_offset: Offset,
    pub appended_at: WallTime,
    /// The record values; empty for a control batch.
    pub records: Vec<Bytes>,
    /// What the quorum wrote for itself.
    pub control: Option<ControlBatch>,
}

/// A batch of the engine's own: it takes an offset a control record, and holds no record of the
/// host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlBatch {
    /// Opens a reign.
    LeaderChange { leader: NodeId, voters: Vec<VoterKey> },
    /// From here on these are the voters.
    Voters(Vec<Voter>),
    /// From here on `kraft.version` is finalized at this level. The voters that were named without
    /// directories have these, and keep their numbers; none are listed where they had them before.
    KRaftVersion { level: i16, voters: Vec<Voter> },
    /// What another system's quorum wrote for itself: keys and values, kept and passed over.
    Foreign(Vec<(Bytes, Bytes)>),
}

impl ControlBatch {
    /// How many offsets it takes.
    pub fn offsets(&self) -> usize {
        match self {
            ControlBatch::LeaderChange { .. } | ControlBatch::Voters(_) => 1,
            ControlBatch::KRaftVersion { voters, .. } => 1 + usize::from(!voters.is_empty()),
            ControlBatch::Foreign(records) => records.len(),
        }
    }

    /// The level at which it finalizes `kraft.version`, if it does.
    pub fn kraft_version(&self) -> Option<i16> {
        match self {
            ControlBatch::KRaftVersion { level, .. } => Some(*level),
            _ => None,
        }
    }
}
