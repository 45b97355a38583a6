use std::io;

use bytes::Bytes;
use types::{Offset, WallTime};

use crate::Epoch;

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

    /// Appends the control record that opens a reign, as Kafka's tools expect at every change of
    /// epoch. It takes one offset. Returns it.
    #[doc(alias = "LeaderChangeMessage")]
    fn append_leader_change(&mut self, epoch: Epoch, now: WallTime) -> io::Result<Offset>;

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
}
