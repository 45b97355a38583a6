use replication::{
    Durability, FetchAnswer, FetchFrom, FetchStep, LogEnds, PartitionFollower, StopReason,
};
use types::{BrokerId, EpochEnd, ErrorCode, LeaderEpoch, Offset};

use crate::{log, seconds, state};

/// Follows broker 2 in reign 5; 8 records are known to be committed.
fn follower(durability: Durability) -> PartitionFollower {
    PartitionFollower::of(&state(2, 20, &[1, 2]), Offset(8), durability)
}

fn answer(high_watermark: i64) -> FetchAnswer {
    FetchAnswer {
        error: ErrorCode::None,
        diverging: None,
        high_watermark: Offset(high_watermark),
        log_start: Offset(0),
    }
}

fn diverging(epoch: i32, end: i64) -> FetchAnswer {
    let end = EpochEnd { epoch: LeaderEpoch(epoch), end_offset: Offset(end) };
    FetchAnswer { diverging: Some(end), ..answer(99) }
}

/// Epoch 3 goes to 7, epoch 4 to the end.
fn own_epochs(asked: LeaderEpoch) -> Option<EpochEnd> {
    let (epoch, end) = match asked.0 {
        ..3 => return None,
        3 => (3, 7),
        _ => (4, 12),
    };
    Some(EpochEnd { epoch: LeaderEpoch(epoch), end_offset: Offset(end) })
}

fn asked(follower: &PartitionFollower, log: LogEnds) -> FetchFrom {
    follower.poll_fetch(log, seconds(1)).expect("a fetch")
}

fn step(follower: &mut PartitionFollower, answer: &FetchAnswer, log: LogEnds) -> FetchStep {
    let asked = asked(follower, log);
    follower.handle_answer(&asked, answer, log, own_epochs, seconds(1))
}

#[test]
fn a_follower_fetches_from_its_log_end_and_says_the_epoch_of_its_last_record() {
    let follower = follower(Durability::Fsync);
    let asked = asked(&follower, log(12, 12));
    assert_eq!((asked.leader, asked.offset), (BrokerId(2), Offset(12)));
    assert_eq!((asked.leader_epoch, asked.last_fetched_epoch), (LeaderEpoch(5), LeaderEpoch(4)));
}

#[test]
fn under_fsync_a_follower_does_not_ask_for_more_before_what_it_has_is_on_disk() {
    assert_eq!(follower(Durability::Fsync).poll_fetch(log(11, 12), seconds(1)), None);
    assert!(follower(Durability::Replicated).poll_fetch(log(11, 12), seconds(1)).is_some());
}

#[test]
fn records_are_appended_and_the_high_watermark_follows_as_far_as_the_log_goes() {
    let mut follower = follower(Durability::Fsync);
    let got = step(&mut follower, &answer(15), log(12, 12));
    assert_eq!(got, FetchStep::Append { log_start: Offset(0) });
    assert_eq!(follower.high_watermark(), Offset(8), "not before they are written");
    assert_eq!(follower.handle_appended(&answer(15), Offset(14)), Some(Offset(14)));
    assert_eq!(follower.handle_appended(&answer(13), Offset(14)), None, "a fresh leader lags");
    assert_eq!(follower.high_watermark(), Offset(14));
}

#[test]
fn a_log_that_diverges_is_cut_and_the_leaders_high_watermark_waits() {
    let mut follower = follower(Durability::Fsync);
    assert_eq!(
        step(&mut follower, &diverging(4, 9), log(12, 12)),
        FetchStep::Truncate { to: Offset(9) }
    );
    assert_eq!(follower.high_watermark(), Offset(8));
}

#[test]
fn what_is_committed_is_not_cut_for_a_leader_that_lacks_it() {
    let mut follower = follower(Durability::Fsync);
    let reason = StopReason::LeaderLacksCommitted {
        leader_has_up_to: Offset(7),
        committed_up_to: Offset(8),
    };
    assert_eq!(step(&mut follower, &diverging(3, 9), log(12, 12)), FetchStep::Stop(reason));
    assert_eq!(follower.stopped(), Some(reason));
    assert_eq!(follower.poll_fetch(log(12, 12), seconds(99)), None);
}

#[test]
fn an_unclean_election_or_a_weaker_durability_lets_a_follower_cut_what_was_committed() {
    let mut weak = follower(Durability::PageCache);
    let to = FetchStep::Truncate { to: Offset(7) };
    assert_eq!(step(&mut weak, &diverging(3, 9), log(12, 12)), to);
    assert_eq!(weak.high_watermark(), Offset(7));
    let mut unclean = follower(Durability::Fsync);
    let mut recovering = state(2, 21, &[2]);
    recovering.recovering = true;
    unclean.handle_partition_state(&recovering);
    assert_eq!(step(&mut unclean, &diverging(3, 9), log(12, 12)), to);
}

#[test]
fn answers_to_fetches_that_do_not_count_any_more_are_ignored() {
    let mut follower = follower(Durability::Fsync);
    let before = asked(&follower, log(12, 12));
    let cut = log(9, 9);
    let late = follower.handle_answer(&before, &answer(15), cut, own_epochs, seconds(1));
    assert_eq!(late, FetchStep::Ignore, "the log ends elsewhere");
    let earlier = FetchFrom { leader_epoch: LeaderEpoch(4), ..asked(&follower, cut) };
    let late = follower.handle_answer(&earlier, &diverging(3, 1), cut, own_epochs, seconds(1));
    assert_eq!(late, FetchStep::Ignore, "an earlier reign");
}

#[test]
fn a_follower_that_ends_before_the_leader_begins_starts_anew_there() {
    let mut follower = follower(Durability::Fsync);
    let mut gone = answer(60);
    (gone.error, gone.log_start) = (ErrorCode::OffsetOutOfRange, Offset(50));
    let restart = FetchStep::RestartAt { offset: Offset(50) };
    assert_eq!(step(&mut follower, &gone, log(12, 12)), restart);
}

/// Everything was deleted here; the leader lost its log to a power cut, and with it the epochs by
/// which the two would compare.
#[test]
fn an_empty_log_begins_anew_where_a_leader_begins_that_lost_its_own() {
    let empty = LogEnds { log_start: Offset(8), last_epoch: LeaderEpoch::NONE, ..log(8, 8) };
    let mut lost = answer(0);
    lost.error = ErrorCode::OffsetOutOfRange;
    for durability in [Durability::PageCache, Durability::Replicated] {
        let mut weak = follower(durability);
        let restart = FetchStep::RestartAt { offset: Offset(0) };
        assert_eq!(step(&mut weak, &lost, empty), restart);
        assert_eq!(weak.high_watermark(), Offset(0));
    }
    let mut durable = follower(Durability::Fsync);
    assert_eq!(step(&mut durable, &lost, empty), FetchStep::Ignore, "nothing excuses the leader");
    let mut full = follower(Durability::PageCache);
    assert_eq!(step(&mut full, &lost, log(12, 12)), FetchStep::Ignore, "records are compared");
}

/// An answer that says nothing of the leader's bounds must not empty a log (KAFKA-2143).
#[test]
fn an_offset_out_of_range_without_a_reason_cuts_nothing() {
    let mut follower = follower(Durability::Fsync);
    let mut odd = answer(-1);
    (odd.error, odd.log_start) = (ErrorCode::OffsetOutOfRange, Offset(-1));
    assert_eq!(step(&mut follower, &odd, log(12, 12)), FetchStep::Ignore);
    assert_eq!(follower.poll_fetch(log(12, 12), seconds(1)), None, "a pause after an error");
    assert!(follower.poll_fetch(log(12, 12), seconds(2)).is_some());
}

#[test]
fn nobody_is_asked_while_nobody_leads() {
    let follower = PartitionFollower::of(&state(-1, 20, &[1, 2]), Offset(8), Durability::Fsync);
    assert_eq!(follower.poll_fetch(log(12, 12), seconds(1)), None);
}
