//! A client that asks for more than it takes, or says less than it promised, is served no further.

use protocol::messages::{ApiVersionsRequest, FetchRequest, MetadataRequest};
use types::ErrorCode;

use crate::harness::Broker;
use crate::shorthand::{error, fetch};

fn waiting() -> FetchRequest {
    FetchRequest { max_wait_ms: 500, ..fetch("t", 0, 0) }
}

#[test]
fn a_client_may_have_128_requests_unanswered_and_the_next_ones_wait_their_turn() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let mut client = broker.client();
    for _ in 0..200 {
        client.send(12, &waiting());
    }
    assert!(!client.wants_input(), "it is read no further");
    broker.append("t", 0, &["a"]);
    let mut answers = 0;
    while client.try_answer::<FetchRequest>().is_some() {
        answers += 1;
    }
    assert_eq!(answers, 200, "those that waited outside were served when there was room");
    assert!(client.wants_input());
}

#[test]
fn a_client_that_takes_no_answers_fills_a_bounded_part_of_the_memory() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.append("t", 0, &[&"x".repeat(500_000)]);
    let mut client = broker.client();
    for _ in 0..60 {
        client.send(12, &fetch("t", 0, 0));
    }
    assert!(!client.wants_input());
    let owed = client.owed_bytes();
    assert!((4_000_000..6_000_000).contains(&owed), "{owed}");
    let mut answers = 0;
    while client.try_answer::<FetchRequest>().is_some() {
        answers += 1;
    }
    assert_eq!(answers, 60, "nothing that was asked is forgotten");
}

#[test]
fn a_request_may_arrive_byte_by_byte() {
    let broker = Broker::start();
    let whole = protocol::frame::request(&MetadataRequest::default(), 9, 1, Some("slow".into()));
    let whole = whole.expect("encodes").concat();
    let mut client = broker.client();
    for (at, byte) in whole.iter().enumerate() {
        assert_eq!(client.frame(), None, "byte {at} of {}", whole.len());
        client.send_bytes(&[*byte]);
    }
    assert!(client.frame().is_some());
}

#[test]
fn a_request_larger_than_the_limit_is_cut_before_it_has_arrived() {
    let broker = Broker::with(&["socket.request.max.bytes=1000"]);
    let mut client = broker.client();
    client.send_bytes(&1001_i32.to_be_bytes());
    assert!(!client.is_open());
    let mut client = broker.client();
    client.send_bytes(&1000_i32.to_be_bytes());
    assert!(client.is_open());
}

#[test]
fn a_fetch_cannot_ask_for_more_than_the_broker_gives() {
    let broker = Broker::with(&["fetch.max.bytes=1024"]);
    broker.create_topic("t", 1, &[]);
    for _ in 0..10 {
        broker.append("t", 0, &[&"x".repeat(400)]);
    }
    let mut request = fetch("t", 0, 0);
    request.max_bytes = i32::MAX;
    request.topics[0].partitions[0].partition_max_bytes = i32::MAX;
    let answer = broker.fetch(&request);
    assert_eq!(error(answer.error_code), ErrorCode::None);
    let bytes = answer.records.expect("records").len();
    assert!((400..=1024).contains(&bytes), "{bytes}");
    assert_eq!(broker.call(0, &ApiVersionsRequest::default()).error_code, 0);
}
