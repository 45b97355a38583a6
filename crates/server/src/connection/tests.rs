use std::io::{Read, Write};
use std::net;
use std::sync::Arc;

use broker::{ConnectionInfo, Endpoint, Node, NodeOptions};
use env_os::OsEnv;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, ProduceResponse, ResponseHeader,
};
use protocol::{Message, Reader, Request, frame};
use records::{BatchBuilder, NewRecord};
use tokio::task::LocalSet;
use types::WallTime;

use super::*;

const LISTENER: &str = "PLAINTEXT";
const PRODUCE_VERSION: i16 = 9;
/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_short_write_goes_on_in_the_middle_of_a_chunk() {
    let mut chunks = VecDeque::from([Bytes::from("abc"), Bytes::new(), Bytes::from("defg")]);
    advance(&mut chunks, 4);
    assert_eq!(chunks, [Bytes::from("efg")]);
    advance(&mut chunks, 3);
    assert!(chunks.is_empty());
}

#[test]
fn requests_in_pieces_are_answered_on_connections_that_take_turns_with_a_buffer() {
    let dir = tempfile::tempdir().unwrap();
    let mut clients = served(dir.path(), 2);
    let request = request();
    for round in 0..100 {
        let cut = round % request.len();
        let [whole, pieces] = &mut clients[..] else { unreachable!() };
        pieces.write_all(&request[..cut]).unwrap();
        whole.write_all(&request).unwrap();
        take_answer(whole);
        // More than are dispatched in one go.
        let rest = [&request[cut..], &request.repeat(40)].concat();
        pieces.write_all(&rest).unwrap();
        (0..41).for_each(|_| drop(take_answer(pieces)));
        clients.reverse();
    }
}

#[test]
fn what_is_there_is_taken_past_the_runtime_and_the_end_is_left_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = Connection::new(open(dir.path()), info_of(([127, 0, 0, 1], 1).into()));
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = TcpStream::from_std(stream).unwrap();
        let (spare, mut look_out) = (SpareBuffer::default(), LookOut::default());
        let request = request();
        let (begin, rest) = request.split_at(7);
        take_at_once(&stream, &mut connection, &spare, &mut look_out);
        client.write_all(begin).unwrap();
        stream.peek(&mut [0]).await.unwrap();
        take_at_once(&stream, &mut connection, &spare, &mut look_out);
        assert!(!connection.is_waiting() && !connection.has_work(), "there is half a request");
        client.write_all(rest).unwrap();
        stream.peek(&mut [0]).await.unwrap();
        take_at_once(&stream, &mut connection, &spare, &mut look_out);
        assert!(connection.responses().ready_bytes() > 0, "there is a whole one");
        drop(client);
        assert_eq!(stream.peek(&mut [0]).await.unwrap(), 0);
        take_at_once(&stream, &mut connection, &spare, &mut look_out);
        let ended = read_available(&stream, &mut connection, &spare, &mut look_out);
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    });
}

#[test]
fn a_lone_producer_is_answered_in_order_whatever_its_requests_measure() {
    let dir = tempfile::tempdir().unwrap();
    let mut producer = served(dir.path(), 1).remove(0);
    producer.write_all(&create_topic()).unwrap();
    take_answer(&mut producer);
    // Mostly smaller than what is taken at once, and it is alone by then.
    let sizes = std::iter::repeat_n(100, 300).chain([10_000]).cycle();
    for (expected, bytes) in (0..1_500).zip(sizes) {
        producer.write_all(&produce(bytes)).unwrap();
        let mut answer = Reader::new(take_answer(&mut producer).into());
        ResponseHeader::decode(&mut answer, 1).unwrap();
        let answer = ProduceResponse::decode(&mut answer, PRODUCE_VERSION).unwrap();
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!((partition.error_code, partition.base_offset), (0, expected));
    }
}

/// So many connections to a node, all on one core. Nobody waits for ever on them.
fn served(dir: &std::path::Path, connections: usize) -> Vec<net::TcpStream> {
    let node = open(dir);
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connect = |_| {
        let client = net::TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_nodelay(true).unwrap();
        (client, listener.accept().unwrap())
    };
    let (clients, accepted): (Vec<_>, Vec<_>) = (0..connections).map(connect).unzip();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tasks = LocalSet::new();
        let spare = SpareBuffer::default();
        for (stream, peer) in accepted {
            let connection = Connection::new(Arc::clone(&node), info_of(peer));
            let spare = SpareBuffer::clone(&spare);
            tasks.spawn_local(async move {
                stream.set_nonblocking(true).unwrap();
                let stream = TcpStream::from_std(stream).unwrap();
                serve(stream, connection, Duration::from_secs(600), spare).await;
            });
        }
        runtime.block_on(tasks);
    });
    clients
}

fn open(dir: &std::path::Path) -> Arc<Node<OsEnv>> {
    let overrides = [
        "node.id=1".to_owned(),
        "process.roles=broker,controller".to_owned(),
        "listeners=PLAINTEXT://127.0.0.1:9092".to_owned(),
        format!("log.dirs={}", dir.display()),
    ];
    let sources = config::Sources { overrides: &overrides, ..Default::default() };
    let config = Arc::new(config::load(sources).expect("a configuration").config);
    let (listener, host) = (LISTENER.to_owned(), "127.0.0.1".to_owned());
    let endpoints = vec![Endpoint { listener, host, port: 9092 }];
    let controller_endpoints = Vec::new();
    let options = NodeOptions { config, endpoints, controller_endpoints };
    Node::open(OsEnv::new(), options).expect("a node")
}

fn info_of(peer: net::SocketAddr) -> ConnectionInfo {
    ConnectionInfo { peer, listener: LISTENER.into() }
}

fn request() -> Vec<u8> {
    encode(&ApiVersionsRequest::default(), 0)
}

fn create_topic() -> Vec<u8> {
    let (num_partitions, replication_factor) = (1, 1);
    let name = "t".into();
    let topic = CreatableTopic { name, num_partitions, replication_factor, ..Default::default() };
    encode(
        &CreateTopicsRequest { topics: vec![topic], timeout_ms: 60_000, ..Default::default() },
        5,
    )
}

/// A record of so many bytes, to be acknowledged once it is durable.
fn produce(bytes: usize) -> Vec<u8> {
    let mut batch = BatchBuilder::new();
    let (timestamp, value) = (WallTime(1), vec![7; bytes]);
    batch.push(NewRecord { timestamp, key: None, value: Some(&value), headers: &[] });
    let data = PartitionProduceData { index: 0, records: Some(batch.build().into_bytes()) };
    let (name, partition_data) = ("t".into(), vec![data]);
    let topic = TopicProduceData { name, partition_data, ..Default::default() };
    let (acks, topic_data) = (-1, vec![topic]);
    encode(
        &ProduceRequest { acks, timeout_ms: 60_000, topic_data, ..Default::default() },
        PRODUCE_VERSION,
    )
}

fn encode<R: Request>(request: &R, version: i16) -> Vec<u8> {
    frame::request(request, version, 1, Some("test".into())).unwrap().concat()
}

fn take_answer(client: &mut net::TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    client.read_exact(&mut length).expect("an answer in time");
    let mut answer = vec![0; i32::from_be_bytes(length) as usize];
    client.read_exact(&mut answer).unwrap();
    answer
}
