//! The HTTP port, as scrapers, probes and strangers find it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::node::Node;

/// Sends bytes and reads until the node closes, or has nothing more to say for a while.
fn send(node: &Node, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(node.http()).expect("connect");
    let timeout = Some(Duration::from_secs(10));
    stream.set_read_timeout(timeout).expect("a timeout");
    // A node that has seen enough closes before everything is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is left open: {error}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(node: &Node, method: &str, path: &str, host: &str) -> (u16, String) {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = send(node, head.as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("{head}")), body.to_owned())
}

fn get(node: &Node, path: &str) -> (u16, String) {
    request(node, "GET", path, node.http())
}

#[test]
fn metrics_and_health_are_served() {
    let node = Node::start();
    node.ok(&["topic", "create", "t"], "");
    node.ok(&["produce", "t"], "one\ntwo\n");
    assert_eq!(get(&node, "/livez"), (200, "ok\n".to_owned()));
    assert_eq!(get(&node, "/readyz"), (200, "ready\n".to_owned()));
    let (status, metrics) = get(&node, "/metrics");
    assert_eq!(status, 200);
    let records = "\nkafka_server_brokertopicmetrics_messagesin_total{topic=\"t\"} 2\n";
    assert!(metrics.contains(records), "{metrics}");
    let (status, health) = get(&node, "/healthz");
    let health: serde_json::Value = serde_json::from_str(&health).expect("JSON");
    assert_eq!(status == 200, health["status"] == "ok", "{health}");
    assert_eq!(health["node"], 1);
    let (status, paths) = get(&node, "/nowhere");
    assert_eq!(status, 404);
    assert!(paths.contains("/metrics"), "{paths}");
}

#[test]
fn pages_are_for_this_machine_and_for_looking_only() {
    let node = Node::start();
    let port = node.http().rsplit(':').next().unwrap_or_default();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), "[::1]".to_owned()] {
        assert_eq!(request(&node, "GET", "/livez", &host).0, 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1:80", "["] {
        assert_eq!(request(&node, "GET", "/metrics", host).0, 403, "{host}");
    }
    assert_eq!(request(&node, "POST", "/metrics", "localhost").0, 405);
    assert_eq!(request(&node, "HEAD", "/metrics", "localhost").1, "");
}

#[test]
fn what_is_no_request_is_turned_away_and_nobody_else_notices() {
    let node = Node::start();
    let endless = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &vec![b'x'; 1 << 20]].concat();
    let claimed = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\
                    \r\nConnection: close\r\n\r\n";
    for hostile in [b"\0\xff\xfe\r\n\r\n".as_slice(), &endless, claimed, b"PRI * HTTP/2.0\r\n\r\n"]
    {
        let answer = send(&node, hostile);
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(get(&node, "/livez").0, 200);
    node.ok(&["topic", "list"], "");
}
