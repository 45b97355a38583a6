use types::Offset;

use crate::{CommittedBatch, Epoch};

/// Stands in front of apply and lets each batch through once, in order, from no past reign.
///
/// It makes a zombie's, a duplicated, a re-sent or a gapped batch a no-op on every node in the
/// same way. It does not mend a leader that goes on in a reign in which a batch of its own was
/// lost: that is the engine's contract.
///
/// **Invariant:** the epochs of the batches it passed never fall, and their offsets are dense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    last_epoch: Epoch,
    next: Offset,
    dropped: u64,
}

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum GateVerdict {
    Apply,
    /// From an epoch that has ended, or already applied: forget it. On a leader it means that the
    /// reign is lost or a defect was found; resign.
    Drop,
}

impl Gate {
    /// A gate behind which everything below `next` is applied, the last of it in `last_epoch`.
    pub fn new(last_epoch: Epoch, next: Offset) -> Gate {
        Gate { last_epoch, next, dropped: 0 }
    }

    /// Judges one committed batch and, if it passes, counts it as applied.
    pub fn admit(&mut self, batch: &CommittedBatch) -> GateVerdict {
        if batch.epoch < self.last_epoch || batch.base_offset != self.next {
            self.dropped += 1;
            return GateVerdict::Drop;
        }
        assert!(
            batch.base_offset <= batch.last_offset,
            "batch {} to {} covers no offset",
            batch.base_offset,
            batch.last_offset
        );
        self.last_epoch = batch.epoch;
        self.next = batch.next_offset();
        GateVerdict::Apply
    }

    /// The offset that the next batch must have.
    pub fn next(&self) -> Offset {
        self.next
    }

    pub fn last_epoch(&self) -> Epoch {
        self.last_epoch
    }

    /// How many batches were dropped. Anything but 0 is worth a log line.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use types::WallTime;

    use super::*;

    fn batch(epoch: i32, base: i64, records: usize) -> CommittedBatch {
        CommittedBatch {
            epoch: Epoch(epoch),
            base_offset: Offset(base),
            last_offset: Offset(base + records as i64 - 1),
            appended_at: WallTime(0),
            records: vec![Bytes::from_static(b"r"); records],
            kraft_version: None,
        }
    }

    #[test]
    fn batches_in_order_pass_and_move_the_gate() {
        let mut gate = Gate::new(Epoch::NONE, Offset::ZERO);
        assert_eq!(gate.admit(&batch(0, 0, 3)), GateVerdict::Apply);
        assert_eq!(gate.admit(&batch(0, 3, 1)), GateVerdict::Apply);
        assert_eq!(gate.admit(&batch(4, 4, 2)), GateVerdict::Apply);
        assert_eq!(gate.next(), Offset(6));
        assert_eq!(gate.last_epoch(), Epoch(4));
        assert_eq!(gate.dropped(), 0);
    }

    #[test]
    fn a_zombie_of_an_ended_epoch_is_dropped_even_at_the_right_offset() {
        let mut gate = Gate::new(Epoch::NONE, Offset::ZERO);
        assert_eq!(gate.admit(&batch(2, 0, 1)), GateVerdict::Apply);
        assert_eq!(gate.admit(&batch(1, 1, 1)), GateVerdict::Drop);
        assert_eq!(gate.next(), Offset(1), "a dropped batch moves nothing");
        assert_eq!(gate.last_epoch(), Epoch(2));
        assert_eq!(gate.admit(&batch(2, 1, 1)), GateVerdict::Apply);
    }

    #[test]
    fn a_batch_that_came_before_or_too_early_is_dropped() {
        let mut gate = Gate::new(Epoch(3), Offset(10));
        assert_eq!(gate.admit(&batch(3, 9, 1)), GateVerdict::Drop);
        assert_eq!(gate.admit(&batch(3, 11, 1)), GateVerdict::Drop);
        assert_eq!(gate.admit(&batch(3, 9, 2)), GateVerdict::Drop);
        assert_eq!(gate.dropped(), 3);
        assert_eq!(gate.admit(&batch(3, 10, 1)), GateVerdict::Apply);
    }

    #[test]
    fn the_queue_of_a_deposed_leader_is_a_no_op_and_two_nodes_stay_equal() {
        // The old leader had fifty batches in flight when a new one was elected. Node `b` hears
        // of them late, node `a` never does: both must end alike.
        let reign_7: Vec<_> = (0..50).map(|i| batch(7, 5 + i, 1)).collect();
        let reign_8: Vec<_> = (0..50).map(|i| batch(8, 5 + i, 1)).collect();
        let mut a = Gate::new(Epoch(7), Offset(5));
        let mut b = a.clone();
        for new in &reign_8 {
            assert_eq!(a.admit(new), GateVerdict::Apply);
        }
        for (new, old) in reign_8.iter().zip(&reign_7) {
            assert_eq!(b.admit(new), GateVerdict::Apply);
            assert_eq!(b.admit(old), GateVerdict::Drop);
        }
        assert_eq!((a.next(), a.last_epoch()), (b.next(), b.last_epoch()));
        assert_eq!(b.dropped(), 50);
    }
}
