//! A topic keeps what its retention says, idle or not, across restarts.

use env::Env;
use records::{BatchBuilder, NewRecord};
use types::{ErrorCode, WallTime};

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, EARLIEST, LATEST, error, fetch, produce, record};

/// `log.retention.check.interval.ms`, and a little.
const CHECK_MS: u64 = 300_000 + 1_000;

#[test]
fn an_idle_topic_loses_what_is_older_than_its_retention() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[("retention.ms", "60000")]);
    broker.create_topic("kept", 1, &[("retention.ms", "-1")]);
    broker.append("t", 0, &["a", "b"]);
    broker.append("kept", 0, &["a", "b"]);
    broker.pass_ms(CHECK_MS);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 2, "the active segment was rolled");
    assert_eq!(broker.list_offset("t", 0, LATEST).offset, 2);
    assert_eq!(error(broker.fetch(&fetch("t", 0, 0)).error_code), ErrorCode::OffsetOutOfRange);
    assert_eq!(broker.list_offset("kept", 0, EARLIEST).offset, 0);
    broker.kill_and_restart();
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 2, "nothing comes back");
    assert_eq!(broker.append("t", 0, &["c"]), 2);
}

#[test]
fn a_topic_over_its_size_loses_its_oldest_segments() {
    let broker = Broker::start();
    // Two records fill a segment.
    let small = [("retention.bytes", "1500000"), ("segment.bytes", "1048576")];
    broker.create_topic("t", 1, &small);
    for _ in 0..10 {
        broker.append("t", 0, &[&"x".repeat(400_000)]);
    }
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 0);
    broker.pass_ms(CHECK_MS);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 6, "two segments are enough");
    assert!(broker.size_bytes("t") >= 1_500_000, "never less than is asked for");
    assert_eq!(broker.list_offset("t", 0, LATEST).offset, 10);
}

#[test]
fn retention_that_is_changed_live_holds_from_the_next_check_on() {
    let broker = Broker::start();
    broker.create_topic("age", 1, &[]);
    broker.create_topic("size", 1, &[("segment.bytes", "1048576")]);
    broker.append("age", 0, &["a"]);
    for _ in 0..6 {
        broker.append("size", 0, &[&"x".repeat(400_000)]);
    }
    broker.pass_ms(CHECK_MS);
    for topic in ["age", "size"] {
        assert_eq!(broker.list_offset(topic, 0, EARLIEST).offset, 0, "{topic} keeps a week");
    }
    broker.alter_topic("age", &[("retention.ms", "1000")]);
    broker.alter_topic("size", &[("retention.bytes", "900000")]);
    broker.pass_ms(CHECK_MS);
    assert_eq!(broker.list_offset("age", 0, EARLIEST).offset, 1);
    assert_eq!(broker.list_offset("size", 0, EARLIEST).offset, 2, "one segment too many");
    broker.alter_topic("age", &[("retention.ms", "-1")]);
    broker.append("age", 0, &["b"]);
    broker.pass_ms(CHECK_MS);
    assert_eq!(broker.list_offset("age", 0, EARLIEST).offset, 1);
}

#[test]
fn segments_roll_as_they_are_told_live() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let large = "x".repeat(600_000);
    broker.append("t", 0, &[&large]);
    broker.append("t", 0, &[&large]);
    assert_eq!(broker.segment_count("t"), 1);
    broker.alter_topic("t", &[("segment.bytes", "1048576")]);
    broker.append("t", 0, &["small"]);
    assert_eq!(broker.segment_count("t"), 2, "the next record would be too much");
    broker.alter_topic("t", &[("segment.ms", "1000")]);
    let now = broker.wall_ms();
    broker.append_at("t", now + 500, "still");
    assert_eq!(broker.segment_count("t"), 2);
    broker.append_at("t", now + 2000, "later");
    assert_eq!(broker.segment_count("t"), 3);
}

#[test]
fn segments_roll_by_the_time_of_their_records_not_by_the_clock() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("segment.ms", "60000")]);
    let day = 24 * 3_600_000;
    let old = broker.wall_ms() - day;
    broker.append_at("t", old, "a");
    broker.pass_ms(120_000);
    broker.append_at("t", old + 60_000, "b");
    assert_eq!(broker.segment_count("t"), 1, "a minute lies between them");
    broker.append_at("t", old + 60_001, "c");
    assert_eq!(broker.segment_count("t"), 2);
}

#[test]
fn an_empty_cleanup_policy_keeps_everything() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("retention.ms", "1"), ("retention.bytes", "0")]);
    broker.alter_topic("t", &[("cleanup.policy", "")]);
    broker.append("t", 0, &["a"]);
    broker.pass_ms(CHECK_MS);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 0);
    broker.alter_topic("t", &[("cleanup.policy", "delete")]);
    broker.pass_ms(CHECK_MS);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 1);
}

#[test]
fn a_topic_with_append_times_forgets_by_them_and_not_by_what_clients_say() {
    let broker = Broker::start();
    let configs = [("message.timestamp.type", "LogAppendTime"), ("retention.ms", "3600000")];
    broker.create_topic("t", 1, &configs);
    broker.append_at("t", 1, "of 1970");
    broker.pass_ms(CHECK_MS);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 0);
    broker.pass_ms(3_600_000);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 1);
}

#[test]
fn a_clock_that_jumps_ten_years_deletes_nothing_that_it_should_not() {
    let years_ms = 10 * 365 * 24 * 3_600_000;
    for jump in [years_ms, -years_ms] {
        let broker = Broker::start();
        broker.create_topic("t", 1, &[("retention.ms", "86400000")]);
        let now = broker.wall_ms();
        broker.append_at("t", now, "a");
        broker.env.clock().jump_wall(jump);
        for _ in 0..12 {
            broker.pass_ms(CHECK_MS);
        }
        assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 0, "an hour old, jump {jump}");
        broker.env.clock().jump_wall(-jump);
        broker.pass_ms(CHECK_MS);
        assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 0);
        broker.pass_ms(86_400_000);
        broker.pass_ms(CHECK_MS);
        assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 1, "expired after its day");
    }
}

#[test]
fn a_clock_that_stays_where_it_was_set_is_believed_after_a_day() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("retention.ms", "604800000")]);
    let now = broker.wall_ms();
    broker.append_at("t", now, "a");
    broker.env.clock().jump_wall(30 * 86_400_000);
    broker.pass_ms(23 * 3_600_000);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 0);
    broker.pass_ms(2 * 3_600_000);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 1);
}

#[test]
fn a_record_of_the_future_is_refused_and_cannot_hold_back_retention() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("retention.ms", "3600000")]);
    let mut builder = BatchBuilder::new();
    let timestamp = WallTime(broker.wall_ms() + 3_600_001);
    builder.push(NewRecord { timestamp, ..record(None, "far") });
    let answer = broker.produce(&produce("t", 0, ACKS_ALL, builder.build().bytes().clone()));
    assert_eq!(error(answer.error_code), ErrorCode::InvalidTimestamp);
    let ahead = broker.wall_ms() + 3_600_000;
    broker.append_at("t", ahead, "as far as it may be");
    broker.pass_ms(2 * 3_600_000 + CHECK_MS);
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 1);
}

#[test]
fn a_round_looks_at_every_partition_however_many_there_are() {
    let broker = Broker::start();
    broker.create_topic("t", 150, &[("retention.ms", "1000")]);
    for partition in 0..150 {
        broker.append("t", partition, &["a"]);
    }
    broker.pass_ms(CHECK_MS);
    let start = |partition| broker.list_offset("t", partition, EARLIEST).offset;
    assert!((0..150).all(|partition| start(partition) == 1));
}
