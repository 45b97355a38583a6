//! A broker that follows a script: for each request it gets, what to answer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use client::Options;
use protocol::header::RequestHeader;
use protocol::messages::api_versions_response::ApiVersion;
use protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::messages::{ApiVersionsResponse, MetadataResponse};
use protocol::{ApiKey, Message, Reader, Str, frame};

/// What the broker does when a request comes.
pub enum Answer {
    Bytes(Vec<Bytes>),
    /// Nothing: the request asks for no answer.
    Silence,
    HangUp,
}

/// A request as it came.
pub struct Asked {
    pub key: ApiKey,
    pub version: i16,
    pub correlation_id: i32,
    pub body: Reader,
}

impl Asked {
    /// An answer in the version that was asked in.
    pub fn answer<M: Message>(&self, message: &M) -> Answer {
        let bytes = frame::response(self.key, message, self.version, self.correlation_id);
        Answer::Bytes(bytes.expect("an answer that can be encoded"))
    }
}

/// Where the broker listens, and the keys of the requests it got.
pub struct Broker {
    pub address: String,
    asked: Receiver<ApiKey>,
}

impl Broker {
    /// Starts a broker that answers with `script`. It ends with the test's process.
    pub fn start(script: impl FnMut(u16, Asked) -> Answer + Send + 'static) -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, asked) = channel();
        let script = Arc::new(Mutex::new(script));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (script, sender) = (script.clone(), sender.clone());
                thread::spawn(move || serve(stream, address.port(), &script, &sender));
            }
        });
        Broker { address: address.to_string(), asked }
    }

    /// Everything asked so far.
    pub fn asked(&self) -> Vec<ApiKey> {
        self.asked.try_iter().collect()
    }

    pub fn options(&self) -> Options {
        Options {
            operation_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_millis(500),
            ..Options::new(&self.address)
        }
    }
}

/// Answers one connection's requests; all connections follow the one script.
fn serve(
    mut stream: TcpStream,
    port: u16,
    script: &Mutex<impl FnMut(u16, Asked) -> Answer>,
    sender: &Sender<ApiKey>,
) {
    while let Some(request) = read(&mut stream) {
        let _ = sender.send(request.key);
        let answer = script.lock().expect("the script goes on")(port, request);
        match answer {
            Answer::HangUp => return,
            Answer::Silence => {}
            Answer::Bytes(chunks) => {
                chunks.iter().for_each(|chunk| stream.write_all(chunk).unwrap_or(()));
            }
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut prefix = [0; frame::PREFIX_BYTES];
    stream.read_exact(&mut prefix).ok()?;
    let mut bytes = vec![0; frame::length(prefix, 1 << 20).ok()?];
    stream.read_exact(&mut bytes).ok()?;
    let mut body = Reader::new(Bytes::from(bytes));
    let header = RequestHeader::read(&mut body).ok()?;
    Some(Asked {
        key: header.api()?,
        version: header.request_api_version,
        correlation_id: header.correlation_id,
        body,
    })
}

/// Says that these APIs are spoken, each in these versions.
pub fn versions(apis: &[(ApiKey, i16, i16)]) -> ApiVersionsResponse {
    let api = |(key, min_version, max_version): &(ApiKey, i16, i16)| ApiVersion {
        api_key: key.as_i16(),
        min_version: *min_version,
        max_version: *max_version,
    };
    ApiVersionsResponse { api_keys: apis.iter().map(api).collect(), ..Default::default() }
}

/// A cluster of one broker, which leads the one partition of topic `t`.
pub fn metadata(port: u16) -> MetadataResponse {
    let partition = MetadataResponsePartition {
        leader_id: 1,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..Default::default()
    };
    MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: 1,
            host: Str::from("127.0.0.1"),
            port: i32::from(port),
            rack: None,
        }],
        controller_id: 1,
        topics: vec![MetadataResponseTopic {
            name: Some(Str::from("t")),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// The APIs that most scripts speak.
pub const USUAL: &[(ApiKey, i16, i16)] = &[
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::Metadata, 0, 12),
    (ApiKey::Produce, 3, 12),
    (ApiKey::ListOffsets, 1, 8),
    (ApiKey::DeleteTopics, 1, 6),
    (ApiKey::InitProducerId, 0, 4),
];
