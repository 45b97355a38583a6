//! Single calls on a blocking socket, for what happens before and after the clock runs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use ::load::ClientError;
use ::load::frames::{self, CLIENT_ID};
use bytes::Bytes;
use protocol::header::ResponseHeader;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::{ApiVersionsRequest, CreateTopicsRequest};
use protocol::{Message, Reader, Request, frame};

use crate::Outcome;

pub const TOPIC: &str = "bench";

pub fn call<R: Request>(socket: &mut TcpStream, request: &R, version: i16) -> Outcome<R::Response> {
    let text = |error: &dyn std::fmt::Display| format!("{:?}: {error}", R::KEY);
    let frame = frames::encode(request, version).map_err(|error| said(&error))?;
    socket.write_all(&frame).map_err(|error| text(&error))?;
    let mut prefix = [0; frame::PREFIX_BYTES];
    socket.read_exact(&mut prefix).map_err(|error| text(&error))?;
    let length = frame::length(prefix, 1 << 28).map_err(|error| text(&error))?;
    let mut body = vec![0; length];
    socket.read_exact(&mut body).map_err(|error| text(&error))?;
    let mut reader = Reader::new(Bytes::from(body));
    let header = R::KEY.response_header_version(version);
    ResponseHeader::decode(&mut reader, header).map_err(|error| text(&error))?;
    R::Response::decode(&mut reader, version).map_err(|error| text(&error))
}

/// What an error of the referee says.
pub fn said(error: &ClientError) -> String {
    format!("{}: {}", error.what, error.why)
}

/// True once the server answers.
pub fn is_ready(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok_and(|mut socket| greet(&mut socket).is_ok())
}

/// What every client says first.
pub fn greet(socket: &mut TcpStream) -> Outcome<()> {
    let request = ApiVersionsRequest {
        client_software_name: CLIENT_ID.into(),
        client_software_version: "1".into(),
    };
    let answer = call(socket, &request, 3)?;
    check(answer.error_code)
}

/// Like the floor, whatever is measured against it stops at the page cache.
pub fn create_topic(address: SocketAddr, partitions: i32) -> Outcome<()> {
    create_topic_with(address, TOPIC, partitions, &[("durability", "page-cache")])
}

pub fn create_topic_with(
    address: SocketAddr,
    name: &str,
    partitions: i32,
    configs: &[(&str, &str)],
) -> Outcome<()> {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
    };
    let mut socket = TcpStream::connect(address).map_err(|error| error.to_string())?;
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: configs.iter().map(config).collect(),
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: 60_000,
        ..CreateTopicsRequest::default()
    };
    let answer = call(&mut socket, &request, 5)?;
    check(answer.topics.first().map_or(-1, |topic| topic.error_code))
}

pub fn check(error_code: i16) -> Outcome<()> {
    match error_code {
        0 => Ok(()),
        other => Err(format!("the server answered with error code {other}")),
    }
}
