//! Offsets by time and by epoch, and logs that begin later: ListOffsets, OffsetForLeaderEpoch,
//! DeleteRecords.

use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use protocol::messages::{DeleteRecordsRequest, OffsetForLeaderEpochRequest};
use records::{BatchBuilder, NewRecord};
use types::{ErrorCode, WallTime};

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, EARLIEST, LATEST, batch, error, fetch, produce, record, values};

const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;
const DAY: i64 = 1_767_225_600_000;

fn broker_with_topic() -> Broker {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker
}

/// Three records in one batch and one in the next, whose times do not rise: +10 +30 +20 | +5.
fn with_times() -> Broker {
    let broker = broker_with_topic();
    for times in [&[10, 30, 20][..], &[5]] {
        let mut builder = BatchBuilder::new();
        for ms in times {
            builder.push(NewRecord { timestamp: WallTime(DAY + ms), ..record(None, "x") });
        }
        let answer = broker.produce(&produce("t", 0, ACKS_ALL, builder.build().bytes().clone()));
        assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
    }
    broker
}

#[test]
fn a_timestamp_finds_the_first_record_at_or_after_it_exactly() {
    let broker = with_times();
    let look_up = |ms: i64| {
        let found = broker.list_offset("t", 0, DAY + ms);
        (found.error_code, found.offset, found.timestamp - DAY)
    };
    assert_eq!(look_up(0), (0, 0, 10));
    assert_eq!(look_up(10), (0, 0, 10));
    assert_eq!(look_up(11), (0, 1, 30), "not the start of its batch");
    assert_eq!(look_up(30), (0, 1, 30));
    let nothing = broker.list_offset("t", 0, DAY + 31);
    assert_eq!((nothing.error_code, nothing.offset, nothing.timestamp), (0, -1, -1));
    assert_eq!(nothing.leader_epoch, -1);
}

#[test]
fn earliest_and_latest_are_the_ends_of_the_log_with_their_epochs() {
    let broker = with_times();
    for version in 1..=11 {
        let earliest = broker.list_offset_at(version, "t", 0, EARLIEST);
        let latest = broker.list_offset_at(version, "t", 0, LATEST);
        assert_eq!((earliest.error_code, earliest.offset), (0, 0), "v{version}");
        assert_eq!((latest.error_code, latest.offset), (0, 4), "v{version}");
        assert_eq!((earliest.timestamp, latest.timestamp), (-1, -1));
        let epoch = if version >= 4 { 0 } else { -1 };
        assert_eq!((earliest.leader_epoch, latest.leader_epoch), (epoch, epoch), "v{version}");
    }
}

#[test]
fn the_special_timestamps_are_known_from_their_version_on() {
    let broker = with_times();
    let since = [
        (MAX_TIMESTAMP, 7, (0, 1, DAY + 30)),
        (EARLIEST_LOCAL, 8, (0, 0, -1)),
        // Nothing is tiered.
        (LATEST_TIERED, 9, (0, -1, -1)),
        (EARLIEST_PENDING_UPLOAD, 11, (0, -1, -1)),
    ];
    for (timestamp, since, expected) in since {
        for version in 1..=11 {
            let found = broker.list_offset_at(version, "t", 0, timestamp);
            let here = (found.error_code, found.offset, found.timestamp);
            if version < since {
                let refused = ErrorCode::UnsupportedVersion;
                assert_eq!(error(found.error_code), refused, "{timestamp} v{version}");
            } else {
                assert_eq!(here, expected, "{timestamp} v{version}");
            }
        }
    }
    assert_eq!(broker.list_offset("t", 0, -7).error_code, ErrorCode::UnsupportedVersion.code());
}

#[test]
fn the_greatest_timestamp_of_an_empty_log_is_none() {
    let found = broker_with_topic().list_offset("t", 0, MAX_TIMESTAMP);
    assert_eq!((found.error_code, found.offset, found.timestamp), (0, -1, -1));
}

#[test]
fn offsets_of_what_does_not_exist_are_unknown() {
    let broker = broker_with_topic();
    for (topic, partition) in [("t", 1), ("t", -1), ("nowhere", 0)] {
        let found = broker.list_offset(topic, partition, LATEST);
        assert_eq!(error(found.error_code), ErrorCode::UnknownTopicOrPartition);
        assert_eq!((found.offset, found.leader_epoch), (-1, -1));
    }
}

fn end_of_epoch(broker: &Broker, current: i32, asked: i32) -> (ErrorCode, i32, i64) {
    let partition = OffsetForLeaderPartition {
        partition: 0,
        current_leader_epoch: current,
        leader_epoch: asked,
    };
    let topic = OffsetForLeaderTopic { topic: "t".into(), partitions: vec![partition] };
    let request = OffsetForLeaderEpochRequest { topics: vec![topic], ..Default::default() };
    let mut answers = [2, 3, 4].map(|version| {
        let end = broker.call(version, &request).topics.remove(0).partitions.remove(0);
        (error(end.error_code), end.leader_epoch, end.end_offset)
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    std::mem::replace(&mut answers[0], (ErrorCode::None, 0, 0))
}

#[test]
fn an_epoch_ends_where_the_log_ends_if_it_is_todays_and_nowhere_if_unknown() {
    let broker = broker_with_topic();
    assert_eq!(end_of_epoch(&broker, -1, 0), (ErrorCode::None, 0, 0), "an empty log");
    broker.append("t", 0, &["a", "b"]);
    assert_eq!(end_of_epoch(&broker, 0, 0), (ErrorCode::None, 0, 2));
    assert_eq!(end_of_epoch(&broker, -1, 5), (ErrorCode::None, -1, -1));
    assert_eq!(end_of_epoch(&broker, 3, 0), (ErrorCode::UnknownLeaderEpoch, -1, -1));
}

fn delete(broker: &Broker, topic: &str, partition_index: i32, offset: i64) -> (ErrorCode, i64) {
    let partition = DeleteRecordsPartition { partition_index, offset };
    let topic = DeleteRecordsTopic { name: topic.into(), partitions: vec![partition] };
    let request = DeleteRecordsRequest { topics: vec![topic], ..Default::default() };
    let mut answers = [0, 1, 2].map(|version| {
        let deleted = broker.call(version, &request).topics.remove(0).partitions.remove(0);
        (error(deleted.error_code), deleted.low_watermark)
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    std::mem::replace(&mut answers[0], (ErrorCode::None, 0))
}

#[test]
fn records_below_an_offset_are_deleted_for_good() {
    let mut broker = broker_with_topic();
    broker.append("t", 0, &["a", "b", "c"]);
    broker.append("t", 0, &["d"]);
    assert_eq!(delete(&broker, "t", 0, 2), (ErrorCode::None, 2));
    for round in 0..3 {
        assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 2, "round {round}");
        let below = broker.fetch(&fetch("t", 0, 1));
        assert_eq!(error(below.error_code), ErrorCode::OffsetOutOfRange);
        // The batch that holds the new start is still whole; clients skip what is before it.
        assert_eq!(values(&broker.fetch(&fetch("t", 0, 2))), ["a", "b", "c", "d"]);
        if round == 0 { broker.kill_and_restart() } else { broker.restart() }
    }
    assert_eq!(broker.append("t", 0, &["e"]), 4, "offsets go on");
}

#[test]
fn deleting_up_to_the_high_watermark_empties_the_log() {
    let mut broker = broker_with_topic();
    broker.append("t", 0, &["a", "b"]);
    assert_eq!(delete(&broker, "t", 0, -1), (ErrorCode::None, 2));
    broker.kill_and_restart();
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 2);
    assert_eq!(broker.list_offset("t", 0, LATEST).offset, 2);
    assert!(broker.read_all("t", 0).is_empty());
    assert_eq!(broker.append("t", 0, &["c"]), 2);
}

#[test]
fn a_log_start_never_moves_back() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["a", "b"]);
    assert_eq!(delete(&broker, "t", 0, 2), (ErrorCode::None, 2));
    assert_eq!(delete(&broker, "t", 0, 1), (ErrorCode::None, 2));
}

#[test]
fn records_that_are_not_there_or_not_to_be_deleted_are_refused() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["a"]);
    assert_eq!(delete(&broker, "t", 0, 2), (ErrorCode::OffsetOutOfRange, -1));
    assert_eq!(delete(&broker, "t", 0, -2), (ErrorCode::OffsetOutOfRange, -1));
    assert_eq!(delete(&broker, "t", 1, 0), (ErrorCode::UnknownTopicOrPartition, -1));
    assert_eq!(delete(&broker, "nowhere", 0, 0), (ErrorCode::UnknownTopicOrPartition, -1));
    broker.create_topic("compacted", 1, &[("cleanup.policy", "compact")]);
    assert_eq!(delete(&broker, "compacted", 0, 0), (ErrorCode::PolicyViolation, -1));
    broker.create_topic("both", 1, &[("cleanup.policy", "compact,delete")]);
    assert_eq!(delete(&broker, "both", 0, 0), (ErrorCode::None, 0));
    broker.create_offsets_topic();
    let internal = delete(&broker, "__consumer_offsets", 0, 0);
    assert_eq!(internal, (ErrorCode::InvalidTopicException, -1));
}

#[test]
fn whole_segments_below_the_start_leave_the_disk() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("segment.bytes", "1048576")]);
    for _ in 0..3 {
        let big = batch(&[&"x".repeat(600_000)]);
        assert_eq!(broker.produce(&produce("t", 0, ACKS_ALL, big)).error_code, 0);
    }
    let before = broker.size_bytes("t");
    assert_eq!(delete(&broker, "t", 0, 2), (ErrorCode::None, 2));
    assert!(broker.size_bytes("t") < before / 2, "{} of {before}", broker.size_bytes("t"));
}
