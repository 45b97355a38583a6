//! What a pass over the batches of a log has seen of its transactions.

use crate::producer_state::Marker;
use crate::txn_index::AbortedTransaction;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use types::{Offset, ProducerId};

/// Follows transactions from batch to batch, over the segments of a whole pass.
///
/// One of it lives through all groups of segments: a marker whose records lie in a group before
/// is not yet alone (KAFKA-8351).
///
/// **Source:** Kafka `CleanedTransactionMetadata`.
#[doc(alias = "CleanedTransactionMetadata")]
pub(super) struct SeenTransactions {
    /// Those that begin later, the next one first.
    ahead: VecDeque<AbortedTransaction>,
    /// Those that have begun and whose marker has not come yet.
    aborting: BTreeMap<ProducerId, AbortedTransaction>,
    /// Producers of which batches of a transaction were seen, and no marker since.
    with_batches: BTreeSet<ProducerId>,
}

/// What a marker turned out to end.
pub(super) struct Ended {
    /// No batch of it was there any more: nothing needs the marker.
    pub(super) is_empty: bool,
    /// The aborted transaction, if batches of it were there.
    pub(super) aborted: Option<AbortedTransaction>,
}

impl SeenTransactions {
    /// `aborted` are all the aborted transactions that touch the stretch.
    pub(super) fn new(mut aborted: Vec<AbortedTransaction>) -> SeenTransactions {
        aborted.sort_by_key(|one| (one.first_offset, one.last_offset));
        let ahead = aborted.into();
        SeenTransactions { ahead, aborting: BTreeMap::new(), with_batches: BTreeSet::new() }
    }

    /// Takes note of a batch of records. Says whether its transaction was aborted.
    pub(super) fn see_batch(
        &mut self,
        producer: ProducerId,
        is_transactional: bool,
        last_offset: Offset,
    ) -> bool {
        self.begin_up_to(last_offset);
        if !is_transactional {
            return false;
        }
        self.with_batches.insert(producer);
        self.aborting.contains_key(&producer)
    }

    /// Takes note of a control batch; `None` if compaction has left no marker in it.
    pub(super) fn see_marker(
        &mut self,
        producer: ProducerId,
        marker: Option<Marker>,
        last_offset: Offset,
    ) -> Ended {
        self.begin_up_to(last_offset);
        let Some(marker) = marker else { return Ended { is_empty: true, aborted: None } };
        let aborted = match marker.is_abort {
            true => self.aborting.remove(&producer),
            false => None,
        };
        let is_empty = !self.with_batches.remove(&producer);
        Ended { is_empty, aborted: aborted.filter(|_| !is_empty) }
    }

    fn begin_up_to(&mut self, offset: Offset) {
        while let Some(next) = self.ahead.front().filter(|next| next.first_offset <= offset) {
            self.aborting.insert(next.producer_id, *next);
            self.ahead.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABORT: Option<Marker> = Some(Marker { is_abort: true, coordinator_epoch: 0 });
    const COMMIT: Option<Marker> = Some(Marker { is_abort: false, coordinator_epoch: 0 });
    const P: ProducerId = ProducerId(1);
    const Q: ProducerId = ProducerId(2);

    fn aborted(producer_id: ProducerId, first: i64, last: i64) -> AbortedTransaction {
        AbortedTransaction {
            producer_id,
            first_offset: Offset(first),
            last_offset: Offset(last),
            last_stable_offset: Offset(last + 1),
        }
    }

    #[test]
    fn batches_of_an_aborted_transaction_are_told_from_those_of_the_next_one() {
        let mut seen = SeenTransactions::new(vec![aborted(P, 10, 19), aborted(Q, 12, 30)]);
        assert!(!seen.see_batch(P, true, Offset(4)), "committed before");
        assert!(!seen.see_marker(P, COMMIT, Offset(5)).is_empty);
        assert!(seen.see_batch(P, true, Offset(11)));
        assert!(!seen.see_batch(Q, false, Offset(12)), "outside of any transaction");
        assert!(seen.see_batch(Q, true, Offset(13)));
        assert_eq!(seen.see_marker(P, ABORT, Offset(19)).aborted, Some(aborted(P, 10, 19)));
        assert!(!seen.see_batch(P, true, Offset(20)), "the next one was not aborted");
    }

    #[test]
    fn a_marker_is_alone_once_no_batch_of_its_transaction_is_left() {
        let mut seen = SeenTransactions::new(vec![aborted(P, 10, 19)]);
        let ended = seen.see_marker(P, ABORT, Offset(19));
        assert!(ended.is_empty && ended.aborted.is_none());
        assert!(seen.see_marker(P, COMMIT, Offset(25)).is_empty);
        seen.see_batch(P, true, Offset(30));
        assert!(!seen.see_marker(P, COMMIT, Offset(31)).is_empty);
        assert!(seen.see_marker(P, None, Offset(32)).is_empty);
    }

    #[test]
    fn an_abort_that_no_index_knows_of_still_ends_the_batches_before_it() {
        let mut seen = SeenTransactions::new(Vec::new());
        assert!(!seen.see_batch(P, true, Offset(1)));
        assert!(!seen.see_marker(P, ABORT, Offset(2)).is_empty);
        assert!(seen.see_marker(P, COMMIT, Offset(3)).is_empty);
    }
}
