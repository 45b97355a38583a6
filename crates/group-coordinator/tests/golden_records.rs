//! The bytes of `testdata/golden/records.hex`, which Apache Kafka 4.2 wrote: ours are the same, and
//! older versions of them mean the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use coordinator::CoordinatorRecord;
use group_coordinator::records::{self, GroupRecord};
use group_coordinator::state::{CommittedOffset, GroupMetadata, MemberMetadata};
use types::{LeaderEpoch, Offset, Uuid, WallTime};

const NOW: WallTime = WallTime(1_700_000_000_000);

fn golden() -> BTreeMap<String, CoordinatorRecord> {
    let text = include_str!("../testdata/golden/records.hex");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let record = |line: &str| {
        let mut words = line.split(' ');
        let mut next = || words.next().expect("name, key, value");
        let (name, key, value) = (next(), next(), next());
        let value = (value != "tombstone").then(|| bytes(value));
        (name.to_owned(), CoordinatorRecord { key: bytes(key), value })
    };
    lines.map(record).collect()
}

fn bytes(hex: &str) -> Bytes {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn offset() -> CommittedOffset {
    CommittedOffset {
        offset: Offset(100),
        leader_epoch: LeaderEpoch(3),
        metadata: Arc::from("note"),
        committed_at: NOW,
        expires_at: None,
        topic_id: Uuid::ZERO,
        record_offset: Offset::NONE,
    }
}

fn offset_with_expiry() -> CommittedOffset {
    let expires_at = Some(WallTime(1_700_000_003_600));
    CommittedOffset { leader_epoch: LeaderEpoch::NONE, expires_at, ..offset() }
}

fn offset_with_topic_id() -> CommittedOffset {
    CommittedOffset {
        leader_epoch: LeaderEpoch::NONE,
        metadata: Arc::from(""),
        topic_id: Uuid([1; 16]),
        ..offset()
    }
}

fn group() -> GroupMetadata {
    let member = |instance: Option<&str>, client: &str, host: &str| MemberMetadata {
        instance_id: instance.map(Arc::from),
        client_id: Arc::from(client),
        client_host: Arc::from(host),
        rebalance_timeout_ms: 300_000,
        session_timeout_ms: 45_000,
        ..MemberMetadata::default()
    };
    let a = MemberMetadata {
        subscription: Bytes::from_static(&[1, 2]),
        assignment: Bytes::from_static(&[3]),
        ..member(None, "a", "/127.0.0.1")
    };
    let b = MemberMetadata {
        subscription: Bytes::from_static(&[4]),
        ..member(Some("b"), "b", "/127.0.0.2")
    };
    GroupMetadata {
        protocol_type: Some(Arc::from("consumer")),
        generation: 5,
        protocol: Some(Arc::from("range")),
        leader: Some(Arc::from("a-1")),
        since: Some(NOW),
        members: [(Arc::from("a-1"), a), (Arc::from("b-2"), b)].into(),
    }
}

fn empty_group() -> GroupMetadata {
    GroupMetadata {
        generation: 6,
        protocol: None,
        leader: None,
        members: BTreeMap::new(),
        ..group()
    }
}

#[test]
fn what_we_write_is_what_kafka_writes() {
    let written = [
        ("offset", records::offset_commit("group", "topic", 7, &offset())),
        (
            "offset-with-topic-id",
            records::offset_commit("grüppe", "topic", 0, &offset_with_topic_id()),
        ),
        ("offset-with-expiry", records::offset_commit("group", "topic", 7, &offset_with_expiry())),
        ("offset-tombstone", records::offset_tombstone("group", "topic", 7)),
        ("group", records::group("group", &group())),
        ("group-empty", records::group("group", &empty_group())),
        ("group-tombstone", records::group_tombstone("group")),
    ];
    let golden = golden();
    for (name, record) in written {
        assert_eq!(Some(&record), golden.get(name), "{name}");
    }
}

#[test]
fn offsets_of_every_version_are_read() {
    let without_epoch = CommittedOffset { leader_epoch: LeaderEpoch::NONE, ..offset() };
    let read = [
        ("offset", offset()),
        ("offset-with-expiry", offset_with_expiry()),
        ("offset-read-v0", without_epoch.clone()),
        ("offset-read-v2", without_epoch.clone()),
        ("offset-read-v3", offset()),
        ("offset-read-legacy", without_epoch),
    ];
    let golden = golden();
    for (name, value) in read {
        let expected = GroupRecord::Offset {
            group: Arc::from("group"),
            topic: Arc::from("topic"),
            partition: 7,
            value: Some(value),
        };
        assert_eq!(records::decode(&golden[name]), Ok(expected), "{name}");
    }
}

#[test]
fn groups_of_every_version_are_read() {
    let mut without_instances = group();
    for member in without_instances.members.values_mut() {
        member.instance_id = None;
    }
    let without_time = GroupMetadata { since: None, ..without_instances.clone() };
    let mut one_timeout = without_time.clone();
    for member in one_timeout.members.values_mut() {
        member.rebalance_timeout_ms = member.session_timeout_ms;
    }
    let read = [
        ("group-read-v0", one_timeout),
        ("group-read-v1", without_time),
        ("group-read-v2", without_instances),
        ("group", group()),
        ("group-read-v4", group()),
        ("group-empty", empty_group()),
    ];
    let golden = golden();
    for (name, value) in read {
        let expected = GroupRecord::Metadata { group: Arc::from("group"), value: Some(value) };
        assert_eq!(records::decode(&golden[name]), Ok(expected), "{name}");
    }
}
