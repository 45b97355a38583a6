use std::io::{Read, Write};
use std::net;
use std::sync::Arc;

use broker::{ConnectionInfo, Endpoint, Node, NodeOptions};
use env_os::OsEnv;
use protocol::frame;
use protocol::messages::ApiVersionsRequest;
use tokio::task::LocalSet;

use super::*;

const LISTENER: &str = "PLAINTEXT";

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
        (0..41).for_each(|_| take_answer(pieces));
        clients.reverse();
    }
}

/// So many connections to a node, all on one core. Nobody waits for ever on them.
fn served(dir: &std::path::Path, connections: usize) -> Vec<net::TcpStream> {
    let node = open(dir);
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connect = |_| {
        let client = net::TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        client.set_nodelay(true).unwrap();
        (client, listener.accept().unwrap())
    };
    let (clients, accepted): (Vec<_>, Vec<_>) = (0..connections).map(connect).unzip();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tasks = LocalSet::new();
        let spare = SpareBuffer::default();
        for (stream, peer) in accepted {
            let info = ConnectionInfo { peer, listener: LISTENER.into() };
            let connection = Connection::new(Arc::clone(&node), info);
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

fn request() -> Vec<u8> {
    let request = frame::request(&ApiVersionsRequest::default(), 0, 1, Some("pieces".into()));
    request.unwrap().concat()
}

fn take_answer(client: &mut net::TcpStream) {
    let mut length = [0; 4];
    client.read_exact(&mut length).expect("an answer in time");
    let mut answer = vec![0; i32::from_be_bytes(length) as usize];
    client.read_exact(&mut answer).unwrap();
}
