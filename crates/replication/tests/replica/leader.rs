use replication::{FollowerFetch, IsrOutcome, IsrProposal, PartitionLeader};
use types::{BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, MonoTime, Offset, PartitionEpoch};

use crate::{LAG_MAX, all_live, append_durably, fetch, leader, life, seconds, state};

fn proposed(leader: &mut PartitionLeader, now: MonoTime) -> Option<Vec<i32>> {
    let proposal = leader.poll_isr_change(all_live, now);
    proposal.map(|proposal| proposal.isr.iter().map(|(broker, _)| broker.0).collect())
}

fn committed(partition_epoch: i32, isr: &[i32]) -> IsrOutcome {
    IsrOutcome::Committed {
        leader_epoch: LeaderEpoch(5),
        partition_epoch: PartitionEpoch(partition_epoch),
        isr: isr.iter().map(|id| BrokerId(*id)).collect(),
    }
}

fn answer(leader: &mut PartitionLeader, asked: i32, outcome: &IsrOutcome, now: MonoTime) {
    leader.handle_isr_outcome(PartitionEpoch(asked), outcome, now);
}

fn refused(code: ErrorCode) -> IsrOutcome {
    IsrOutcome::Refused(code)
}

#[test]
fn a_record_is_committed_once_every_in_sync_replica_holds_it_and_the_disk_here() {
    let mut leader = leader(&[1, 2, 3], 1);
    assert_eq!(leader.poll_high_watermark(), None, "nobody has fetched in this reign");
    leader.handle_append(Offset(12));
    fetch(&mut leader, 2, 12, seconds(1));
    assert_eq!(leader.poll_high_watermark(), None);
    fetch(&mut leader, 3, 11, seconds(1));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(10)), "no more is durable here");
    leader.handle_durable(Offset(12));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(11)));
    fetch(&mut leader, 3, 12, seconds(2));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(12)));
}

#[test]
fn the_end_of_the_log_is_not_told_before_the_reign_knows_what_was_committed() {
    let mut leader = leader(&[1, 2], 1);
    assert!(!leader.knows_latest_offset());
    fetch(&mut leader, 2, 10, seconds(1));
    leader.poll_high_watermark();
    assert!(leader.knows_latest_offset());
}

#[test]
fn a_follower_that_lags_leaves_and_the_high_watermark_waits_for_it_until_that_is_committed() {
    let mut leader = leader(&[1, 2, 3], 1);
    fetch(&mut leader, 2, 10, seconds(1));
    fetch(&mut leader, 3, 10, seconds(1));
    leader.poll_high_watermark();
    append_durably(&mut leader, 15);
    fetch(&mut leader, 2, 15, seconds(20));
    assert_eq!(proposed(&mut leader, seconds(31)), None, "{LAG_MAX:?} are not over");
    assert_eq!(leader.poll_timeout(), Some(MonoTime(seconds(31).0 + 1)));
    assert_eq!(proposed(&mut leader, seconds(32)), Some(vec![1, 2]));
    assert_eq!(leader.poll_high_watermark(), None, "the larger set may be the committed one");
    answer(&mut leader, 20, &committed(21, &[1, 2]), seconds(33));
    leader.handle_partition_state(&state(1, 21, &[1, 2]));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(15)));
}

/// The response is lost and the controller commits late: whichever set is committed, it holds what
/// is acknowledged.
#[test]
fn a_shrink_whose_answer_is_lost_is_not_counted_as_done_and_asked_again() {
    let mut leader = leader(&[1, 2, 3], 1);
    fetch(&mut leader, 2, 10, seconds(1));
    append_durably(&mut leader, 15);
    fetch(&mut leader, 2, 15, seconds(32));
    assert_eq!(proposed(&mut leader, seconds(32)), Some(vec![1, 2]));
    answer(&mut leader, 20, &IsrOutcome::Unanswered, seconds(40));
    assert_eq!(proposed(&mut leader, seconds(40)), None, "not at once");
    assert_eq!(proposed(&mut leader, seconds(41)), Some(vec![1, 2]));
    answer(&mut leader, 20, &refused(ErrorCode::InvalidUpdateVersion), seconds(42));
    assert_eq!(leader.poll_high_watermark(), None);
    assert_eq!(proposed(&mut leader, seconds(99)), None, "the metadata will tell");
    leader.handle_partition_state(&state(1, 21, &[1, 2]));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(15)));
}

#[test]
fn a_follower_joins_when_it_holds_all_that_may_be_committed() {
    let mut leader = leader(&[1, 2], 1);
    fetch(&mut leader, 2, 10, seconds(1));
    leader.poll_high_watermark();
    append_durably(&mut leader, 12);
    fetch(&mut leader, 2, 12, seconds(1));
    leader.poll_high_watermark();
    fetch(&mut leader, 3, 11, seconds(2));
    assert_eq!(proposed(&mut leader, seconds(2)), None);
    fetch(&mut leader, 3, 12, seconds(2));
    assert_eq!(proposed(&mut leader, seconds(2)), Some(vec![1, 2, 3]));
    answer(&mut leader, 20, &committed(21, &[1, 2, 3]), seconds(3));
    assert_eq!(leader.isr().len(), 3);
}

/// A fresh leader's high watermark lags behind what its predecessor committed (KAFKA-7128).
#[test]
fn a_follower_at_a_stale_high_watermark_does_not_join_before_it_has_the_reigns_first_offset() {
    let mut leader = leader(&[1, 2], 1);
    assert_eq!(leader.high_watermark(), Offset(8));
    fetch(&mut leader, 3, 9, seconds(1));
    assert_eq!(proposed(&mut leader, seconds(1)), None);
}

/// Below `min.insync.replicas` the high watermark stands still, so that reaching it says little.
#[test]
fn a_follower_that_does_not_keep_up_is_not_let_in_at_a_high_watermark_that_stands_still() {
    let mut leader = leader(&[1], 2);
    fetch(&mut leader, 2, 10, seconds(1));
    append_durably(&mut leader, 500);
    for second in 2..60 {
        fetch(&mut leader, 3, 10 + second, seconds(second as u64));
    }
    assert_eq!(proposed(&mut leader, seconds(60)), None);
}

/// How often the in-sync set changes in ten minutes in which a follower copies a tenth of what is
/// appended; `defect`: whoever asks for something counts as one who had everything once.
fn changes_with_a_slow_follower(defect: bool) -> i32 {
    let mut leader = leader(&[1], 2);
    let mut changes = 0;
    for second in 1..600 {
        let now = seconds(second as u64);
        append_durably(&mut leader, 10 + 10 * second);
        if defect && !leader.isr().contains(&BrokerId(3)) {
            let everything = leader.log_end().0;
            fetch(&mut leader, 3, everything, now);
        }
        fetch(&mut leader, 3, 10 + second, now);
        if let Some(isr) = proposed(&mut leader, now) {
            changes += 1;
            answer(&mut leader, 19 + changes, &committed(20 + changes, &isr), now);
        }
        leader.poll_high_watermark();
    }
    changes
}

/// KAFKA-19996: it would join at a high watermark that stands still, lag, and leave, for ever.
#[test]
fn the_in_sync_set_does_not_flap_with_a_slow_follower_as_it_would_if_it_need_not_keep_up() {
    assert_eq!(changes_with_a_slow_follower(false), 0);
    let flapping = changes_with_a_slow_follower(true);
    assert!(flapping > 20, "{flapping}");
}

/// It dies while it is being let in.
#[test]
fn the_high_watermark_waits_for_a_follower_whose_joining_is_on_its_way() {
    let mut leader = leader(&[1, 2], 1);
    for follower in [2, 3] {
        fetch(&mut leader, follower, 10, seconds(1));
    }
    leader.poll_high_watermark();
    assert_eq!(proposed(&mut leader, seconds(1)), Some(vec![1, 2, 3]));
    append_durably(&mut leader, 11);
    fetch(&mut leader, 2, 11, seconds(2));
    assert_eq!(leader.poll_high_watermark(), None, "3 may be in the committed set");
    answer(&mut leader, 20, &refused(ErrorCode::IneligibleReplica), seconds(3));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(11)));
}

#[test]
fn the_same_metadata_again_does_not_end_a_change_that_is_on_its_way() {
    let mut leader = leader(&[1, 2], 1);
    for follower in [2, 3] {
        fetch(&mut leader, follower, 10, seconds(1));
    }
    leader.poll_high_watermark();
    proposed(&mut leader, seconds(1)).expect("an expansion");
    leader.handle_partition_state(&state(1, 20, &[1, 2]));
    append_durably(&mut leader, 11);
    fetch(&mut leader, 2, 11, seconds(2));
    assert_eq!(leader.poll_high_watermark(), None);
}

/// The first attempt may still lie in a queue when the second is refused.
#[test]
fn a_refusal_does_not_undo_an_attempt_that_went_unanswered() {
    let mut leader = leader(&[1, 2], 1);
    for follower in [2, 3] {
        fetch(&mut leader, follower, 10, seconds(1));
    }
    leader.poll_high_watermark();
    assert_eq!(proposed(&mut leader, seconds(1)), Some(vec![1, 2, 3]));
    answer(&mut leader, 20, &IsrOutcome::Unanswered, seconds(2));
    assert_eq!(proposed(&mut leader, seconds(3)), Some(vec![1, 2, 3]));
    answer(&mut leader, 20, &refused(ErrorCode::IneligibleReplica), seconds(4));
    append_durably(&mut leader, 11);
    fetch(&mut leader, 2, 11, seconds(5));
    assert_eq!(leader.poll_high_watermark(), None, "3 may be let in yet");
    assert_eq!(proposed(&mut leader, seconds(5)), Some(vec![1, 2]), "a set that closes the door");
    answer(&mut leader, 20, &committed(21, &[1, 2]), seconds(6));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(11)));
}

#[test]
fn refusals_do_not_make_a_storm_of_requests() {
    let mut leader = leader(&[1, 2], 1);
    for follower in [2, 3] {
        fetch(&mut leader, follower, 10, seconds(1));
    }
    let mut sent = 0;
    for ms in 1_000..2_000 {
        let now = MonoTime(ms * 1_000_000);
        if let Some(IsrProposal { partition_epoch, .. }) = leader.poll_isr_change(all_live, now) {
            sent += 1;
            leader.handle_isr_outcome(partition_epoch, &refused(ErrorCode::NotController), now);
        }
    }
    assert_eq!(sent, 5);
}

/// It restarted with a wiped disk between its fetch and the proposal.
#[test]
fn a_proposal_names_the_life_of_each_member_that_the_leader_has_seen() {
    let mut leader = leader(&[1, 2], 1);
    fetch(&mut leader, 2, 10, seconds(1));
    fetch(&mut leader, 3, 10, seconds(1));
    let reborn = |broker: BrokerId| match broker.0 {
        3 => Some(BrokerEpoch(900)),
        _ => all_live(broker),
    };
    assert_eq!(leader.poll_isr_change(reborn, seconds(1)), None, "another life than the fetch");
    let proposal = leader.poll_isr_change(all_live, seconds(1)).expect("an expansion");
    let members = [1, 2, 3].map(|id| (BrokerId(id), life(id)));
    assert_eq!(proposal.isr, members);
}

#[test]
fn a_broker_that_is_fenced_does_not_join_and_one_of_an_earlier_life_does_not_count() {
    let mut leader = leader(&[1, 2], 1);
    fetch(&mut leader, 3, 10, seconds(1));
    let fenced = |broker: BrokerId| all_live(broker).filter(|_| broker.0 != 3);
    assert_eq!(leader.poll_isr_change(fenced, seconds(1)), None);
    let late = FollowerFetch {
        replica: BrokerId(3),
        broker_epoch: BrokerEpoch(7),
        offset: Offset(10),
        log_start: Offset(0),
    };
    assert!(!leader.handle_fetch(&late, seconds(2)));
    assert!(!fetch(&mut leader, 9, 10, seconds(2)), "no replica of this partition");
}

#[test]
fn below_min_insync_replicas_nothing_more_is_committed() {
    let mut leader = leader(&[1, 2], 2);
    fetch(&mut leader, 2, 10, seconds(1));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(10)));
    leader.handle_partition_state(&state(1, 21, &[1]));
    assert!(leader.is_under_min_isr());
    append_durably(&mut leader, 11);
    assert_eq!(leader.poll_high_watermark(), None);
    assert_eq!(leader.vouched_here(), Offset(11), "acks=1 asks for no more than this");
    fetch(&mut leader, 2, 11, seconds(2));
    assert_eq!(proposed(&mut leader, seconds(2)), Some(vec![1, 2]));
    answer(&mut leader, 21, &committed(22, &[1, 2]), seconds(3));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(11)));
}

#[test]
fn what_left_the_set_is_waited_for_until_the_metadata_says_how_few_are_enough() {
    // `min.insync.replicas` is 2 since before the set shrank, and who left is eligible to lead.
    let mut leader = leader(&[1, 2], 1);
    fetch(&mut leader, 2, 10, seconds(1));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(10)));
    append_durably(&mut leader, 11);
    assert_eq!(proposed(&mut leader, seconds(32)), Some(vec![1]));
    answer(&mut leader, 20, &committed(21, &[1]), seconds(33));
    assert_eq!(leader.poll_high_watermark(), None, "the metadata may be behind");
    leader.set_rules(crate::rules(2));
    assert_eq!(leader.poll_high_watermark(), None);
    leader.handle_partition_state(&state(1, 21, &[1]));
    assert!(leader.is_under_min_isr());
    assert_eq!(leader.poll_high_watermark(), None);
    leader.set_rules(crate::rules(1));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(11)));
}

#[test]
fn an_answer_of_another_reign_changes_nothing() {
    let mut leader = leader(&[1, 2], 1);
    let outcome = IsrOutcome::Committed {
        leader_epoch: LeaderEpoch(6),
        partition_epoch: PartitionEpoch(30),
        isr: vec![BrokerId(1)],
    };
    answer(&mut leader, 20, &outcome, seconds(1));
    assert_eq!(leader.isr().len(), 2);
}

#[test]
fn a_replica_that_leaves_the_assignment_is_not_waited_for() {
    let mut leader = leader(&[1, 2, 3], 1);
    fetch(&mut leader, 2, 10, seconds(1));
    let mut moved = state(1, 21, &[1, 2]);
    moved.replicas.pop();
    leader.handle_partition_state(&moved);
    assert_eq!(leader.poll_high_watermark(), Some(Offset(10)));
    assert!(!fetch(&mut leader, 3, 10, seconds(2)));
}

#[test]
fn a_consumer_is_sent_to_a_follower_in_sync_and_never_to_another() {
    let mut leader = leader(&[1, 2], 1);
    fetch(&mut leader, 2, 10, seconds(1));
    fetch(&mut leader, 3, 10, seconds(1));
    let rack = |broker: BrokerId| Some(["a", "b", "c"][(broker.0 - 1) as usize]);
    let choose = |rack_asked| leader.read_replica_for(rack_asked, Offset(9), rack, seconds(1));
    assert_eq!(choose("b"), Some(BrokerId(2)));
    assert_eq!(choose("c"), None);
}

#[test]
fn records_are_deleted_where_all_replicas_that_live_start_and_not_before_each_has_fetched() {
    let mut leader = leader(&[1, 2, 3], 1);
    let all = |_: BrokerId| true;
    let without_3 = |id: BrokerId| id != BrokerId(3);
    assert_eq!(leader.low_watermark(Offset(7), all), Offset::NONE);
    fetch_of_log_from(&mut leader, 2, 4);
    assert_eq!(leader.low_watermark(Offset(7), all), Offset::NONE);
    assert_eq!(leader.low_watermark(Offset(7), without_3), Offset(4));
    fetch_of_log_from(&mut leader, 3, 9);
    assert_eq!(leader.low_watermark(Offset(7), all), Offset(4));
    fetch_of_log_from(&mut leader, 2, 7);
    assert_eq!(leader.low_watermark(Offset(7), all), Offset(7));
}

/// Elected, it would show them again.
#[test]
fn a_follower_that_has_not_heard_of_deleted_records_does_not_join() {
    let mut leader = leader(&[1, 2], 1);
    fetch_of_log_from(&mut leader, 2, 0);
    leader.poll_high_watermark();
    leader.handle_records_deleted(Offset(6));
    fetch_of_log_from(&mut leader, 3, 5);
    assert_eq!(proposed(&mut leader, seconds(1)), None);
    fetch_of_log_from(&mut leader, 3, 6);
    assert_eq!(proposed(&mut leader, seconds(1)), Some(vec![1, 2, 3]));
}

/// A fetch from the end of the log by a replica whose own starts at `log_start`.
fn fetch_of_log_from(leader: &mut PartitionLeader, replica: i32, log_start: i64) {
    let fetch = FollowerFetch {
        replica: BrokerId(replica),
        broker_epoch: life(replica),
        offset: leader.log_end(),
        log_start: Offset(log_start),
    };
    assert!(leader.handle_fetch(&fetch, seconds(1)));
}
