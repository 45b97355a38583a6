use replication::{LogEnds, PartitionState, Replica, RoleChange};
use types::{LeaderEpoch, Offset, PartitionEpoch};

use crate::{ME, append_durably, fetch, log, rules, seconds, state};

fn replica(state: &PartitionState) -> Replica {
    Replica::new(ME, state, log(10, 10), Offset(8), rules(1), seconds(0))
}

fn reign(leader: i32, leader_epoch: i32, partition_epoch: i32) -> PartitionState {
    PartitionState {
        leader_epoch: LeaderEpoch(leader_epoch),
        ..state(leader, partition_epoch, &[1, 2])
    }
}

#[test]
fn a_follower_that_is_elected_starts_from_the_high_watermark_it_knew() {
    let mut replica = replica(&reign(2, 5, 20));
    let change = replica.handle_partition_state(&reign(1, 6, 21), log(10, 10), seconds(1));
    assert_eq!((change, replica.high_watermark()), (RoleChange::Elected, Offset(8)));
    let leader = replica.leader_mut().expect("a leader");
    fetch(leader, 2, 10, seconds(2));
    assert_eq!(leader.poll_high_watermark(), Some(Offset(10)));
}

#[test]
fn a_leader_that_is_deposed_keeps_what_it_knows_to_be_committed() {
    let mut replica = replica(&reign(1, 5, 20));
    let leader = replica.leader_mut().expect("a leader");
    append_durably(leader, 12);
    fetch(leader, 2, 11, seconds(1));
    leader.poll_high_watermark();
    let change = replica.handle_partition_state(&reign(2, 6, 21), log(12, 12), seconds(2));
    assert_eq!((change, replica.high_watermark()), (RoleChange::Follows, Offset(11)));
}

#[test]
fn metadata_that_comes_late_changes_nothing() {
    let mut replica = replica(&reign(1, 5, 20));
    for stale in [reign(2, 4, 19), reign(1, 5, 19), reign(2, 4, 99)] {
        let change = replica.handle_partition_state(&stale, log(10, 10), seconds(1));
        assert_eq!(change, RoleChange::Stale);
    }
    assert_eq!(replica.leader_epoch(), LeaderEpoch(5));
    let change = replica.handle_partition_state(&reign(1, 5, 22), log(10, 10), seconds(1));
    assert_eq!(change, RoleChange::SameReign);
    assert_eq!(replica.partition_epoch(), PartitionEpoch(22));
}

#[test]
fn a_reign_that_was_elected_again_forgets_what_the_last_one_knew_of_the_others() {
    let mut replica = replica(&reign(1, 5, 20));
    fetch(replica.leader_mut().expect("a leader"), 2, 10, seconds(1));
    let change = replica.handle_partition_state(&reign(1, 6, 21), log(10, 10), seconds(2));
    assert_eq!(change, RoleChange::Elected);
    let leader = replica.leader_mut().expect("a leader");
    assert_eq!(leader.poll_high_watermark(), None, "2 has not been heard of in this reign");
}

#[test]
fn what_a_crash_took_is_not_known_to_be_committed_any_more() {
    let replica = Replica::new(ME, &reign(2, 5, 20), log(5, 5), Offset(8), rules(1), seconds(0));
    assert_eq!(replica.high_watermark(), Offset(5));
}

/// Metadata of an earlier life that is heard again after a restart.
#[test]
fn nobody_leads_in_a_reign_that_is_older_than_his_last_record() {
    let log = LogEnds { last_epoch: LeaderEpoch(6), ..log(10, 10) };
    let replica = Replica::new(ME, &reign(1, 5, 20), log, Offset(8), rules(1), seconds(0));
    assert!(replica.leader().is_none());
    let follower = replica.follower().expect("a follower of nobody");
    assert_eq!(follower.poll_fetch(log, seconds(1)), None);
}
