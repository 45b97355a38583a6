//! Several log directories: what is in which, and what is left when one of them fails.

use std::collections::BTreeSet;

use env::{Disk, Env};
use env_sim::{Crash, Operation, SimEnv};
use protocol::messages::describe_topic_partitions_request::TopicRequest;
use protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponsePartition;
use protocol::messages::metadata_response::MetadataResponsePartition;
use protocol::messages::{DescribeLogDirsRequest, DescribeTopicPartitionsRequest, MetadataRequest};
use types::ErrorCode;

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, LATEST, batch, error, fetch, produce};

const TWO: [&str; 2] = ["log.dirs=/a,/b", "metadata.log.dir=/a"];

/// A broker with two directories and a topic of four partitions; those in `/a`, those in `/b`.
fn two() -> (Broker, Vec<i32>, Vec<i32>) {
    let broker = Broker::with(&TWO);
    broker.create_topic("t", 4, &[]);
    (0..4).for_each(|p| _ = broker.append("t", p, &["one"]));
    let (in_a, in_b) = (within(&broker, "/a"), within(&broker, "/b"));
    (broker, in_a, in_b)
}

/// The partitions of `t` whose live directory is there.
fn within(broker: &Broker, dir: &str) -> Vec<i32> {
    let entries = broker.env.disk().read_dir(dir.as_ref()).unwrap_or_default();
    let partition = |name: &str| name.strip_prefix("t-")?.parse().ok();
    entries.iter().filter_map(|entry| partition(&entry.name)).collect()
}

fn described(broker: &Broker, partition: i32) -> MetadataResponsePartition {
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    let topics = broker.call(9, &all).topics;
    let topic = topics.into_iter().find(|topic| topic.name.as_deref() == Some("t"));
    topic.expect("the topic").partitions.swap_remove(partition as usize)
}

/// What only this request tells: who holds everything that is committed (KIP-966).
fn described_topic_partition(
    broker: &Broker,
    partition: i32,
) -> DescribeTopicPartitionsResponsePartition {
    let topics = vec![TopicRequest { name: "t".into() }];
    let request = DescribeTopicPartitionsRequest { topics, ..Default::default() };
    broker.call(0, &request).topics.remove(0).partitions.swap_remove(partition as usize)
}

fn produce_code(broker: &Broker, partition: i32) -> ErrorCode {
    error(broker.produce(&produce("t", partition, ACKS_ALL, batch(&["two"]))).error_code)
}

fn fetch_code(broker: &Broker, partition: i32) -> ErrorCode {
    let answer = broker.call(11, &fetch("t", partition, 0));
    error(answer.responses[0].partitions[0].error_code)
}

/// Everything that a client may ask of it says that the disk is not there, and so does Metadata.
fn is_offline(broker: &Broker, partition: i32) {
    assert_eq!(produce_code(broker, partition), ErrorCode::KafkaStorageError);
    assert_eq!(fetch_code(broker, partition), ErrorCode::KafkaStorageError);
    let offsets = broker.list_offset("t", partition, LATEST);
    assert_eq!(error(offsets.error_code), ErrorCode::KafkaStorageError);
    let shown = described(broker, partition);
    assert_eq!(error(shown.error_code), ErrorCode::LeaderNotAvailable);
    assert_eq!((shown.leader_id, shown.offline_replicas), (-1, vec![1]));
    assert_eq!(shown.isr_nodes, [], "nothing can be acknowledged");
    let known = described_topic_partition(broker, partition);
    // Who was killed does not surely have everything, but nobody has more.
    let all = [known.eligible_leader_replicas, known.last_known_elr].into_iter().flatten();
    let all: BTreeSet<i32> = all.flatten().collect();
    assert_eq!(all, BTreeSet::from([1]), "its records are there, only out of reach");
}

fn is_served(broker: &Broker, partition: i32) {
    assert_eq!(broker.read_all("t", partition)[0], "one");
    assert_eq!(produce_code(broker, partition), ErrorCode::None);
    let shown = described(broker, partition);
    assert_eq!((shown.error_code, shown.leader_id, shown.offline_replicas.len()), (0, 1, 0));
}

#[test]
fn partitions_are_spread_over_the_directories_and_found_again() {
    let (mut broker, in_a, in_b) = two();
    assert_eq!((in_a.len(), in_b.len()), (2, 2));
    broker.restart();
    (0..4).for_each(|partition| is_served(&broker, partition));
    // A third directory gets what is new.
    broker.reconfigure("log.dirs=/a,/b,/c");
    broker.restart();
    broker.create_topic("u", 2, &[]);
    let names = broker.env.disk().read_dir("/c".as_ref()).expect("/c");
    assert_eq!(names.iter().filter(|entry| entry.name.starts_with("u-")).count(), 2);
    (0..4).for_each(|partition| is_served(&broker, partition));
}

#[test]
fn a_directory_that_fails_takes_its_partitions_along_and_no_others() {
    for operation in [Operation::Write, Operation::Read] {
        let (mut broker, in_a, in_b) = two();
        let mut waiting = broker.client();
        let long =
            protocol::messages::FetchRequest { max_wait_ms: 60_000, ..fetch("t", in_b[0], 1) };
        waiting.send(11, &long);
        broker.env.disk().fail(operation, "/b", ".log");
        match operation {
            Operation::Write => _ = produce_code(&broker, in_b[1]),
            _ => _ = fetch_code(&broker, in_b[1]),
        }
        broker.pass_ms(1);
        let answer = waiting.answer::<protocol::messages::FetchRequest>();
        let code = error(answer.responses[0].partitions[0].error_code);
        assert_eq!(code, ErrorCode::KafkaStorageError, "who waits is told");
        in_b.iter().for_each(|partition| is_offline(&broker, *partition));
        in_a.iter().for_each(|partition| is_served(&broker, *partition));
        assert_eq!(broker.halted(), None);
        let dirs = broker.call(4, &DescribeLogDirsRequest { topics: None }).results;
        let codes: Vec<_> = dirs.iter().map(|dir| (&*dir.log_dir, error(dir.error_code))).collect();
        assert_eq!(codes, [("/a", ErrorCode::None), ("/b", ErrorCode::KafkaStorageError)]);
        assert_eq!(dirs[1].topics.len(), 0);
        // What is new goes where there is a disk.
        broker.create_topic("u", 2, &[]);
        broker.append("u", 0, &["x"]);
        broker.append("u", 1, &["x"]);

        // The disk comes back with the next start, and everything with it.
        broker.env.disk().heal();
        broker.kill_and_restart();
        (0..4).for_each(|partition| is_served(&broker, partition));
    }
}

#[test]
fn with_a_directory_broken_from_the_start_the_others_serve_and_nothing_is_made_twice() {
    for crash in [Crash::Kill, Crash::PowerLoss] {
        let (mut broker, in_a, in_b) = two();
        broker.restart();
        for _ in 0..2 {
            broker.env.disk().break_under("/b");
            broker.crash_and_restart(crash);
            in_b.iter().for_each(|partition| is_offline(&broker, *partition));
            in_a.iter().for_each(|partition| is_served(&broker, *partition));
            assert_eq!(within(&broker, "/a"), in_a, "a replica is made once");
            broker.pass_ms(60_000);
            assert_eq!(within(&broker, "/a"), in_a);
        }
        broker.env.disk().heal();
        broker.restart();
        (0..4).for_each(|partition| is_served(&broker, partition));
    }
}

#[test]
fn a_file_in_the_place_of_a_directory_is_a_broken_directory() {
    let env = SimEnv::new(7);
    env.disk().open("/b".as_ref(), env::OpenMode::Create).expect("a file");
    let broker = Broker::on(env, &TWO);
    broker.create_topic("t", 2, &[]);
    assert_eq!(within(&broker, "/a"), [0, 1]);
    is_served_after_append(&broker);
}

fn is_served_after_append(broker: &Broker) {
    broker.append("t", 0, &["one"]);
    is_served(broker, 0);
}

#[test]
fn a_directory_that_was_taken_out_of_the_configuration_keeps_what_is_in_it() {
    let (mut broker, in_a, in_b) = two();
    broker.reconfigure("log.dirs=/a");
    broker.restart();
    in_b.iter().for_each(|partition| is_offline(&broker, *partition));
    in_a.iter().for_each(|partition| is_served(&broker, *partition));
    assert_eq!(within(&broker, "/a"), in_a);
    // Whoever gives it up deletes the topic, and may use the name again.
    broker.delete_topic("t");
    broker.create_topic("t", 4, &[]);
    assert_eq!(within(&broker, "/a"), [0, 1, 2, 3]);
    is_served_after_append(&broker);
}

#[test]
fn without_the_metadata_log_the_node_stops_and_says_why() {
    let (mut broker, in_a, _) = two();
    broker.env.disk().fail(Operation::Write, "/a", ".log");
    assert_eq!(produce_code(&broker, in_a[0]), ErrorCode::KafkaStorageError);
    broker.pass_ms(1);
    let why = broker.halted().expect("a reason");
    assert!(why.contains("the directory of the metadata log, /a, has failed"), "{why}");
    assert!(why.contains("cannot append batch /a/t-"), "{why}");
    assert_eq!(why.split(" · ").count(), 4, "{why}");
    broker.env.disk().break_under("/a");
    let refused = broker.kill_and_try().expect_err("no start").to_string();
    assert!(refused.contains("cannot use log directory /a"), "{refused}");
    broker.env.disk().heal();
    broker.kill_and_restart();
    is_served(&broker, in_a[0]);
}

#[test]
fn a_node_whose_every_directory_fails_stops() {
    let broker = Broker::with(&["log.dirs=/a,/b", "metadata.log.dir=/m"]);
    broker.create_topic("t", 2, &[]);
    broker.env.disk().fail(Operation::Write, "/a", ".log");
    broker.env.disk().fail(Operation::Write, "/b", ".log");
    (0..2).for_each(|partition| _ = produce_code(&broker, partition));
    broker.pass_ms(1);
    assert!(broker.halted().expect("a reason").contains("every directory of log.dirs"));
}

#[test]
fn a_partition_for_which_there_was_no_room_is_made_when_there_is() {
    let broker = Broker::with(&["log.dirs=/a", "metadata.log.dir=/m"]);
    broker.env.disk().set_capacity_under("/a", 1);
    broker.create_topic("t", 1, &[]);
    assert_eq!(produce_code(&broker, 0), ErrorCode::KafkaStorageError);
    assert_eq!(within(&broker, "/a"), [0; 0], "nothing half made");
    broker.env.disk().set_capacity_under("/a", u64::MAX);
    broker.pass_ms(6000);
    is_served_after_append(&broker);
}
