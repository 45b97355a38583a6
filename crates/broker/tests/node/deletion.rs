//! What is deleted is out of sight at once and off the disk a while later, whatever happens in
//! between; it does not come back.

use env::{Disk, Env};
use env_sim::{Crash, SimEnv};
use types::ErrorCode;

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, EARLIEST, LATEST, batch, produce};

/// `file.delete.delay.ms`, unless it is set.
const DELAY_MS: u64 = 60_000;
const SMALL: [(&str, &str); 1] = [("segment.bytes", "1048576")];

/// Directories and files whose names end so.
fn named(broker: &Broker, dir: &str, ending: &str) -> Vec<String> {
    let entries = broker.env.disk().read_dir(dir.as_ref()).unwrap_or_default();
    let names = entries.into_iter().map(|entry| entry.name);
    names.filter(|name| name.ends_with(ending)).collect()
}

/// A topic of three segments with two records each.
fn with_segments(broker: &Broker, topic: &str) {
    broker.create_topic(topic, 1, &SMALL);
    for _ in 0..6 {
        broker.append(topic, 0, &[&"x".repeat(400_000)]);
    }
    assert_eq!(broker.segment_count(topic), 3);
}

#[test]
fn a_deleted_topic_s_directory_is_renamed_at_once_and_removed_after_the_delay() {
    let broker = Broker::start();
    with_segments(&broker, "t");
    broker.delete_topic("t");
    assert!(named(&broker, "/data", "t-0").is_empty(), "nobody finds it under its name");
    assert_eq!(named(&broker, "/data", "-delete").len(), 1);
    broker.pass_ms(DELAY_MS - 1000);
    assert_eq!(named(&broker, "/data", "-delete").len(), 1);
    broker.create_topic("t", 1, &[]);
    assert_eq!(broker.append("t", 0, &["new"]), 0, "one of the same name has nothing of it");
    broker.pass_ms(1000);
    assert!(named(&broker, "/data", "-delete").is_empty());
    assert_eq!(broker.read_all("t", 0), ["new"]);
}

#[test]
fn trimmed_segments_are_renamed_at_once_and_removed_after_the_delay_of_their_topic() {
    let broker = Broker::start();
    with_segments(&broker, "t");
    broker.alter_topic("t", &[("file.delete.delay.ms", "5000")]);
    assert_eq!(broker.delete_records("t", 4), Ok(4));
    assert_eq!(broker.segment_count("t"), 1);
    assert_eq!(named(&broker, "/data/t-0", ".log.deleted").len(), 2);
    broker.pass_ms(4000);
    assert_eq!(named(&broker, "/data/t-0", ".log.deleted").len(), 2);
    broker.pass_ms(1000);
    assert!(named(&broker, "/data/t-0", ".deleted").is_empty());
    assert_eq!(broker.list_offset("t", 0, LATEST).offset, 6);
}

#[test]
fn no_delay_means_none() {
    let broker = Broker::start();
    with_segments(&broker, "t");
    broker.alter_topic("t", &[("file.delete.delay.ms", "0")]);
    assert_eq!(broker.delete_records("t", -1), Ok(6));
    assert!(named(&broker, "/data/t-0", ".deleted").is_empty());
}

#[test]
fn a_full_disk_does_not_wait_for_the_delay() {
    let broker = Broker::start();
    with_segments(&broker, "t");
    let (total, free) = broker.env.disk().space("/data".as_ref()).expect("space");
    broker.env.disk().set_capacity(total - free + 1000);
    let request = produce("t", 0, ACKS_ALL, batch(&[&"x".repeat(100_000)]));
    assert_ne!(broker.produce(&request).error_code, 0, "no room");
    assert_eq!(broker.delete_records("t", 4), Ok(4));
    assert!(named(&broker, "/data/t-0", ".deleted").is_empty());
    assert_eq!(broker.produce(&request).base_offset, 6, "there is room again");
}

#[test]
fn what_waits_at_a_crash_goes_at_the_next_start() {
    for (seed, crash) in [Crash::Kill, Crash::PowerLoss].into_iter().cycle().take(20).enumerate() {
        let mut broker = Broker::on(SimEnv::new(seed as u64), &[]);
        with_segments(&broker, "gone");
        with_segments(&broker, "cut");
        broker.delete_topic("gone");
        assert_eq!(broker.delete_records("cut", 3), Ok(3));
        broker.crash_and_restart(crash);
        broker.pass_ms(1);
        assert_eq!(broker.topics(), ["cut"]);
        assert!(named(&broker, "/data", "-delete").is_empty(), "{crash:?}");
        assert!(named(&broker, "/data", "-stray").is_empty(), "{crash:?}");
        assert!(named(&broker, "/data/cut-0", ".deleted").is_empty(), "{crash:?}");
        assert_eq!(broker.list_offset("cut", 0, EARLIEST).offset, 3);
        if let Crash::Kill = crash {
            assert_eq!(broker.list_offset("cut", 0, LATEST).offset, 6);
        }
    }
}

#[test]
fn deleted_records_stay_deleted_through_every_kind_of_end() {
    for seed in 0..10 {
        let mut broker = Broker::on(SimEnv::new(seed), &[]);
        broker.create_topic("t", 1, &[]);
        broker.append("t", 0, &["a", "b", "c", "d"]);
        broker.append("t", 0, &["e"]);
        // In the middle of a batch: that stays on disk, and clients pass over what is before.
        assert_eq!(broker.delete_records("t", 2), Ok(2));
        for crash in [Some(Crash::Kill), None] {
            match crash {
                Some(crash) => broker.crash_and_restart(crash),
                None => broker.restart(),
            }
            assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 2, "{crash:?}");
            assert_eq!(broker.list_offset("t", 0, LATEST).offset, 5, "{crash:?}");
        }
        assert_eq!(broker.delete_records("t", -1), Ok(5));
        broker.crash_and_restart(Crash::PowerLoss);
        assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 5);
        assert_eq!(broker.append("t", 0, &["f"]), 5);
    }
}

#[test]
fn a_log_start_survives_power_loss_even_if_nothing_else_of_the_log_was_synced() {
    for seed in 0..20 {
        let mut broker = Broker::on(SimEnv::new(seed), &[]);
        broker.create_topic("t", 1, &[]);
        broker.append("t", 0, &["a", "b", "c", "d"]);
        assert_eq!(broker.delete_records("t", 2), Ok(2));
        broker.crash_and_restart(Crash::PowerLoss);
        assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 2, "seed {seed}");
        assert!(broker.list_offset("t", 0, LATEST).offset >= 2, "seed {seed}");
    }
}

#[test]
fn the_start_of_a_log_never_goes_back() {
    let mut broker = Broker::start();
    with_segments(&broker, "t");
    let mut start = 0;
    for (number, asked) in [3, 1, 0, 3, 4, -1, 2].into_iter().enumerate() {
        let answered = broker.delete_records("t", asked).expect("it is within the log");
        let now = broker.list_offset("t", 0, EARLIEST).offset;
        assert!(start <= now && answered == now, "{start}, then {now}, answered {answered}");
        start = now;
        if number % 2 == 0 {
            broker.kill_and_restart();
            assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, start);
        }
    }
    assert_eq!(start, 6);
    assert_eq!(broker.delete_records("t", 7), Err(ErrorCode::OffsetOutOfRange));
}
