use types::{ErrorCode, MonoTime, Offset, ProducerId, WallTime};

use crate::decision::{CoordinatorRecord, Decision};

/// The moment an event happens, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines. **Invariant:** never goes back from one call to the next.
    pub mono: MonoTime,
    /// For timestamps that are stored, and for retention.
    pub wall: WallTime,
}

/// A record as it stands in the coordinator's partition.
#[derive(Clone, Copy, Debug)]
pub struct LoadedRecord<'a> {
    pub offset: Offset,
    /// The producer of a transactional batch, whose records take effect with its commit marker;
    /// [`ProducerId::NONE`] for every other batch.
    pub transaction: ProducerId,
    pub record: &'a CoordinatorRecord,
}

/// What became of a replayed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    Applied,
    /// The key's schema version is one this build does not know; Kafka skips such records too, so
    /// that a log written by a newer broker can be read after a downgrade.
    Skipped {
        key_version: i16,
    },
    /// The bytes are not what the schema says. Nothing changed.
    Malformed,
}

/// One partition of a coordinator's topic: hard state that follows the log, and soft state.
///
/// The order of calls:
/// 1. `replay` every record of the partition, then `finish_loading`;
/// 2. an event (a request method of the implementation, or `handle_timeout` once `poll_timeout` is
///    due) returns a [`Decision`];
/// 3. if the decision has records, either all of them are appended and then replayed in order, or
///    none is and `handle_append_failed` is called; either happens before the next event;
/// 4. `unload` when the partition moves away.
pub trait CoordinatorShard {
    type Reply;

    /// The only door to hard state.
    fn replay(&mut self, record: LoadedRecord<'_>) -> Replayed;

    /// The commit or abort marker of a transaction that wrote into this partition.
    fn replay_end_transaction(&mut self, transaction: ProducerId, committed: bool);

    /// The log has been read to its end: timers start.
    fn finish_loading(&mut self, now: Now);

    /// Nothing of `failed` reached the log. Undoes what was assumed of it and answers its tokens;
    /// `error` is the append's own error.
    fn handle_append_failed(
        &mut self,
        now: Now,
        failed: Decision<Self::Reply>,
        error: ErrorCode,
    ) -> Decision<Self::Reply>;

    /// When `handle_timeout` next has something to do.
    fn poll_timeout(&self) -> Option<MonoTime>;

    /// Handles one due timer. Call again while `poll_timeout` is not after `now`.
    fn handle_timeout(&mut self, now: Now) -> Decision<Self::Reply>;

    /// This broker no longer leads the partition: what is parked is answered, nothing is written.
    fn unload(&mut self) -> Decision<Self::Reply>;
}
