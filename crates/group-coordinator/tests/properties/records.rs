//! What is written is read back, and what is not ours is refused, not guessed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use coordinator::CoordinatorRecord;
use group_coordinator::records::{self, GroupRecord};
use group_coordinator::state::{CommittedOffset, GroupMetadata, MemberMetadata};
use proptest::prelude::*;
use types::{LeaderEpoch, Offset, Uuid, WallTime};

fn name() -> impl Strategy<Value = Arc<str>> {
    "\\PC{0,12}".prop_map(Arc::from)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn committed() -> impl Strategy<Value = CommittedOffset> {
    // The format has room for an expiry, or for leader epoch and topic id.
    let expiry = prop_oneof![
        (0..i32::MAX, any::<[u8; 16]>()).prop_map(|(epoch, id)| (
            LeaderEpoch(epoch),
            None,
            Uuid(id)
        )),
        (0..i64::MAX).prop_map(|at| (LeaderEpoch::NONE, Some(WallTime(at)), Uuid::ZERO)),
    ];
    (any::<i64>(), expiry, name(), any::<i64>()).prop_map(
        |(offset, (leader_epoch, expires_at, topic_id), metadata, at)| CommittedOffset {
            offset: Offset(offset),
            leader_epoch,
            metadata,
            committed_at: WallTime(at),
            expires_at,
            topic_id,
            record_offset: Offset::NONE,
        },
    )
}

fn member() -> impl Strategy<Value = MemberMetadata> {
    let names = (prop::option::of(name()), name(), name());
    (names, 0..i32::MAX, any::<i32>(), bytes(), bytes()).prop_map(
        |((instance_id, client_id, client_host), rebalance, session, subscription, assignment)| {
            MemberMetadata {
                instance_id,
                client_id,
                client_host,
                rebalance_timeout_ms: rebalance,
                session_timeout_ms: session,
                subscription,
                assignment,
            }
        },
    )
}

fn metadata() -> impl Strategy<Value = GroupMetadata> {
    let protocol_type = prop::option::of(name().prop_filter("not empty", |name| !name.is_empty()));
    let names = (protocol_type, prop::option::of(name()), prop::option::of(name()));
    let members = prop::collection::btree_map(name(), member(), 0..4);
    (names, any::<i32>(), prop::option::of(0..i64::MAX), members).prop_map(
        |((protocol_type, protocol, leader), generation, since, members)| GroupMetadata {
            protocol_type,
            generation,
            protocol,
            leader,
            since: since.map(WallTime),
            members,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn offsets_come_back_as_they_were_written(
        group in name(), topic in name(), partition in any::<i32>(), value in committed(),
    ) {
        let read = records::decode(&records::offset_commit(&group, &topic, partition, &value));
        let value = Some(value);
        let (of, on) = (group.clone(), topic.clone());
        let expected = GroupRecord::Offset { group: of, topic: on, partition, value };
        prop_assert_eq!(read, Ok(expected));
        let read = records::decode(&records::offset_tombstone(&group, &topic, partition));
        let expected = GroupRecord::Offset { group, topic, partition, value: None };
        prop_assert_eq!(read, Ok(expected));
    }

    #[test]
    fn groups_come_back_as_they_were_written(group in name(), value in metadata()) {
        let read = records::decode(&records::group(&group, &value));
        let expected = GroupRecord::Metadata { group: group.clone(), value: Some(value) };
        prop_assert_eq!(read, Ok(expected));
        let read = records::decode(&records::group_tombstone(&group));
        prop_assert_eq!(read, Ok(GroupRecord::Metadata { group, value: None }));
    }

    #[test]
    fn a_record_cut_short_is_malformed(group in name(), value in metadata(), cut in 0..64usize) {
        let whole = records::group(&group, &value);
        let bytes = whole.value.clone().unwrap_or_default();
        let cut = bytes.len().saturating_sub(1 + cut);
        let record = CoordinatorRecord { value: Some(bytes.slice(..cut)), ..whole };
        prop_assert_eq!(records::decode(&record), Err(records::Unreadable::Malformed));
    }

    #[test]
    fn foreign_bytes_never_panic(
        key in bytes(), value in prop::option::of(bytes()), kind in 0..4i16,
    ) {
        let mut prefixed = kind.to_be_bytes().to_vec();
        prefixed.extend_from_slice(&key);
        for key in [key, Bytes::from(prefixed)] {
            let _ = records::decode(&CoordinatorRecord { key, value: value.clone() });
        }
    }
}

#[test]
fn a_value_newer_than_its_kind_is_malformed_and_not_half_read() {
    let record =
        records::group("g", &GroupMetadata { members: BTreeMap::new(), ..Default::default() });
    let mut value = record.value.clone().unwrap_or_default().to_vec();
    value[1] = 5;
    let record = CoordinatorRecord { value: Some(Bytes::from(value)), ..record };
    assert_eq!(records::decode(&record), Err(records::Unreadable::Malformed));
}
