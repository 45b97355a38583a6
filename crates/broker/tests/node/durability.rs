//! What an acknowledgement promises, through the wire: topics of each `durability`, and power loss.

use crate::harness::{Broker, Client};
use crate::shorthand::{ACKS_ALL, LATEST, batch, latest, produce};
use env::{Disk, Env};
use env_sim::{Crash, SimEnv};
use protocol::messages::{ListOffsetsRequest, ProduceRequest};
use std::sync::Arc;

const SEEDS: std::ops::Range<u64> = 0..24;

/// Produces to a topic of this configuration, loses power and says what is left of 20 records.
fn left_after_power_loss(seed: u64, config: &[(&str, &str)], wait_ms: u64) -> i64 {
    let mut broker = Broker::on(SimEnv::new(seed), &[]);
    broker.create_topic("orders", 1, config);
    for number in 0..20 {
        assert_eq!(broker.append("orders", 0, &["value"]), number);
    }
    broker.pass_ms(wait_ms);
    broker.crash_and_restart(Crash::PowerLoss);
    end(&broker)
}

/// The offset that ListOffsets calls the latest: the high watermark.
fn end(broker: &Broker) -> i64 {
    broker.list_offset("orders", 0, LATEST).offset
}

#[test]
fn an_acknowledged_record_survives_power_loss_by_default() {
    for seed in SEEDS {
        assert_eq!(left_after_power_loss(seed, &[], 0), 20, "seed {seed}");
    }
}

#[test]
fn replicated_on_a_sole_replica_means_on_its_disk() {
    for seed in SEEDS {
        let config = [("durability", "replicated")];
        assert_eq!(left_after_power_loss(seed, &config, 0), 20, "seed {seed}");
    }
}

#[test]
fn the_page_cache_promises_nothing_about_power() {
    let config = [("durability", "page-cache")];
    let lost = SEEDS.filter(|seed| left_after_power_loss(*seed, &config, 0) < 20);
    assert!(lost.count() > 0);
}

#[test]
fn flush_messages_bounds_what_power_loss_takes_from_the_page_cache() {
    for seed in SEEDS {
        let config = [("durability", "page-cache"), ("flush.messages", "1")];
        assert_eq!(left_after_power_loss(seed, &config, 0), 20, "seed {seed}");
        let config = [("durability", "page-cache"), ("flush.messages", "7")];
        assert!(left_after_power_loss(seed, &config, 0) >= 14, "seed {seed}");
    }
}

#[test]
fn flush_ms_bounds_the_age_of_what_power_loss_takes_from_the_page_cache() {
    for seed in SEEDS {
        let config = [("durability", "page-cache"), ("flush.ms", "1000")];
        assert_eq!(left_after_power_loss(seed, &config, 3_000), 20, "seed {seed}");
    }
}

#[test]
fn nothing_is_shown_or_acknowledged_before_it_is_on_disk() {
    let broker = Broker::start();
    broker.create_topic("orders", 1, &[]);
    let mut client = broker.client();
    client.send_without_commits(9, &produce("orders", 0, ACKS_ALL, batch(&["value"])));
    assert!(client.frame().is_none(), "no commit has run yet");
    let mut reader = broker.client();
    reader.send_without_commits(6, &latest("orders"));
    let seen = reader.answer::<ListOffsetsRequest>();
    assert_eq!(seen.topics[0].partitions[0].offset, 0, "and nobody sees it");
    broker.env.background().run_due();
    assert!(client.frame().is_some());
    assert_eq!(end(&broker), 1);
}

#[test]
fn only_a_producer_that_has_its_thread_to_itself_is_answered_without_other_hands() {
    let broker = Broker::start();
    broker.create_topic("orders", 1, &[]);
    broker.append("orders", 0, &["value"]);
    let company = Arc::default();
    let (mut one, mut other) = (broker.client_beside(&company), broker.client_beside(&company));
    let is_answered_at_once = |client: &mut Client, pause_ms: u64| {
        broker.pass_ms(pause_ms);
        client.send_without_commits(9, &produce("orders", 0, ACKS_ALL, batch(&["value"])));
        let is_answered = client.frame().is_some();
        broker.env.background().run_due();
        assert!(is_answered || client.frame().is_some());
        is_answered
    };
    assert!(
        (0..50)
            .all(|_| { !is_answered_at_once(&mut one, 8) && !is_answered_at_once(&mut other, 8) })
    );
    let alone = (0..50).filter(|_| is_answered_at_once(&mut one, 8)).count();
    assert!((1..50).contains(&alone), "chance decides here, {alone} times for it");
}

#[test]
fn a_shutdown_acknowledges_what_it_keeps() {
    let mut broker = Broker::start();
    broker.create_topic("orders", 1, &[]);
    let mut client = broker.client();
    client.send_without_commits(9, &produce("orders", 0, ACKS_ALL, batch(&["value"])));
    assert!(client.frame().is_none(), "no commit has run yet");
    broker.shut_down();
    let answer = client.answer::<ProduceRequest>();
    let partition = &answer.responses[0].partition_responses[0];
    assert_eq!((partition.error_code, partition.base_offset), (0, 0));
    broker.crash_and_restart(Crash::PowerLoss);
    assert_eq!(end(&broker), 1);
}

#[test]
fn what_a_start_goes_by_is_written_down_with_every_few_mebibytes() {
    let broker = Broker::start();
    broker.create_topic("orders", 1, &[]);
    let value = "v".repeat(512 << 10);
    let snapshots = || {
        let entries = broker.env.disk().read_dir("/data/orders-0".as_ref()).unwrap();
        entries.iter().filter(|entry| entry.name.ends_with(".snapshot")).count()
    };
    (0..7).for_each(|_| _ = broker.append("orders", 0, &[&value]));
    broker.pass_ms(4_000);
    assert_eq!(snapshots(), 0, "it would be worth nothing yet");
    broker.append("orders", 0, &[&value]);
    broker.pass_ms(4_000);
    assert_eq!(snapshots(), 1);
}
