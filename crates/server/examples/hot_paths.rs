//! One hot path of a node, again and again, without a socket: `hot_paths CASE TIMES DIR`.
//!
//! `cargo xtask instructions` counts what it executes. Everything that a request meets between the
//! read and the write of its socket is here, the disk included.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use broker::{Connection, ConnectionInfo, Endpoint, Node, NodeOptions};
use bytes::{Bytes, BytesMut};
use config::Sources;
use env_os::OsEnv;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::{CreateTopicsRequest, MetadataRequest};
use protocol::{Request, frame};
use records::{BatchBuilder, NewRecord};
use types::WallTime;

const TOPIC: &str = "hot";
const LISTENER: &str = "PLAINTEXT";
const PRODUCE_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 12;
const METADATA_VERSION: i16 = 12;
const ACKS_LEADER: i16 = 1;
const KIB: usize = 1024;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, times, dir] = &arguments[..] else { panic!("hot_paths CASE TIMES DIR") };
    let times: usize = times.parse().expect("TIMES is a number");
    let mut client = Client::of(&open(dir));
    client.create_topic();
    let (requests, depth) = match case.as_str() {
        "produce-1" => (produce(1, 100), 1),
        "produce-16-deep" => (produce(1, 100), 16),
        "produce-16k-5-deep" => (produce(16, 1000), 5),
        "fetch-4k" => {
            (0..8).for_each(|_| client.exchange(&produce(4, 900), 1));
            (fetch(4 * KIB as i32), 1)
        }
        "fetch-64k" => {
            (0..8).for_each(|_| client.exchange(&produce(16, 1000), 1));
            (fetch(64 * KIB as i32), 1)
        }
        "metadata" => (metadata(), 1),
        other => panic!("there is no case {other}"),
    };
    for _ in 0..times {
        client.exchange(&requests, depth);
    }
}

fn open(dir: &str) -> Arc<Node<OsEnv>> {
    let overrides = [
        "node.id=1".to_owned(),
        "process.roles=broker,controller".to_owned(),
        "listeners=PLAINTEXT://127.0.0.1:9092".to_owned(),
        format!("log.dirs={dir}"),
    ];
    let sources = Sources { overrides: &overrides, ..Sources::default() };
    let loaded = config::load(sources).expect("a configuration");
    let endpoint =
        Endpoint { listener: LISTENER.to_owned(), host: "127.0.0.1".to_owned(), port: 9092 };
    let options = NodeOptions {
        config: Arc::new(loaded.config),
        endpoints: vec![endpoint],
        controller_endpoints: Vec::new(),
    };
    Node::open(OsEnv::new(), options).expect("a node")
}

struct Client {
    connection: Connection<OsEnv>,
    /// What the connections of a core take turns with.
    spare: BytesMut,
}

impl Client {
    fn of(node: &Arc<Node<OsEnv>>) -> Client {
        let peer = ([127, 0, 0, 1], 40_000).into();
        let info = ConnectionInfo { peer, listener: LISTENER.into() };
        let connection = Connection::new(Arc::clone(node), info);
        Client { connection, spare: BytesMut::new() }
    }

    fn create_topic(&mut self) {
        let config =
            CreatableTopicConfig { name: "durability".into(), value: Some("page-cache".into()) };
        let topic = CreatableTopic {
            name: TOPIC.into(),
            num_partitions: 1,
            replication_factor: 1,
            configs: vec![config],
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            timeout_ms: 60_000,
            ..CreateTopicsRequest::default()
        };
        self.exchange(&encode(&request, 5), 1);
    }

    /// Sends the request `depth` times as one read would bring them, and takes the answers.
    fn exchange(&mut self, request: &[u8], depth: usize) {
        self.connection.lend_buffer(&mut self.spare);
        let buffer = self.connection.read_buffer();
        (0..depth).for_each(|_| buffer.extend_from_slice(request));
        self.connection.handle_input().expect("well-formed requests");
        self.connection.return_buffer(&mut self.spare);
        let responses = self.connection.responses();
        while self.connection.is_waiting() {
            let mut answers = pin!(std::future::poll_fn(|cx| responses.poll_ready(cx)));
            match answers.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(chunks)) => check(&chunks),
                Poll::Ready(None) => panic!("the request was refused"),
                // sleep: a topic waits for the disk
                Poll::Pending => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

/// Answers without errors are there in full.
fn check(chunks: &[Bytes]) {
    assert!(chunks.iter().map(Bytes::len).sum::<usize>() > 40, "an answer is too short");
}

fn encode<R: Request>(request: &R, version: i16) -> Vec<u8> {
    let parts = frame::request(request, version, 1, Some("hot".into()));
    parts.expect("a request that can be written").concat()
}

fn produce(records: usize, value_bytes: usize) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let timestamp = WallTime(now.as_millis() as i64);
    let mut batch = BatchBuilder::new();
    let value = vec![b'v'; value_bytes];
    for _ in 0..records {
        let value = Some(&value[..]);
        batch.push(NewRecord { timestamp, key: Some(b"key-0001"), value, headers: &[] });
    }
    let data = PartitionProduceData { index: 0, records: Some(batch.build().into_bytes()) };
    let topic = TopicProduceData {
        name: TOPIC.into(),
        partition_data: vec![data],
        ..TopicProduceData::default()
    };
    let request = ProduceRequest {
        acks: ACKS_LEADER,
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..ProduceRequest::default()
    };
    encode(&request, PRODUCE_VERSION)
}

fn fetch(bytes_max: i32) -> Vec<u8> {
    let partition = FetchPartition {
        partition: 0,
        current_leader_epoch: -1,
        fetch_offset: 0,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        partition_max_bytes: bytes_max,
        ..FetchPartition::default()
    };
    let topic =
        FetchTopic { topic: TOPIC.into(), partitions: vec![partition], ..FetchTopic::default() };
    let request = FetchRequest {
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: bytes_max,
        session_epoch: -1,
        topics: vec![topic],
        ..FetchRequest::default()
    };
    encode(&request, FETCH_VERSION)
}

fn metadata() -> Vec<u8> {
    encode(&MetadataRequest { topics: None, ..MetadataRequest::default() }, METADATA_VERSION)
}
