//! A directory that Apache Kafka 4.2 wrote is opened, served and gone on with.

use std::fs;
use std::path::Path;

use env::{Disk, DiskFile, Env, OpenMode};
use env_sim::SimEnv;
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::{
    FetchRequest, InitProducerIdRequest, MetadataRequest, OffsetFetchRequest,
};

use crate::harness::Broker;
use crate::shorthand::{EARLIEST, LATEST, fetch, values};

const KAFKAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../storage/testdata/logdirs/kafka-4.2");
const READ_COMMITTED: i8 = 1;

/// A broker that was started on Kafka's directory, under its node id.
fn adopted() -> Broker {
    let env = SimEnv::new(3);
    copy(Path::new(KAFKAS), Path::new("/data"), env.disk());
    Broker::on(env, &[])
}

fn copy(from: &Path, to: &Path, disk: &env_sim::SimDisk) {
    disk.create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("Kafka's directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target, disk);
        } else {
            let file = disk.open(&target, OpenMode::Create).expect("a file");
            file.write_at(&fs::read(entry.path()).expect("bytes"), 0).expect("room");
        }
    }
}

/// What Kafka's own dump tool reads in the directory: data records of a partition, by value.
fn expected_count(partition: &str) -> usize {
    let dump = fs::read_to_string(Path::new(KAFKAS).join("EXPECTED.txt")).expect("the dump");
    dump.lines().filter(|line| line.starts_with(&format!("record {partition} "))).count()
}

/// Topic, partition and log end.
const PARTITIONS: [(&str, i32, i64); 8] = [
    ("append-time", 0, 10),
    ("codecs", 0, 50),
    ("codecs", 1, 200),
    ("compacted", 0, 32),
    ("indexed", 0, 60),
    ("open-transaction", 0, 1),
    ("segments", 0, 24),
    ("transactions", 0, 24),
];

#[test]
fn kafkas_topics_are_all_there_and_led_by_this_node_alone() {
    let broker = adopted();
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    let metadata = broker.call(13, &all);
    assert_eq!(metadata.cluster_id.as_deref(), Some("b3R0bGEtaW50ZXJvcC0xMA"));
    let mut names: Vec<_> = PARTITIONS.iter().map(|(topic, ..)| *topic).collect();
    names.dedup();
    assert_eq!(broker.topics(), names);
    for topic in metadata.topics {
        assert!(!topic.topic_id.is_zero());
        for partition in topic.partitions {
            assert_eq!((partition.error_code, partition.leader_id), (0, 1), "{:?}", topic.name);
            assert_eq!(partition.isr_nodes, [1]);
            assert_eq!(partition.replica_nodes, [1]);
        }
    }
}

#[test]
fn every_record_that_kafkas_dump_tool_finds_is_served() {
    let broker = adopted();
    for (topic, partition, end) in PARTITIONS {
        assert_eq!(broker.list_offset(topic, partition, LATEST).offset, end, "{topic}");
        assert_eq!(broker.list_offset(topic, partition, EARLIEST).offset, 0, "{topic}");
        let answer = broker.fetch(&fetch(topic, partition, 0));
        assert_eq!((answer.error_code, answer.high_watermark), (0, end), "{topic}");
        let expected = expected_count(&format!("{topic}-{partition}"));
        assert_eq!(broker.read_on(topic, partition, 0).len(), expected, "{topic}-{partition}");
    }
}

#[test]
fn a_reader_of_committed_records_is_told_of_the_aborted_ones() {
    let broker = adopted();
    let request = FetchRequest { isolation_level: READ_COMMITTED, ..fetch("transactions", 0, 0) };
    let mut aborted = Vec::new();
    let mut offset = 0;
    while offset < 24 {
        let mut request = request.clone();
        request.topics[0].partitions[0].fetch_offset = offset;
        let answer = broker.fetch(&request);
        assert_eq!((answer.last_stable_offset, answer.high_watermark), (24, 24));
        aborted.extend(answer.aborted_transactions.clone().expect("a list"));
        let batches = answer.records.unwrap_or_default();
        offset =
            records::batches(&batches).last().expect("progress").expect("whole").next_offset().0;
    }
    let mut first_offsets: Vec<_> = aborted.iter().map(|txn| txn.first_offset).collect();
    first_offsets.sort_unstable();
    first_offsets.dedup();
    assert_eq!(first_offsets, [3, 9, 15, 21]);
    assert!(aborted.iter().all(|txn| txn.producer_id == 3));
}

#[test]
fn an_open_transaction_of_kafkas_holds_readers_of_committed_records_back() {
    let broker = adopted();
    let request =
        FetchRequest { isolation_level: READ_COMMITTED, ..fetch("open-transaction", 0, 0) };
    let answer = broker.fetch(&request);
    assert_eq!((answer.high_watermark, answer.last_stable_offset), (1, 0));
    assert!(values(&answer).is_empty());
    assert_eq!(broker.read_all("open-transaction", 0), ["neither"]);
}

fn committed(broker: &Broker) -> Vec<(i32, i64, String)> {
    let group = OffsetFetchRequestGroup {
        group_id: "log-workload".into(),
        topics: None,
        ..OffsetFetchRequestGroup::default()
    };
    let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let group = broker.call(9, &request).groups.remove(0);
    assert_eq!(group.error_code, 0);
    assert_eq!(group.topics.iter().map(|topic| &*topic.name).collect::<Vec<_>>(), ["codecs"]);
    let facts = group.topics[0].partitions.iter().map(|partition| {
        let metadata = partition.metadata.as_deref().unwrap_or_default().to_owned();
        (partition.partition_index, partition.committed_offset, metadata)
    });
    facts.collect()
}

#[test]
fn offsets_that_kafka_committed_are_served() {
    let expected = [(0, 7, "seven".to_owned()), (1, 20, String::new())];
    assert_eq!(committed(&adopted()), expected);
}

#[test]
fn a_timestamp_finds_kafkas_records() {
    let broker = adopted();
    let found = broker.list_offset("indexed", 0, 1_700_000_042_000);
    assert_eq!((found.error_code, found.offset, found.timestamp), (0, 42, 1_700_000_042_000));
    let found = broker.list_offset("segments", 0, 1_700_000_240_001);
    assert_eq!(found.offset, 7);
}

#[test]
fn an_adopted_node_goes_on_as_any_other_and_restarts() {
    let mut broker = adopted();
    assert_eq!(broker.append("codecs", 0, &["ours"]), 50);
    broker.create_topic("new", 2, &[]);
    assert_eq!(broker.append("new", 1, &["first"]), 0);
    for round in 0..3 {
        if round % 2 == 0 {
            broker.restart()
        } else {
            broker.kill_and_restart()
        }
        assert_eq!(broker.read_on("codecs", 0, 50), ["ours"]);
        assert_eq!(broker.read_all("new", 1), ["first"]);
        assert_eq!(broker.list_offset("transactions", 0, LATEST).offset, 24);
        assert_eq!(committed(&broker).len(), 2);
    }
    broker.delete_topic("codecs");
    broker.restart();
    assert!(!broker.topics().contains(&"codecs".to_owned()));
}

#[test]
fn producer_ids_that_kafka_gave_away_are_not_given_again() {
    let broker = adopted();
    let request = InitProducerIdRequest { transactional_id: None, ..Default::default() };
    let fresh = broker.call(5, &request);
    assert_eq!(fresh.error_code, 0);
    // The dump shows ids up to 1003, of the second block of 1000.
    assert!(fresh.producer_id >= 2000, "{}", fresh.producer_id);
}

#[test]
fn another_nodes_directory_is_left_alone() {
    let env = SimEnv::new(3);
    copy(Path::new(KAFKAS), Path::new("/data"), env.disk());
    let refused = Broker::try_on(env, &["node.id=2"]);
    let error = refused.err().expect("the directory belongs to node 1").to_string();
    assert!(error.contains("node 1") && error.contains("WRONG_NODE_ID"), "{error}");
    assert_eq!(error.matches(" · ").count(), 3, "what, why, what to do, a code: {error}");
}
