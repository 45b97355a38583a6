//! What a host relies on: decisions are settled, and work that never ends goes in turns.

use bytes::Bytes;
use coordinator::{CoordinatorShard, LoadedRecord, Now};
use group_coordinator::limits::TOMBSTONES_PER_TURN_MAX;
use group_coordinator::state::CommittedOffset;
use group_coordinator::{GroupCoordinatorConfig, GroupCoordinatorShard, records};
use std::sync::Arc;
use std::time::Duration;
use types::{ErrorCode, LeaderEpoch, MonoTime, Offset, ProducerId, Uuid, WallTime};

const LONG_AGO: WallTime = WallTime(0);
const NOW: Now = Now { mono: MonoTime(0), wall: WallTime(1_700_000_000_000) };

fn shard_with_expired_offsets(groups: usize, partitions: i32) -> GroupCoordinatorShard {
    let mut shard = GroupCoordinatorShard::new(GroupCoordinatorConfig::default());
    let committed = CommittedOffset {
        offset: Offset(5),
        leader_epoch: LeaderEpoch::NONE,
        metadata: Arc::from(""),
        committed_at: LONG_AGO,
        expires_at: None,
        topic_id: Uuid::ZERO,
        record_offset: Offset::NONE,
    };
    for group in 0..groups {
        for partition in 0..partitions {
            let record = records::offset_commit(&format!("g{group}"), "t", partition, &committed);
            replay(&mut shard, &record);
        }
    }
    shard.finish_loading(NOW);
    shard
}

fn replay(shard: &mut GroupCoordinatorShard, record: &coordinator::CoordinatorRecord) {
    shard.replay(LoadedRecord { offset: Offset(0), transaction: ProducerId::NONE, record });
}

fn first_look(shard: &GroupCoordinatorShard) -> Now {
    Now { mono: shard.poll_timeout().expect("a look is due some time"), ..NOW }
}

#[test]
fn a_large_group_expires_in_turns_at_one_moment() {
    let mut shard = shard_with_expired_offsets(1, 2_500);
    let now = first_look(&shard);
    let mut turns = Vec::new();
    while shard.poll_timeout() == Some(now.mono) {
        let decision = shard.handle_timeout(now);
        assert!(!decision.atomic, "tombstones may go into several batches");
        turns.push(decision.records.len());
        decision.records.iter().for_each(|record| replay(&mut shard, record));
    }
    assert_eq!(turns, [TOMBSTONES_PER_TURN_MAX, TOMBSTONES_PER_TURN_MAX, 501]);
    assert_eq!(shard.state().groups().count(), 0);
}

#[test]
fn many_groups_expire_in_turns_and_none_is_left_out() {
    let mut shard = shard_with_expired_offsets(2_345, 1);
    let now = first_look(&shard);
    while shard.poll_timeout() == Some(now.mono) {
        let decision = shard.handle_timeout(now);
        assert!(decision.records.len() <= TOMBSTONES_PER_TURN_MAX + 1);
        decision.records.iter().for_each(|record| replay(&mut shard, record));
    }
    assert_eq!(shard.state().groups().count(), 0);
}

#[test]
fn a_turn_that_is_not_stored_is_not_tried_again_at_once() {
    let mut shard = shard_with_expired_offsets(1, 2_500);
    let now = first_look(&shard);
    let decision = shard.handle_timeout(now);
    let taken_back = shard.handle_append_failed(now, decision, ErrorCode::KafkaStorageError);
    assert!(taken_back.is_nothing());
    let interval = GroupCoordinatorConfig::default().offsets_retention_check_interval;
    assert_eq!(shard.poll_timeout(), Some(now.mono.plus(interval)));
    assert_eq!(shard.state().offset("g0", "t", 0).map(|offset| offset.offset), Some(Offset(5)));
}

#[test]
#[should_panic(expected = "were not settled")]
fn a_host_that_forgets_to_settle_a_decision_is_stopped() {
    let mut shard = shard_with_expired_offsets(1, 1);
    let now = first_look(&shard);
    let decision = shard.handle_timeout(now);
    assert!(!decision.records.is_empty());
    let later = Now { mono: now.mono.plus(Duration::from_secs(3_600)), ..now };
    let _ = shard.handle_timeout(later);
}

#[test]
fn bytes_that_are_not_a_record_change_nothing() {
    let mut shard = shard_with_expired_offsets(1, 1);
    let before = shard.state().clone();
    let record =
        coordinator::CoordinatorRecord { key: Bytes::from_static(b"\0\x01\0\x05g"), value: None };
    let loaded = LoadedRecord { offset: Offset(9), transaction: ProducerId::NONE, record: &record };
    assert_eq!(shard.replay(loaded), coordinator::Replayed::Malformed);
    assert_eq!(*shard.state(), before);
}
