//! What members tell each other through the coordinator, which does not look inside.
//!
//! Two bytes of version, then the message. Source: Kafka `ConsumerProtocol`.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use protocol::messages::consumer_protocol_assignment::TopicPartition;
use protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use protocol::{DecodeError, EncodeError, Message, Reader, Str};

use crate::error::{ClientError, ErrorKind};
use crate::offsets::Place;

/// Version 1 is what every client since 2.4 writes for an eager assignor.
const VERSION: i16 = 1;

pub(crate) fn write_subscription(topics: &[String]) -> Result<Bytes, ClientError> {
    let topics = topics.iter().map(Str::from).collect();
    write(&ConsumerProtocolSubscription { topics, ..Default::default() })
}

/// The topics that a member wants.
pub fn read_subscription(bytes: &Bytes) -> Result<Vec<String>, ClientError> {
    let read: ConsumerProtocolSubscription = read(bytes)?;
    Ok(read.topics.iter().map(Str::to_string).collect())
}

pub(crate) fn write_assignment(places: &[Place]) -> Result<Bytes, ClientError> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(topic).or_default().push(*partition);
    }
    let topic = |(topic, partitions)| TopicPartition { topic: Str::from(topic), partitions };
    let assigned_partitions = topics.into_iter().map(topic).collect();
    write(&ConsumerProtocolAssignment { assigned_partitions, ..Default::default() })
}

/// The partitions that a member was given; none while the group has not settled.
pub fn read_assignment(bytes: &Bytes) -> Result<Vec<Place>, ClientError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let read: ConsumerProtocolAssignment = read(bytes)?;
    let places = read.assigned_partitions.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| (topic.topic.to_string(), *partition))
    });
    Ok(places.collect())
}

fn write<M: Message>(message: &M) -> Result<Bytes, ClientError> {
    let refused = |error: EncodeError| ClientError::usage("join the group", error.to_string());
    let body = message.to_bytes(VERSION).map_err(refused)?;
    let mut bytes = BytesMut::with_capacity(2 + body.len());
    bytes.put_i16(VERSION);
    bytes.extend_from_slice(&body);
    Ok(bytes.freeze())
}

/// A version that came later still begins with what we know. Source: Kafka `ConsumerProtocol`.
fn read<M: Message>(bytes: &Bytes) -> Result<M, ClientError> {
    let malformed = |error: DecodeError| {
        let what = "read what the group's members agreed on";
        ClientError::new(ErrorKind::Malformed, what, error.to_string())
    };
    let mut reader = Reader::new(bytes.clone());
    let version = reader.i16().map_err(malformed)?;
    let known = version.clamp(*M::VERSIONS.start(), *M::VERSIONS.end());
    M::decode(&mut reader, known).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_member_writes_another_reads() {
        let topics = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(read_subscription(&write_subscription(&topics).unwrap()).unwrap(), topics);
        let places = vec![("a".to_owned(), 0), ("a".to_owned(), 2), ("b".to_owned(), 1)];
        assert_eq!(read_assignment(&write_assignment(&places).unwrap()).unwrap(), places);
    }

    #[test]
    fn an_assignment_is_read_as_java_wrote_it() {
        // Version 0, one topic "t" with partition 3, no user data.
        let bytes = b"\0\0\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\x03\xff\xff\xff\xff";
        let places = read_assignment(&Bytes::from_static(bytes)).unwrap();
        assert_eq!(places, [("t".to_owned(), 3)]);
    }

    #[test]
    fn damaged_metadata_is_an_error_and_an_empty_assignment_is_none() {
        assert!(read_assignment(&Bytes::from_static(b"\0")).is_err());
        assert_eq!(read_assignment(&Bytes::new()).unwrap(), []);
    }
}
