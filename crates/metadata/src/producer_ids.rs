//! Which producer ids are given out.

use protocol::metadata_records::ProducerIdsRecord;
use types::ProducerId;

use crate::ReplayError;

/// **Invariant:** ids below `next` may be in use; it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdsImage {
    /// The first id of the next block.
    pub next: ProducerId,
}

impl Default for ProducerIdsImage {
    fn default() -> ProducerIdsImage {
        ProducerIdsImage { next: ProducerId(0) }
    }
}

impl ProducerIdsImage {
    /// This image with `delta` in it.
    pub fn apply(&self, delta: &ProducerIdsDelta) -> ProducerIdsImage {
        ProducerIdsImage { next: delta.next.unwrap_or(self.next) }
    }
}

/// The next free id, if some records moved it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProducerIdsDelta {
    next: Option<ProducerId>,
}

impl ProducerIdsDelta {
    pub fn next(&self) -> Option<ProducerId> {
        self.next
    }

    pub(crate) fn set(
        &mut self,
        base: &ProducerIdsImage,
        record: &ProducerIdsRecord,
    ) -> Result<(), ReplayError> {
        let next = self.next.unwrap_or(base.next);
        let found = record.next_producer_id;
        if found < next.0 {
            return Err(ReplayError::ProducerIdsWentBack { next: next.0, found });
        }
        self.next = Some(ProducerId(found));
        Ok(())
    }
}
