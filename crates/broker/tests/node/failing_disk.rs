//! A disk that is full or breaks: what cannot be stored is refused, and nothing acknowledged is
//! lost.

use env::{Disk, Env};
use env_sim::{Crash, SimEnv};
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::{ApiVersionsRequest, CreateTopicsRequest, MetadataRequest};
use types::ErrorCode;

use crate::harness::Broker;
use crate::log_lines;
use crate::shorthand::{ACKS_ALL, batch, error, fetch, produce, values};

fn used(env: &SimEnv) -> u64 {
    let (total, usable) = env.disk().space("/".as_ref()).expect("space");
    total - usable
}

#[test]
fn a_full_disk_refuses_records_and_keeps_those_it_acknowledged() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.append("t", 0, &["a"]);
    broker.env.disk().set_capacity(used(&broker.env) + 100);
    let large = produce("t", 0, ACKS_ALL, batch(&[&"x".repeat(1000)]));
    let answer = broker.produce(&large);
    assert_eq!(error(answer.error_code), ErrorCode::KafkaStorageError);
    assert_eq!(answer.base_offset, -1);
    // The node is there: it answers what needs no room.
    assert_eq!(broker.call(0, &ApiVersionsRequest::default()).error_code, 0);
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    assert_eq!(broker.call(9, &all).topics.len(), 1);

    broker.env.disk().set_capacity(u64::MAX);
    broker.kill_and_restart();
    assert_eq!(broker.read_all("t", 0), ["a"], "no part of the refused batch is left");
    assert_eq!(broker.append("t", 0, &["b"]), 1);
}

#[test]
fn the_log_says_once_that_a_disk_is_full_and_once_that_it_has_room_again() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    log_lines::listen();
    broker.env.disk().set_capacity(used(&broker.env) + 50);
    let large = produce("t", 0, ACKS_ALL, batch(&[&"x".repeat(1000)]));
    for _ in 0..3 {
        broker.produce(&large);
        broker.pass_ms(5_000);
    }
    let said = log_lines::take();
    let [line] = &said[..] else { panic!("{said:?}") };
    let begins = "ERROR log directory /data takes no records · 50 of ";
    assert!(line.starts_with(begins) && line.ends_with(" · KAFKA_STORAGE_ERROR"), "{line}");

    broker.pass_ms(60_000);
    assert_eq!(log_lines::take(), [""; 0], "nobody asks, but there is no room");
    broker.env.disk().set_capacity(u64::MAX);
    broker.pass_ms(1_000);
    let said = log_lines::take();
    let [line] = &said[..] else { panic!("{said:?}") };
    assert!(line.starts_with("INFO log directory /data takes records again · "), "{line}");
    assert!(line.ends_with(" · there was no room 3 times"), "{line}");
    broker.produce(&large);
    broker.pass_ms(60_000);
    assert_eq!(log_lines::take(), [""; 0]);
}

#[test]
fn a_broker_that_dies_in_the_middle_of_a_write_keeps_what_it_acknowledged() {
    for deadly in 0..24 {
        let mut broker = Broker::on(SimEnv::new(deadly), &[]);
        broker.create_topic("t", 1, &[]);
        let mut acked: Vec<String> = Vec::new();
        broker.env.disk().die_after(deadly);
        let refused = loop {
            let value = format!("{} {}", acked.len(), "x".repeat(300));
            let answer = broker.produce(&produce("t", 0, ACKS_ALL, batch(&[&value])));
            if answer.error_code != 0 {
                break value;
            }
            acked.push(value);
        };
        broker.crash_and_restart(Crash::Kill);
        let mut kept = broker.read_all("t", 0);
        if kept.last() == Some(&refused) {
            // Written whole, but nobody lived to say so.
            kept.pop();
        }
        assert_eq!(kept, acked, "death at write {deadly}");
        broker.append("t", 0, &["next"]);
    }
}

#[test]
fn a_topic_for_which_there_is_no_room_can_be_made_later() {
    let mut broker = Broker::start();
    broker.create_topic("before", 1, &[]);
    broker.env.disk().set_capacity(used(&broker.env));
    let topic = CreatableTopic {
        name: "no-room".into(),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let mut client = broker.client();
    client.send(7, &request);
    let answer = client.try_answer::<CreateTopicsRequest>();
    let is_refused = answer.is_none_or(|answer| answer.topics[0].error_code != 0);
    assert!(is_refused, "what is not committed is not acknowledged");
    broker.env.disk().set_capacity(u64::MAX);
    broker.kill_and_restart();
    assert!(broker.topics().contains(&"before".to_owned()));
    if !broker.topics().contains(&"no-room".to_owned()) {
        broker.create_topic("no-room", 1, &[]);
    }
    assert_eq!(broker.append("no-room", 0, &["a"]), 0);
}

/// The only segment of a partition.
fn segment(topic: &str) -> String {
    format!("/data/{topic}-0/00000000000000000000.log")
}

#[test]
fn a_rotten_batch_is_answered_with_an_error_and_the_others_are_served() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.create_topic("u", 1, &[]);
    let answer = broker.append("t", 0, &["a"]);
    assert_eq!(answer, 0);
    let size = batch(&["a"]).len();
    ["b", "c"].iter().for_each(|value| _ = broker.append("t", 0, &[value]));
    broker.append("u", 0, &["a"]);
    broker.env.disk().rot(segment("t").as_ref(), 2 * size - 1, 1);
    let at = |topic: &str, offset| {
        let answer = broker.call(11, &fetch(topic, 0, offset));
        answer.responses[0].partitions[0].clone()
    };
    assert_eq!(values(&at("t", 0)), ["a"], "what is sound before it");
    let rotten = at("t", 1);
    assert_eq!(error(rotten.error_code), ErrorCode::CorruptMessage);
    assert!(rotten.records.unwrap_or_default().is_empty(), "never served");
    assert_eq!(values(&at("t", 2)), ["c"]);
    assert_eq!(values(&at("u", 0)), ["a"]);
    assert_eq!(broker.append("t", 0, &["d"]), 3);
}

#[test]
fn a_full_disk_serves_reads_and_deletes_and_takes_records_again_when_there_is_room() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.create_topic("spare", 1, &[]);
    broker.append("t", 0, &["a"]);
    (0..4).for_each(|_| _ = broker.append("spare", 0, &[&"x".repeat(500_000)]));
    // A little is left, but in reserve.
    broker.env.disk().set_capacity(used(&broker.env) + 100);
    broker.pass_ms(2000);
    let refused = broker.produce(&produce("t", 0, ACKS_ALL, batch(&["b"])));
    assert_eq!(error(refused.error_code), ErrorCode::KafkaStorageError);
    let message = refused.error_message.expect("a reason");
    assert!(message.contains("/data has 100 bytes left"), "{message}");
    assert_eq!(broker.read_all("t", 0), ["a"]);
    broker.delete_topic("spare");
    assert_eq!(broker.append("t", 0, &["b"]), 1, "by itself, without a restart");
    assert_eq!(broker.read_all("t", 0), ["a", "b"]);
}
