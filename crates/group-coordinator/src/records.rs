//! Records of `__consumer_offsets`.   docs/formats/offsets-topic.md
//!
//!   key   | kind: i16 be | fields of that kind |        kind 0, 1: an offset · 2: a classic group
//!   value | version: i16 be | fields of that version |  or none: a tombstone

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use coordinator::CoordinatorRecord;
use protocol::offsets_records::{
    GroupMetadataKey, GroupMetadataValue, LegacyOffsetCommitKey, LegacyOffsetCommitValue,
    OffsetCommitKey, OffsetCommitValue, group_metadata_value,
};
use protocol::{Message, Reader, Str, Writer};
use types::{LeaderEpoch, Offset, TopicName, Uuid, WallTime};

use crate::limits;
use crate::state::{CommittedOffset, GroupId, GroupMetadata, MemberMetadata};

const LEGACY_OFFSET_KIND: i16 = 0;
const OFFSET_KIND: i16 = 1;
const GROUP_KIND: i16 = 2;

/// The version of every key: the kind in front of it is what changes.
const KEY_VERSION: i16 = 0;
/// Carries a leader epoch and a topic id, and no expiry.
const OFFSET_VALUE_VERSION: i16 = 4;
/// Carries an expiry, and neither leader epoch nor topic id.
const OFFSET_VALUE_WITH_EXPIRY_VERSION: i16 = 1;
const GROUP_VALUE_VERSION: i16 = 3;

/// A record that concerns classic groups.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupRecord {
    /// An offset was committed, or (`None`) deleted.
    Offset { group: GroupId, topic: TopicName, partition: i32, value: Option<CommittedOffset> },
    /// A generation was agreed upon, or (`None`) the group was deleted.
    Metadata { group: GroupId, value: Option<GroupMetadata> },
}

/// Why a record has no meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Of a kind this build does not know: consumer, share and streams groups, or later ones.
    UnknownKind(i16),
    /// Not what its version says, or a version newer than we know of a kind that we do.
    Malformed,
}

/// Reads a record.
///
/// # Errors
/// See [`Unreadable`].
pub fn decode(record: &CoordinatorRecord) -> Result<GroupRecord, Unreadable> {
    let (kind, key) = split_version(&record.key)?;
    let value = record.value.as_ref();
    match kind {
        LEGACY_OFFSET_KIND => {
            let key: LegacyOffsetCommitKey = body(key, KEY_VERSION)?;
            let value = value.map(|value| {
                let (version, value) = split_version(value)?;
                if version == 0 { legacy_offset(value) } else { offset(version, value) }
            });
            Ok(GroupRecord::Offset {
                group: owned(&key.group),
                topic: owned(&key.topic),
                partition: key.partition,
                value: value.transpose()?,
            })
        }
        OFFSET_KIND => {
            let key: OffsetCommitKey = body(key, KEY_VERSION)?;
            let value = value.map(|value| {
                let (version, value) = split_version(value)?;
                offset(version, value)
            });
            Ok(GroupRecord::Offset {
                group: owned(&key.group),
                topic: owned(&key.topic),
                partition: key.partition,
                value: value.transpose()?,
            })
        }
        GROUP_KIND => {
            let key: GroupMetadataKey = body(key, KEY_VERSION)?;
            let value = value.map(|value| {
                let (version, value) = split_version(value)?;
                group_metadata(body(value, version)?)
            });
            Ok(GroupRecord::Metadata { group: owned(&key.group), value: value.transpose()? })
        }
        other => Err(Unreadable::UnknownKind(other)),
    }
}

/// The record of a committed offset.
pub fn offset_commit(
    group: &str,
    topic: &str,
    partition: i32,
    committed: &CommittedOffset,
) -> CoordinatorRecord {
    let version = match committed.expires_at {
        Some(_) => OFFSET_VALUE_WITH_EXPIRY_VERSION,
        None => OFFSET_VALUE_VERSION,
    };
    let value = OffsetCommitValue {
        offset: committed.offset.0,
        leader_epoch: committed.leader_epoch.0,
        metadata: Str::from(&*committed.metadata),
        commit_timestamp: committed.committed_at.0,
        expire_timestamp: committed.expires_at.unwrap_or(WallTime::NONE).0,
        topic_id: committed.topic_id,
    };
    CoordinatorRecord {
        key: offset_key(group, topic, partition),
        value: Some(prefixed(version, &value, version)),
    }
}

/// The record that deletes a committed offset.
pub fn offset_tombstone(group: &str, topic: &str, partition: i32) -> CoordinatorRecord {
    CoordinatorRecord { key: offset_key(group, topic, partition), value: None }
}

/// The record of a generation that was agreed upon, or of an empty group.
pub fn group(id: &str, metadata: &GroupMetadata) -> CoordinatorRecord {
    let members = metadata.members.iter();
    let value = GroupMetadataValue {
        protocol_type: Str::from(metadata.protocol_type.as_deref().unwrap_or("")),
        generation: metadata.generation,
        protocol: metadata.protocol.as_deref().map(Str::from),
        leader: metadata.leader.as_deref().map(Str::from),
        current_state_timestamp: metadata.since.unwrap_or(WallTime::NONE).0,
        members: members.map(|(id, member)| member_value(id, member)).collect(),
    };
    CoordinatorRecord {
        key: group_key(id),
        value: Some(prefixed(GROUP_VALUE_VERSION, &value, GROUP_VALUE_VERSION)),
    }
}

/// The record that deletes a group.
pub fn group_tombstone(id: &str) -> CoordinatorRecord {
    CoordinatorRecord { key: group_key(id), value: None }
}

fn member_value(id: &str, member: &MemberMetadata) -> group_metadata_value::MemberMetadata {
    group_metadata_value::MemberMetadata {
        member_id: Str::from(id),
        group_instance_id: member.instance_id.as_deref().map(Str::from),
        client_id: Str::from(&*member.client_id),
        client_host: Str::from(&*member.client_host),
        rebalance_timeout: member.rebalance_timeout_ms,
        session_timeout: member.session_timeout_ms,
        subscription: member.subscription.clone(),
        assignment: member.assignment.clone(),
    }
}

fn offset_key(group: &str, topic: &str, partition: i32) -> Bytes {
    let key = OffsetCommitKey { group: Str::from(group), topic: Str::from(topic), partition };
    prefixed(OFFSET_KIND, &key, KEY_VERSION)
}

fn group_key(group: &str) -> Bytes {
    prefixed(GROUP_KIND, &GroupMetadataKey { group: Str::from(group) }, KEY_VERSION)
}

fn legacy_offset(value: Bytes) -> Result<CommittedOffset, Unreadable> {
    let value: LegacyOffsetCommitValue = body(value, 0)?;
    Ok(CommittedOffset {
        offset: Offset(value.offset),
        leader_epoch: LeaderEpoch::NONE,
        metadata: owned(&value.metadata),
        committed_at: WallTime(value.commit_timestamp),
        expires_at: None,
        topic_id: Uuid::ZERO,
        record_offset: Offset::NONE,
    })
}

fn offset(version: i16, value: Bytes) -> Result<CommittedOffset, Unreadable> {
    let value: OffsetCommitValue = body(value, version)?;
    let expires_at = WallTime(value.expire_timestamp);
    Ok(CommittedOffset {
        offset: Offset(value.offset),
        leader_epoch: LeaderEpoch(value.leader_epoch),
        metadata: owned(&value.metadata),
        committed_at: WallTime(value.commit_timestamp),
        expires_at: (expires_at != WallTime::NONE).then_some(expires_at),
        topic_id: value.topic_id,
        record_offset: Offset::NONE,
    })
}

fn group_metadata(value: GroupMetadataValue) -> Result<GroupMetadata, Unreadable> {
    if !names_fit(&value) {
        return Err(Unreadable::Malformed);
    }
    let since = WallTime(value.current_state_timestamp);
    let members: BTreeMap<_, _> = value.members.into_iter().map(member_metadata).collect();
    Ok(GroupMetadata {
        protocol_type: (!value.protocol_type.is_empty()).then(|| owned(&value.protocol_type)),
        generation: value.generation,
        protocol: value.protocol.as_deref().map(Arc::from),
        leader: value.leader.as_deref().map(Arc::from),
        since: (since != WallTime::NONE).then_some(since),
        members,
    })
}

/// Version 4 can spell names that version 3, which we write, cannot.
fn names_fit(value: &GroupMetadataValue) -> bool {
    let fits = |name: &str| name.len() <= limits::NAME_BYTES_MAX;
    fits(&value.protocol_type)
        && value.protocol.as_deref().is_none_or(fits)
        && value.leader.as_deref().is_none_or(fits)
        && value.members.iter().all(|member| {
            fits(&member.member_id)
                && member.group_instance_id.as_deref().is_none_or(fits)
                && fits(&member.client_id)
                && fits(&member.client_host)
        })
}

fn member_metadata(value: group_metadata_value::MemberMetadata) -> (Arc<str>, MemberMetadata) {
    let rebalance_timeout_ms = match value.rebalance_timeout {
        // Version 0 has none: such members had one timeout for both.
        -1 => value.session_timeout,
        timeout => timeout,
    };
    let member = MemberMetadata {
        instance_id: value.group_instance_id.as_deref().map(Arc::from),
        client_id: owned(&value.client_id),
        client_host: owned(&value.client_host),
        rebalance_timeout_ms,
        session_timeout_ms: value.session_timeout,
        subscription: Bytes::copy_from_slice(&value.subscription),
        assignment: Bytes::copy_from_slice(&value.assignment),
    };
    (owned(&value.member_id), member)
}

/// State outlives the buffer that it was read from, so it must not hold on to it.
fn owned(text: &str) -> Arc<str> {
    Arc::from(text)
}

fn split_version(bytes: &Bytes) -> Result<(i16, Bytes), Unreadable> {
    let (version, _) = bytes.split_first_chunk::<2>().ok_or(Unreadable::Malformed)?;
    Ok((i16::from_be_bytes(*version), bytes.slice(2..)))
}

fn body<M: Message>(bytes: Bytes, version: i16) -> Result<M, Unreadable> {
    if !M::VERSIONS.contains(&version) {
        return Err(Unreadable::Malformed);
    }
    M::decode(&mut Reader::new(bytes), version).map_err(|_| Unreadable::Malformed)
}

/// # Panics
/// If a name is longer than its length field: requests are checked against `limits` before they
/// become state.
fn prefixed<M: Message>(prefix: i16, message: &M, version: i16) -> Bytes {
    let mut writer = Writer::new();
    let encoded = message.encode(&mut writer, version);
    assert!(encoded.is_ok(), "state holds a name that no record can: {encoded:?}");
    let body = writer.into_bytes();
    let mut bytes = BytesMut::with_capacity(2 + body.len());
    bytes.put_i16(prefix);
    bytes.extend_from_slice(&body);
    bytes.freeze()
}
