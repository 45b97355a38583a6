//! A topic keeps what its retention says, idle or not, across restarts.

use types::ErrorCode;

use crate::harness::Broker;
use crate::shorthand::{EARLIEST, LATEST, error, fetch};

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
