//! Which batches a `read_committed` consumer must not see.

use std::collections::{BTreeMap, BTreeSet};

use protocol::messages::fetch_response::PartitionData;
use records::control::ControlRecord;
use records::{BatchError, RecordBatch};

/// Producers whose transaction was aborted, as a scan over a fetch's batches passes them.
///
/// The broker lists aborted transactions by producer and first offset; from there to its abort
/// marker all that the producer wrote transactionally stays hidden.
/// Source: KIP-98, Kafka `CompletedFetch`.
#[derive(Debug)]
pub(crate) struct AbortedTransactions {
    is_active: bool,
    /// First offset → producers.
    upcoming: BTreeMap<i64, Vec<i64>>,
    aborting: BTreeSet<i64>,
}

impl AbortedTransactions {
    pub(crate) fn new(is_active: bool, partition: &PartitionData) -> AbortedTransactions {
        let mut upcoming: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for aborted in partition.aborted_transactions.iter().flatten() {
            upcoming.entry(aborted.first_offset).or_default().push(aborted.producer_id);
        }
        AbortedTransactions { is_active, upcoming, aborting: BTreeSet::new() }
    }

    /// Whether the next batch of the scan belongs to an aborted transaction.
    pub(crate) fn hides(&mut self, batch: &RecordBatch) -> Result<bool, BatchError> {
        let header = batch.header();
        if !self.is_active || !header.is_transactional() {
            return Ok(false);
        }
        let last = batch.last_offset().0;
        while let Some(entry) = self.upcoming.first_entry().filter(|entry| *entry.key() <= last) {
            self.aborting.extend(entry.remove());
        }
        let producer = header.producer_id.0;
        if header.is_control() {
            for record in batch.records()? {
                let marker = ControlRecord::from_record(&record?)?;
                if matches!(marker, ControlRecord::Abort { .. }) {
                    self.aborting.remove(&producer);
                }
            }
            return Ok(false);
        }
        Ok(self.aborting.contains(&producer))
    }
}
