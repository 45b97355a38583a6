use std::io;

use bytes::Bytes;
use types::{Offset, WallTime};

use crate::{Epoch, NodeId, Voter, VoterKey};

/// The durable log of one voter, as its host keeps it: `__cluster_metadata-0` as Kafka record
/// batches, whose partition leader epoch is the batch's [`Epoch`].
///
/// One caller at a time. Calls block.
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

/// A batch of the engine's own: it takes one offset, a foreign one an offset a record, and holds no
/// record of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlBatch {
    /// Opens a reign.
    LeaderChange { leader: NodeId, voters: Vec<VoterKey> },
    /// From here on these are the voters.
    Voters(Vec<Voter>),
    /// What another system's quorum wrote for itself: keys and values, kept and passed over.
    Foreign(Vec<(Bytes, Bytes)>),
}
