//! Batches of idempotent producers that were refused for a reason that passes.

use std::collections::BTreeMap;
use std::ops::Range;

use records::BatchHeader;
use storage::AppendError;
use types::{LeaderEpoch, ProducerEpoch, ProducerId, Sequence, WallTime};

use super::owner::AppendRefused;
use crate::limits::{BROKEN_SEQUENCE_WARNING_MS, GAP_AFTER_ELECTION_MS, REFUSED_RUNS_MAX};

/// Where a batch stands among those of its producer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    producer: ProducerId,
    epoch: ProducerEpoch,
    first: Sequence,
    next: Sequence,
}

impl Run {
    /// `None` for a batch without a producer id.
    pub(super) fn of(header: &BatchHeader) -> Option<Run> {
        header.has_producer().then(|| Run {
            producer: header.producer_id,
            epoch: header.producer_epoch,
            first: header.base_sequence,
            next: header.last_sequence().plus(1),
        })
    }
}

/// For each producer the batch that was refused last, so that those on their way behind it hear the
/// same.
///
/// A producer has up to five requests on their way. If the reason for refusing the first passes
/// before the second is looked at, the second is out of sequence. librdkafka takes that for a loss
/// of state: it gives itself the next epoch, and sends in it again, in all partitions, what it has
/// in doubt; what was written before is then there twice. And where the producer is unknown, so
/// that it may start anywhere, the second is written, and librdkafka takes its answer for that of
/// the first, too, which is lost. So the batch directly behind a refused one is refused for the
/// same reason, as if it had been looked at in the same moment, and clients send both again in
/// order.
///
/// **Invariant:** after one refusal no batch hears its reason twice: a producer that gives up the
/// first batch is soon told that the sequence is broken.
///
/// Differs from Kafka, which looks at the second as if the first had never come.
#[derive(Default)]
pub(super) struct RefusedRuns {
    refused: BTreeMap<ProducerId, Refused>,
    /// When the log last told of a broken sequence.
    warned: Option<WallTime>,
    /// When this reign began, unless it is the partition's first.
    succeeded: Option<WallTime>,
}

struct Refused {
    epoch: ProducerEpoch,
    /// Where the batch behind it begins.
    next: Sequence,
    why: AppendRefused,
}

impl Refused {
    fn is_before(&self, run: Run) -> bool {
        (self.epoch, self.next) == (run.epoch, run.first)
    }
}

impl RefusedRuns {
    /// Why the batch is refused without being looked at, if it is.
    pub(super) fn refusal_behind(&mut self, run: Run) -> Option<AppendRefused> {
        let before = self.refused.get_mut(&run.producer)?;
        before.is_before(run).then(|| {
            before.next = run.next;
            before.why.clone()
        })
    }

    /// What the sender of `run` is told, whose batch cannot be appended because of `why`.
    pub(super) fn refuse(&mut self, run: Option<Run>, why: AppendRefused) -> AppendRefused {
        let Some(run) = run else { return why };
        let before = self.refused.remove(&run.producer);
        let before = before.filter(|before| before.is_before(run));
        let told = match (&why, before) {
            (AppendRefused::Log(AppendError::OutOfOrderSequence { .. }), Some(before)) => {
                before.why
            }
            _ => why,
        };
        if passes(&told) {
            if self.refused.len() >= REFUSED_RUNS_MAX {
                // The lowest id is the producer that came first.
                self.refused.pop_first();
            }
            let refused = Refused { epoch: run.epoch, next: run.next, why: told.clone() };
            self.refused.insert(run.producer, refused);
        }
        told
    }

    /// This broker leads from here on; another one may have led before.
    pub(super) fn handle_elected(&mut self, epoch: LeaderEpoch, now: WallTime) {
        self.succeeded = (epoch > LeaderEpoch(0)).then_some(now);
    }

    /// When what should come before a batch may be on its way to the leader before. The clock may
    /// go back.
    pub(super) fn patience(&self) -> Range<WallTime> {
        let ms = GAP_AFTER_ELECTION_MS as i64;
        let around = |began: WallTime| {
            WallTime(began.0.saturating_sub(ms))..WallTime(began.0.saturating_add(ms))
        };
        self.succeeded.map_or(WallTime(0)..WallTime(0), around)
    }

    /// What a batch is told that nothing but `why` speaks against. Early in a reign a gap is no
    /// broken sequence: the connection to the leader before does not end before the request times
    /// out, and the client then sends both again in order.
    pub(super) fn with_patience(&self, why: AppendRefused, now: WallTime) -> AppendRefused {
        match &why {
            AppendRefused::Log(AppendError::OutOfOrderSequence { expected, got, .. })
                if got.0.wrapping_sub(expected.0) > 0 && self.patience().contains(&now) =>
            {
                AppendRefused::NotLeader
            }
            _ => why,
        }
    }

    /// Whether it is time for another line about a broken sequence.
    pub(super) fn may_warn(&mut self, now: WallTime) -> bool {
        let is_near = |warned: WallTime| now.0.abs_diff(warned.0) < BROKEN_SEQUENCE_WARNING_MS;
        if self.warned.is_some_and(is_near) {
            return false;
        }
        self.warned = Some(now);
        true
    }

    /// A batch of the producer is in the log.
    pub(super) fn handle_appended(&mut self, run: Option<Run>) {
        if let (false, Some(run)) = (self.refused.is_empty(), run) {
            self.refused.remove(&run.producer);
        }
    }
}

/// Whether the same batch may be taken when it comes again.
fn passes(why: &AppendRefused) -> bool {
    match why {
        AppendRefused::Gone(_) | AppendRefused::NotLeader | AppendRefused::TooFewInSync => true,
        AppendRefused::Log(AppendError::NoSpace { .. }) => true,
        AppendRefused::Log(AppendError::Storage(error)) => error.is_full(),
        AppendRefused::TooFewInSyncAfterAppend | AppendRefused::Log(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::ErrorCode;

    fn run(producer: i64, first: i32, next: i32) -> Option<Run> {
        let (producer, epoch) = (ProducerId(producer), ProducerEpoch(0));
        Some(Run { producer, epoch, first: Sequence(first), next: Sequence(next) })
    }

    fn out_of_order() -> AppendRefused {
        AppendRefused::Log(AppendError::OutOfOrderSequence {
            producer: ProducerId(1),
            epoch: ProducerEpoch(0),
            expected: Sequence(0),
            got: Sequence(1),
        })
    }

    fn told(runs: &mut RefusedRuns, run: Option<Run>, why: AppendRefused) -> ErrorCode {
        runs.refuse(run, why).error_code()
    }

    const BROKEN: ErrorCode = ErrorCode::OutOfOrderSequenceNumber;
    const TOO_FEW: ErrorCode = ErrorCode::NotEnoughReplicas;

    #[test]
    fn all_that_is_on_its_way_behind_a_refused_batch_is_refused_for_the_same_reason() {
        let mut runs = RefusedRuns::default();
        assert_eq!(told(&mut runs, run(1, 0, 5), AppendRefused::TooFewInSync), TOO_FEW);
        assert_eq!(told(&mut runs, run(1, 5, 8), out_of_order()), TOO_FEW);
        assert_eq!(told(&mut runs, run(1, 8, 9), out_of_order()), TOO_FEW);
        assert_eq!(told(&mut runs, run(1, 10, 11), out_of_order()), BROKEN, "a gap");
    }

    #[test]
    fn a_batch_behind_a_refused_one_is_not_looked_at_and_the_refused_one_itself_is() {
        let mut runs = RefusedRuns::default();
        told(&mut runs, run(1, 0, 5), AppendRefused::TooFewInSync);
        let mut told = |run: Option<Run>| runs.refusal_behind(run?).map(|why| why.error_code());
        assert_eq!(told(run(1, 5, 8)), Some(TOO_FEW));
        assert_eq!(told(run(1, 8, 9)), Some(TOO_FEW));
        assert_eq!(told(run(1, 0, 5)), None, "again, first of all");
        assert_eq!(told(run(1, 5, 8)), None, "again, behind it");
    }

    #[test]
    fn a_producer_that_gives_up_a_refused_batch_hears_that_its_sequence_is_broken() {
        let mut runs = RefusedRuns::default();
        told(&mut runs, run(1, 0, 5), AppendRefused::TooFewInSync);
        assert_eq!(told(&mut runs, run(1, 5, 8), out_of_order()), TOO_FEW);
        assert_eq!(told(&mut runs, run(1, 5, 8), out_of_order()), BROKEN, "the same once more");
    }

    #[test]
    fn what_was_refused_for_good_explains_nothing_nor_does_another_producer_or_epoch() {
        let mut runs = RefusedRuns::default();
        let too_large = AppendError::LargerThanSegment { batch_bytes: 2, segment_bytes: 1 };
        told(&mut runs, run(1, 0, 5), AppendRefused::Log(too_large));
        assert_eq!(told(&mut runs, run(1, 5, 8), out_of_order()), BROKEN);
        told(&mut runs, run(1, 0, 5), AppendRefused::NotLeader);
        assert_eq!(told(&mut runs, run(2, 5, 8), out_of_order()), BROKEN);
        let later = run(1, 5, 8).map(|run| Run { epoch: ProducerEpoch(1), ..run });
        assert_eq!(told(&mut runs, later, out_of_order()), BROKEN);
    }

    #[test]
    fn once_a_batch_is_appended_nothing_is_explained_by_an_earlier_refusal() {
        let mut runs = RefusedRuns::default();
        told(&mut runs, run(1, 0, 5), AppendRefused::TooFewInSync);
        runs.handle_appended(run(1, 0, 5));
        assert_eq!(told(&mut runs, run(1, 5, 8), out_of_order()), BROKEN);
        assert!(runs.refused.is_empty());
    }

    #[test]
    fn a_broken_sequence_is_told_of_once_a_while() {
        let mut runs = RefusedRuns::default();
        let every = BROKEN_SEQUENCE_WARNING_MS as i64;
        let told = [0, 1, every - 1, every, every + 1, 0].map(|at| runs.may_warn(WallTime(at)));
        assert_eq!(told, [true, false, false, true, false, true], "also when the clock goes back");
    }

    #[test]
    fn no_more_producers_are_remembered_than_the_limit_says() {
        let mut runs = RefusedRuns::default();
        for producer in 0..=REFUSED_RUNS_MAX as i64 {
            told(&mut runs, run(producer, 0, 5), AppendRefused::TooFewInSync);
        }
        assert_eq!(runs.refused.len(), REFUSED_RUNS_MAX);
        let last = run(REFUSED_RUNS_MAX as i64, 5, 8);
        assert_eq!(told(&mut runs, last, out_of_order()), TOO_FEW);
    }
}
