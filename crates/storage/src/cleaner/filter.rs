//! What stays of a batch.

use super::kept_producers::KeptProducers;
use super::offset_map::OffsetMap;
use super::transactions::SeenTransactions;
use crate::log::append::marker_of;
use crate::txn_index::AbortedTransaction;
use records::legacy::{LegacyEntry, Stored};
use records::{BatchError, Record, RecordBatch, Retained};
use types::{Offset, WallTime};

/// What a batch becomes.
pub(super) enum Outcome {
    /// It stays byte for byte.
    Whole,
    /// This takes its place.
    Rewritten(RecordBatch),
    Dropped,
}

/// Decides batch by batch, in the order of the log.
///
/// **Source:** Kafka `Cleaner.cleanInto`, KIP-534 (delete horizon), KAFKA-8351.
pub(super) struct Filter {
    /// The newest offset of each key below `covered`.
    pub(super) map: OffsetMap,
    /// Records from here on are newer than what the map knows: they stay.
    pub(super) covered: Offset,
    pub(super) transactions: SeenTransactions,
    pub(super) producers: KeptProducers,
    pub(super) now: WallTime,
    /// When what is stamped in this cleaning may go.
    pub(super) horizon: WallTime,
}

impl Filter {
    /// `is_last` of its segment: then at least its head stays, so that the segment says which
    /// offsets it spans, whatever becomes of its records. Also returns the aborted transaction
    /// that ended here and of which something was left.
    pub(super) fn outcome(
        &mut self,
        stored: &Stored,
        is_last: bool,
    ) -> Result<(Outcome, Option<AbortedTransaction>), BatchError> {
        match stored {
            Stored::Batch(batch) if batch.header().is_control() => self.of_control(batch, is_last),
            Stored::Batch(batch) => self.of_records(batch, is_last).map(|outcome| (outcome, None)),
            Stored::Legacy(entry) => self.of_legacy(entry, is_last).map(|outcome| (outcome, None)),
        }
    }

    fn of_control(
        &mut self,
        batch: &RecordBatch,
        is_last: bool,
    ) -> Result<(Outcome, Option<AbortedTransaction>), BatchError> {
        let header = batch.header();
        if !header.has_producer() {
            // Of a quorum, not of a transaction.
            return Ok((Outcome::Whole, None));
        }
        let marker = marker_of(header, batch.bytes());
        let ended = self.transactions.see_marker(header.producer_id, marker, header.last_offset());
        let is_needed = marker
            .is_some_and(|marker| self.producers.needs_marker(header, marker.coordinator_epoch));
        let is_over = header.delete_horizon().is_some_and(|horizon| horizon <= self.now);
        let retained = match ended.is_empty && is_over && !is_needed {
            true => Retained::Nothing,
            false => batch.retain(self.horizon, ended.is_empty, |_| true)?,
        };
        Ok((settled(batch, retained, is_last), ended.aborted))
    }

    fn of_records(&mut self, batch: &RecordBatch, is_last: bool) -> Result<Outcome, BatchError> {
        let header = batch.header();
        let is_aborted = header.has_producer()
            && self.transactions.see_batch(
                header.producer_id,
                header.is_transactional(),
                header.last_offset(),
            );
        let is_remembered = self.producers.remembers(header);
        let retained = match is_aborted {
            true => Retained::Nothing,
            false => {
                let is_over = header.delete_horizon().is_some_and(|horizon| horizon <= self.now);
                let (map, covered) = (&self.map, self.covered);
                batch.retain(self.horizon, false, |record| stays(map, covered, is_over, record))?
            }
        };
        Ok(match settled(batch, retained, is_last || is_remembered) {
            Outcome::Rewritten(rewritten) if is_remembered => {
                Outcome::Rewritten(rewritten.with_max_timestamp(header.max_timestamp))
            }
            other => other,
        })
    }

    /// An entry of format 0 or 1 stays as it is if all of it stays and none of it is a tombstone.
    /// Otherwise what is left becomes a batch of format 2: only that has room for a horizon.
    fn of_legacy(&mut self, entry: &LegacyEntry, is_last: bool) -> Result<Outcome, BatchError> {
        let batch = entry.to_format_2()?;
        let (map, covered) = (&self.map, self.covered);
        let retained =
            batch.retain(self.horizon, false, |record| stays(map, covered, false, record))?;
        Ok(settled(&batch, retained, is_last))
    }
}

/// Whether a record is the newest of its key, and no tombstone that was there long enough. Without
/// a key it has no place in a compacted log.
fn stays(map: &OffsetMap, covered: Offset, is_over: bool, record: &Record) -> bool {
    if record.offset >= covered {
        return true;
    }
    let Some(key) = &record.key else { return false };
    let is_newest = map.get(key).is_none_or(|newest| newest <= record.offset);
    is_newest && !(is_over && record.value.is_none())
}

fn settled(batch: &RecordBatch, retained: Retained, must_stay: bool) -> Outcome {
    match retained {
        Retained::Unchanged => Outcome::Whole,
        Retained::Rewritten(rewritten) => Outcome::Rewritten(rewritten),
        Retained::Nothing if !must_stay => Outcome::Dropped,
        Retained::Nothing if batch.header().records_count == 0 => Outcome::Whole,
        Retained::Nothing => Outcome::Rewritten(batch.emptied()),
    }
}
