//! Snapshots of the metadata beside its log, and brokers that begin with one.

use std::path::Path;

use bytes::BytesMut;
use env::{Disk, Env, OpenMode};
use env_sim::Crash;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::fetch_snapshot_request::{PartitionSnapshot, SnapshotId, TopicSnapshot};
use protocol::messages::{FetchRequest, FetchSnapshotRequest, MetadataRequest};
use types::{ErrorCode, Uuid};

use crate::harness::Broker;
use crate::shorthand::error;

const LOG: &str = "/data/__cluster_metadata-0";

/// A node that writes a snapshot for every kilobyte of records, or as `more` says.
fn with(more: &[&str]) -> Broker {
    let usual = [
        "listeners=PLAINTEXT://here:9092,CONTROLLER://here:9093",
        "controller.listener.names=CONTROLLER",
        "controller.quorum.voters=1@here:9093",
        "metadata.log.max.record.bytes.between.snapshots=1000",
    ];
    Broker::with(&[&usual[..], more].concat())
}

fn snapshots(broker: &Broker) -> Vec<String> {
    let entries = broker.env.disk().read_dir(Path::new(LOG)).expect("the directory of the log");
    let names = entries.into_iter().map(|entry| entry.name);
    names.filter(|name| name.contains(".checkpoint") && name.starts_with('0')).collect()
}

fn create(broker: &Broker, names: std::ops::Range<usize>) {
    for number in names {
        broker.create_topic(&format!("topic-{number}"), 1, &[]);
    }
    broker.env.background().run_due();
}

fn part(
    broker: &Broker,
    snapshot_id: SnapshotId,
    position: i64,
) -> protocol::messages::fetch_snapshot_response::PartitionSnapshot {
    let mut client = broker.client_of("CONTROLLER");
    let partition = PartitionSnapshot { snapshot_id, position, ..Default::default() };
    let topic = TopicSnapshot { name: "__cluster_metadata".into(), partitions: vec![partition] };
    let request =
        FetchSnapshotRequest { max_bytes: 100, topics: vec![topic], ..Default::default() };
    client.send(1, &request);
    client.answer::<FetchSnapshotRequest>().topics.remove(0).partitions.remove(0)
}

#[test]
fn a_snapshot_is_written_when_enough_records_have_come_and_the_two_newest_stay() {
    let broker = with(&[]);
    assert_eq!(snapshots(&broker), Vec::<String>::new());
    create(&broker, 0..10);
    let first = snapshots(&broker);
    assert_eq!(first.len(), 1, "{first:?}");
    create(&broker, 10..60);
    let last = snapshots(&broker);
    assert_eq!(last.len(), 2, "{last:?}");
    assert!(first[0] < last[0] && last[0] < last[1]);
}

#[test]
fn a_snapshot_is_written_when_the_first_record_that_is_in_none_is_old_enough() {
    let broker = with(&[
        "metadata.log.max.record.bytes.between.snapshots=1000000",
        "metadata.log.max.snapshot.interval.ms=60000",
    ]);
    create(&broker, 0..1);
    broker.pass_ms(59_000);
    create(&broker, 1..2);
    assert_eq!(snapshots(&broker).len(), 0);
    broker.pass_ms(2_000);
    create(&broker, 2..3);
    assert_eq!(snapshots(&broker).len(), 1);
}

#[test]
fn what_a_crash_left_of_a_snapshot_goes_when_the_next_one_is_written() {
    let broker = with(&[]);
    let left = Path::new(LOG).join("00000000000000000007-0000000000.checkpoint.tmp");
    broker.env.disk().open(&left, OpenMode::Truncate).expect("room");
    assert_eq!(snapshots(&broker).len(), 1);
    create(&broker, 0..10);
    let found = snapshots(&broker);
    assert!(found.len() == 1 && !found[0].ends_with(".tmp"), "{found:?}");
}

#[test]
fn who_begins_to_follow_the_metadata_is_sent_to_the_newest_snapshot() {
    let broker = with(&[]);
    let fetched = broker.fetch_metadata(0, -1);
    assert_eq!(fetched.snapshot_id.end_offset, -1, "there is none yet");
    assert!(fetched.records.is_some_and(|records| !records.is_empty()));
    create(&broker, 0..60);
    let fetched = broker.fetch_metadata(0, -1);
    assert!(fetched.records.is_some_and(|records| records.is_empty()));
    let (end_offset, epoch) = (fetched.snapshot_id.end_offset, fetched.snapshot_id.epoch);
    let id = SnapshotId { end_offset, epoch };
    let newest = snapshots(&broker).pop().expect("one");
    assert!(newest.starts_with(&format!("{end_offset:020}-{epoch:010}")), "{newest}");
    let mut whole = BytesMut::new();
    loop {
        let part = part(&broker, id.clone(), whole.len() as i64);
        assert_eq!((error(part.error_code), part.position), (ErrorCode::None, whole.len() as i64));
        whole.extend_from_slice(&part.unaligned_records.expect("a part"));
        if whole.len() as i64 == part.size {
            break;
        }
    }
    let on_disk = broker.env.disk().read_file(&Path::new(LOG).join(newest), 1 << 20);
    assert_eq!(on_disk.expect("the file"), whole);
    let past = part(&broker, id.clone(), whole.len() as i64);
    assert_eq!(error(past.error_code), ErrorCode::PositionOutOfRange);
    let other = part(&broker, SnapshotId { epoch: epoch + 1, ..id }, 0);
    assert_eq!(error(other.error_code), ErrorCode::SnapshotNotFound);
}

#[test]
fn a_snapshot_is_read_by_other_hands_and_whoever_names_it_twice_is_not_sent_more() {
    let broker = with(&[]);
    create(&broker, 0..60);
    let fetched = broker.fetch_metadata(0, -1).snapshot_id;
    let snapshot_id = SnapshotId { end_offset: fetched.end_offset, epoch: fetched.epoch };
    let partition = PartitionSnapshot { snapshot_id, ..Default::default() };
    let partitions = vec![partition; 3];
    let topics = vec![TopicSnapshot { name: "__cluster_metadata".into(), partitions }];
    let request = FetchSnapshotRequest { max_bytes: 100, topics, ..Default::default() };
    let mut client = broker.client_of("CONTROLLER");
    client.send_without_commits(1, &request);
    assert_eq!(client.frame(), None, "it was read where requests are served");
    broker.env.background().run_due();
    let answer = client.answer::<FetchSnapshotRequest>().topics.remove(0).partitions;
    let sent = answer.iter().map(|part| part.unaligned_records.as_ref().map_or(0, |r| r.len()));
    assert_eq!(sent.collect::<Vec<_>>(), [100, 0, 0]);
}

#[test]
fn a_long_metadata_log_that_no_cache_holds_is_read_by_other_hands_and_once_a_fetch() {
    let broker = with(&["metadata.log.max.record.bytes.between.snapshots=1000000000"]);
    broker.create_topic("t", 1, &[]);
    for replicas in [5_000, 5_001].repeat(140) {
        let value = ["0:1"].repeat(replicas).join(",");
        broker.alter_topic("t", &[("leader.replication.throttled.replicas", &value)]);
    }
    broker.env.disk().set_reads_wait(true);
    let partition = FetchPartition { partition_max_bytes: i32::MAX, ..Default::default() };
    let partitions = vec![partition; 3];
    let topic_id = Uuid::METADATA_TOPIC;
    let topics = vec![FetchTopic { topic_id, partitions, ..Default::default() }];
    let mut client = broker.client_of("CONTROLLER");
    client.send_without_commits(17, &FetchRequest { topics, ..Default::default() });
    assert_eq!(client.frame(), None, "it was read where requests are served");
    broker.env.background().run_due();
    let answer = client.answer::<FetchRequest>().responses.remove(0).partitions;
    let sent = answer.iter().map(|part| part.records.as_ref().map_or(0, |records| records.len()));
    let sent: Vec<_> = sent.collect();
    assert!(sent[0] > 4 << 20 && sent.iter().sum::<usize>() <= 8 << 20, "{sent:?}");
}

#[test]
fn a_node_starts_from_its_newest_snapshot_and_from_an_older_one_or_the_log_if_that_is_damaged() {
    let mut broker = with(&[]);
    create(&broker, 0..60);
    for (round, damaged) in [0, 1, 2].into_iter().enumerate() {
        let kept = snapshots(&broker);
        assert_eq!(kept.len(), 2);
        for name in kept.iter().rev().take(damaged) {
            broker.env.disk().rot(&Path::new(LOG).join(name), 100, 0xff);
        }
        broker.crash_and_restart(Crash::PowerLoss);
        let all = broker.call(13, &MetadataRequest { topics: None, ..Default::default() });
        assert_eq!(all.topics.len(), 60 + round, "all topics are known");
        assert_eq!(broker.append("topic-3", 0, &["a"]), round as i64);
        create(&broker, 60 + round..61 + round);
    }
}
