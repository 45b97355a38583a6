//! What must stay in a log so that its producers are known from it alone.

use crate::producer_state::{ProducerState, ProducerStates};
use records::BatchHeader;
use std::collections::BTreeMap;
use types::{Offset, ProducerId};

/// The batches that the state of each active producer remembers, and the last marker of each.
///
/// Kafka keeps the last batch of a producer; the four before it are kept here as well, since a
/// retry of any of the five is answered. A marker stays whole: emptied it would say nothing of its
/// coordinator's epoch, nor of the epoch that it gave the producer.
///
/// **Invariant:** replaying what is kept gives the state of before.
/// **Source:** Kafka `UnifiedLog.lastRecordsOfActiveProducers`.
#[derive(Default)]
pub(super) struct KeptProducers {
    producers: BTreeMap<ProducerId, KeptProducer>,
}

#[derive(Default)]
struct KeptProducer {
    /// Last offsets, growing.
    batches: Vec<Offset>,
    coordinator_epoch: Option<i32>,
    /// The last one in the stretch that was looked through, if any was there.
    last_marker: Option<Offset>,
}

impl KeptProducers {
    pub(super) fn of(states: &ProducerStates) -> KeptProducers {
        let kept = |state: &ProducerState| KeptProducer {
            batches: state.batches.iter().map(|batch| batch.last_offset).collect(),
            coordinator_epoch: (state.coordinator_epoch != ProducerState::NO_COORDINATOR)
                .then_some(state.coordinator_epoch),
            last_marker: None,
        };
        KeptProducers { producers: states.iter().map(|(id, state)| (id, kept(state))).collect() }
    }

    pub(super) fn see_marker(&mut self, header: &BatchHeader) {
        if let Some(kept) = self.producers.get_mut(&header.producer_id) {
            kept.last_marker = Some(header.base_offset);
        }
    }

    /// Whether the producer's state knows of this batch.
    pub(super) fn remembers(&self, header: &BatchHeader) -> bool {
        let kept = self.producers.get(&header.producer_id).filter(|_| header.has_producer());
        kept.is_some_and(|kept| kept.batches.contains(&header.last_offset()))
    }

    /// Whether the producer's state may rest on this marker. If none was seen in the dirty part it
    /// is one of the clean part, or of what is not cleaned; then several may stay, until the next
    /// one is seen.
    pub(super) fn needs_marker(&self, header: &BatchHeader, coordinator_epoch: i32) -> bool {
        let Some(kept) = self.producers.get(&header.producer_id) else { return false };
        match kept.last_marker {
            Some(last) => last == header.base_offset,
            None => kept.coordinator_epoch == Some(coordinator_epoch),
        }
    }
}
