//! Which transactions were aborted, as the batches say, beside what the index says.

use records::control::ControlRecord;
use records::legacy::Stored;
use std::collections::BTreeMap;
use types::{Offset, ProducerId};

/// Transactions of which records were seen and the end not yet. As many as producers have open.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenTransactions {
    first_offsets: BTreeMap<ProducerId, Offset>,
}

/// What a batch means for transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Of a producer with records; where they begin is known if they were seen.
    Aborted(ProducerId, Option<Offset>),
    Committed,
}

impl OpenTransactions {
    /// Takes note of a batch whose checksum fits.
    pub(super) fn note(&mut self, stored: &Stored) -> Option<Ended> {
        let Stored::Batch(batch) = stored else { return None };
        let header = batch.header();
        if !header.is_transactional() {
            return None;
        }
        if !header.is_control() {
            self.first_offsets.entry(header.producer_id).or_insert(header.base_offset);
            return None;
        }
        let first = self.first_offsets.remove(&header.producer_id);
        let record = batch.records().ok()?.next()?.ok()?;
        match ControlRecord::from_record(&record).ok()? {
            ControlRecord::Abort { .. } => Some(Ended::Aborted(header.producer_id, first)),
            ControlRecord::Commit { .. } => Some(Ended::Committed),
            _ => None,
        }
    }
}
