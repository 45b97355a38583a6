//! Where two logs part, by leader epochs. Source: KIP-101, KIP-279, KIP-595.

use types::{EpochEnd, LeaderEpoch, Offset};

/// What a leader answers to a fetch from `offset` whose log ends with a record of
/// `last_fetched_epoch`: `Some` if the two logs differ below `offset`.
///
/// `end_of` says where the largest epoch not above the asked one ends in the leader's log.
///
/// **Why it is enough:** an epoch has one leader, and records of an epoch are in that leader's
/// order. If this log has records of the same epoch up to `offset`, everything before is equal.
#[doc(alias = "divergingEpoch")]
pub fn diverging_epoch(
    last_fetched_epoch: LeaderEpoch,
    offset: Offset,
    end_of: impl Fn(LeaderEpoch) -> Option<EpochEnd>,
) -> Option<EpochEnd> {
    if last_fetched_epoch == LeaderEpoch::NONE {
        return None;
    }
    let nothing = EpochEnd { epoch: LeaderEpoch::NONE, end_offset: Offset::NONE };
    let end = end_of(last_fetched_epoch).unwrap_or(nothing);
    (end.epoch < last_fetched_epoch || end.end_offset < offset).then_some(end)
}

/// Where a follower cuts its log after the leader answered with `leaders`, the end of the largest
/// epoch that the leader knows of those up to the follower's last.
///
/// If the follower does not know that epoch it cuts at the end of the largest one below that it
/// knows, and the next fetch asks again: after several short reigns it takes several rounds.
#[doc(alias = "getOffsetTruncationState")]
pub fn truncation_point(
    leaders: EpochEnd,
    log_end: Offset,
    end_of: impl Fn(LeaderEpoch) -> Option<EpochEnd>,
) -> Offset {
    let to = match end_of(leaders.epoch) {
        Some(own) if own.epoch == leaders.epoch => own.end_offset.min(leaders.end_offset),
        Some(own) => own.end_offset,
        None => leaders.end_offset,
    };
    to.max(Offset::ZERO).min(log_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs with their first offsets, and the log end.
    fn log(epochs: &[(i32, i64)], end: i64) -> impl Fn(LeaderEpoch) -> Option<EpochEnd> {
        let epochs = epochs.to_vec();
        move |asked: LeaderEpoch| {
            let after = epochs.iter().position(|(epoch, _)| *epoch > asked.0);
            let (epoch, _) = epochs[..after.unwrap_or(epochs.len())].last()?;
            let end_offset = Offset(after.map_or(end, |at| epochs[at].1));
            Some(EpochEnd { epoch: LeaderEpoch(*epoch), end_offset })
        }
    }

    fn diverges(epoch: i32, offset: i64, leader: impl Fn(LeaderEpoch) -> Option<EpochEnd>) -> bool {
        diverging_epoch(LeaderEpoch(epoch), Offset(offset), leader).is_some()
    }

    #[test]
    fn a_log_that_is_a_prefix_of_the_leaders_does_not_diverge() {
        let leader = || log(&[(1, 0), (3, 10)], 20);
        assert!(!diverges(3, 20, leader()));
        assert!(!diverges(3, 12, leader()));
        assert!(!diverges(1, 10, leader()));
        assert!(!diverges(-1, 0, leader()));
    }

    #[test]
    fn records_of_an_epoch_that_the_leader_ended_earlier_or_never_had_diverge() {
        let leader = || log(&[(1, 0), (3, 10)], 20);
        assert!(diverges(1, 11, leader()));
        assert!(diverges(2, 5, leader()));
        assert!(diverges(3, 21, leader()));
        assert!(diverges(3, 1, log(&[], 0)), "a leader that knows nothing shares nothing");
    }

    #[test]
    fn a_follower_cuts_where_both_had_the_same_epoch() {
        let follower = || log(&[(1, 0), (2, 8)], 15);
        let at = |epoch, end| EpochEnd { epoch: LeaderEpoch(epoch), end_offset: Offset(end) };
        let cut = |leaders| truncation_point(leaders, Offset(15), follower()).0;
        assert_eq!(cut(at(1, 10)), 8);
        assert_eq!(cut(at(1, 6)), 6);
        assert_eq!(cut(at(2, 9)), 9);
        assert_eq!(cut(at(-1, -1)), 0);
    }

    /// The case of KIP-279: two short reigns, of which neither replica saw the other's.
    #[test]
    fn after_two_short_reigns_the_follower_goes_back_epoch_by_epoch() {
        let leader = log(&[(1, 0), (3, 5)], 9);
        let follower = log(&[(1, 0), (2, 5), (4, 7)], 8);
        let first = diverging_epoch(LeaderEpoch(4), Offset(8), &leader).expect("divergence");
        assert_eq!(truncation_point(first, Offset(8), &follower), Offset(7));
        let second = diverging_epoch(LeaderEpoch(2), Offset(7), &leader).expect("divergence");
        let end = truncation_point(second, Offset(7), log(&[(1, 0), (2, 5)], 7));
        assert_eq!(end, Offset(5));
        assert_eq!(diverging_epoch(LeaderEpoch(1), Offset(5), &leader), None);
    }
}
