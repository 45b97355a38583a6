//! Requests in one piece, as they go to the socket.

use std::io::{self, Read};
use std::net::TcpStream;
use std::ops::Range;

use bytes::Bytes;
use client::{ClientError, Connection};
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::{Request, frame};

use crate::limits::ANSWER_BYTES_MAX;

pub const CLIENT_ID: &str = "ottla-bench";
/// From these versions on the two are flexible.
pub const PRODUCE_FLEXIBLE: i16 = 9;
pub const FETCH_FLEXIBLE: i16 = 12;
/// The last versions that name topics, so that one request fits every broker.
pub const PRODUCE_MAX: i16 = PRODUCE_FLEXIBLE;
pub const FETCH_MAX: i16 = FETCH_FLEXIBLE;
const PRODUCE_MIN: i16 = 7;
const FETCH_MIN: i16 = 11;
pub const ACKS_ALL: i16 = -1;
pub const ACKS_LEADER: i16 = 1;

/// The versions that are spoken with a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub produce: i16,
    pub fetch: i16,
}

impl Versions {
    /// The highest that both sides know.
    ///
    /// # Errors
    /// The broker is too old: Produce 7 and Fetch 11 are Kafka 2.3's.
    pub fn agree(connection: &Connection) -> Result<Versions, ClientError> {
        let produce = connection.version::<ProduceRequest>(PRODUCE_MAX)?;
        let fetch = connection.version::<FetchRequest>(FETCH_MAX)?;
        if produce < PRODUCE_MIN || fetch < FETCH_MIN {
            let what = format!("measure the broker at {}", connection.address());
            let why = format!("it speaks Produce {produce} and Fetch {fetch}");
            let kind = client::ErrorKind::UnsupportedVersion;
            return Err(ClientError::new(kind, what, why)
                .todo("measure a broker that knows Produce 7 and Fetch 11, as Kafka 2.3 does"));
        }
        Ok(Versions { produce, fetch })
    }
}

/// A Produce request of one batch.
pub fn produce(
    (topic, partition): (&str, i32),
    batch: &Bytes,
    acks: i16,
    version: i16,
) -> Result<Vec<u8>, ClientError> {
    produce_to_each((topic, partition..partition + 1), batch, acks, version)
}

/// A Produce request with the same batch for each of the partitions.
pub fn produce_to_each(
    (topic, partitions): (&str, Range<i32>),
    batch: &Bytes,
    acks: i16,
    version: i16,
) -> Result<Vec<u8>, ClientError> {
    let data = |index| PartitionProduceData { index, records: Some(batch.clone()) };
    let topic = TopicProduceData {
        name: topic.into(),
        partition_data: partitions.map(data).collect(),
        ..TopicProduceData::default()
    };
    let request = ProduceRequest {
        acks,
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..ProduceRequest::default()
    };
    encode(&request, version)
}

/// A Fetch request of one partition, and where in it the offset stands.
pub fn fetch(
    (topic, partition): (&str, i32),
    bytes_max: usize,
    version: i16,
) -> Result<(Vec<u8>, usize), ClientError> {
    const MARK: i64 = 0x0102_0304_0506_0708;
    let one = FetchPartition {
        partition,
        fetch_offset: MARK,
        partition_max_bytes: bytes_max as i32,
        ..FetchPartition::default()
    };
    let topic = FetchTopic { topic: topic.into(), partitions: vec![one], ..FetchTopic::default() };
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: bytes_max as i32,
        session_epoch: -1,
        topics: vec![topic],
        ..FetchRequest::default()
    };
    let frame = encode(&request, version)?;
    let at = frame.windows(8).position(|bytes| bytes == MARK.to_be_bytes());
    let at = at.ok_or_else(|| ClientError::usage("build a Fetch request", "it has no offset"))?;
    Ok((frame, at))
}

/// Any request in one piece, prefix and all.
pub fn encode<R: Request>(request: &R, version: i16) -> Result<Vec<u8>, ClientError> {
    let parts = frame::request(request, version, 1, Some(CLIENT_ID.into()));
    let refused = |error: protocol::EncodeError| {
        ClientError::usage(format!("build a request of {}", R::KEY.name()), error.to_string())
    };
    parts.map(|parts| parts.concat()).map_err(refused)
}

/// The next answer from a socket that blocks, without its prefix.
pub fn read_one(mut socket: &TcpStream) -> io::Result<Vec<u8>> {
    let mut prefix = [0; frame::PREFIX_BYTES];
    socket.read_exact(&mut prefix)?;
    let length = frame::length(prefix, ANSWER_BYTES_MAX).map_err(io::Error::other)?;
    let mut body = vec![0; length];
    socket.read_exact(&mut body)?;
    Ok(body)
}
