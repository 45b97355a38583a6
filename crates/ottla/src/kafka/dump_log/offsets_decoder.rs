//! Records of `__consumer_offsets` as JSON, in the form of Kafka's `--offsets-decoder`.

use bytes::Bytes;
use protocol::offsets_records::{GroupMetadataValue, OffsetCommitKey, OffsetCommitValue};
use protocol::{Message, Numbered, Reader};
use records::Record;
use serde_json::{Value, json};

/// The key and the value. What is of another kind, or damaged, is shown by its size.
pub fn decode(record: &Record) -> (String, String) {
    let key = record.key.as_ref();
    let kind = key.and_then(number);
    let value = record.value.as_ref();
    let decoded = match kind {
        Some(0 | 1) => commit_key(key).map(|key| (key, value.map(commit_value))),
        Some(2) => group_key(key).map(|key| (key, value.map(group_value))),
        _ => None,
    };
    match decoded {
        Some((key, value)) => {
            let key = json!({ "type": kind.unwrap_or_default().to_string(), "data": key });
            let value = value.map_or("<DELETE>".to_owned(), |value| value.to_string());
            (key.to_string(), value)
        }
        None => (size(key), size(value)),
    }
}

fn size(bytes: Option<&Bytes>) -> String {
    bytes.map_or("null".to_owned(), |bytes| format!("{} bytes", bytes.len()))
}

fn number(bytes: &Bytes) -> Option<i16> {
    Reader::new(bytes.clone()).i16().ok()
}

/// Reads what follows the version in front of every key and value.
fn read<M: Message>(bytes: &Bytes, version: i16) -> Option<M> {
    let mut reader = Reader::new(bytes.clone());
    reader.i16().ok()?;
    M::decode(&mut reader, version).ok()
}

fn commit_key(key: Option<&Bytes>) -> Option<Value> {
    let key: OffsetCommitKey = read(key?, 0)?;
    debug_assert_eq!(OffsetCommitKey::ID, 1);
    Some(json!({ "group": &*key.group, "topic": &*key.topic, "partition": key.partition }))
}

fn group_key(key: Option<&Bytes>) -> Option<Value> {
    let mut reader = Reader::new(key?.clone());
    reader.i16().ok()?;
    let length = usize::try_from(reader.i16().ok()?).ok()?;
    let text = key?.get(4..4usize.checked_add(length)?)?;
    Some(json!({ "group": String::from_utf8_lossy(text) }))
}

fn commit_value(value: &Bytes) -> Value {
    let version = number(value).unwrap_or_default();
    let Some(read) = read::<OffsetCommitValue>(value, version) else {
        return Value::String(size(Some(value)));
    };
    json!({
        "version": version.to_string(),
        "data": {
            "offset": read.offset,
            "leaderEpoch": read.leader_epoch,
            "metadata": &*read.metadata,
            "commitTimestamp": read.commit_timestamp,
        },
    })
}

fn group_value(value: &Bytes) -> Value {
    let version = number(value).unwrap_or_default();
    let Some(read) = read::<GroupMetadataValue>(value, version) else {
        return Value::String(size(Some(value)));
    };
    let members: Vec<Value> = read
        .members
        .iter()
        .map(|member| {
            json!({
                "memberId": &*member.member_id,
                "groupInstanceId": member.group_instance_id.as_deref(),
                "clientId": &*member.client_id,
                "clientHost": &*member.client_host,
                "rebalanceTimeout": member.rebalance_timeout,
                "sessionTimeout": member.session_timeout,
            })
        })
        .collect();
    json!({
        "version": version.to_string(),
        "data": {
            "protocolType": &*read.protocol_type,
            "generation": read.generation,
            "protocol": read.protocol.as_deref(),
            "leader": read.leader.as_deref(),
            "currentStateTimestamp": read.current_state_timestamp,
            "members": members,
        },
    })
}
