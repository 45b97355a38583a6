//! Rules of the protocol whose breach stops real clients. Source: docs of KIP-35, KIP-511, KIP-74.

use protocol::ApiKey;
use protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, FetchRequest, FetchResponse, MetadataRequest,
    ProduceRequest,
};
use types::ErrorCode;

use crate::harness::{Broker, read};
use crate::shorthand::{ACKS_ALL, batch, error, fetch, produce, values};

#[test]
fn produce_is_advertised_from_version_0_and_refused_below_3() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let rows = broker.call(0, &ApiVersionsRequest::default()).api_keys;
    let row = rows.iter().find(|row| row.api_key == ApiKey::Produce.as_i16()).expect("Produce");
    assert_eq!((row.min_version, row.max_version), (0, 13));

    for version in 0..3_u8 {
        let mut client = broker.client();
        client.send_bytes(&[0, 0, 0, 10, 0, 0, 0, version, 0, 0, 0, 1, 0xff, 0xff]);
        assert!(!client.is_open(), "produce v{version} cuts the connection");
        assert_eq!(client.frame(), None);
    }
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_version_0_with_its_range() {
    let broker = Broker::start();
    let mut client = broker.client();
    // Version 9, correlation id 5, no client id, no tagged fields, bytes nobody knows.
    client.send_bytes(&[0, 0, 0, 14, 0, 18, 0, 9, 0, 0, 0, 5, 0xff, 0xff, 0, 1, 2, 3]);
    let frame = client.frame().expect("an answer");
    assert_eq!(frame[..4], [0, 0, 0, 5], "header version 0 is a correlation id and nothing else");
    let answer: ApiVersionsResponse = read(frame.slice(4..), 0);
    assert_eq!(error(answer.error_code), ErrorCode::UnsupportedVersion);
    assert_eq!(answer.api_keys.len(), 1);
    let row = &answer.api_keys[0];
    assert_eq!((row.api_key, row.min_version, row.max_version), (18, 0, 4));
    assert!(client.is_open(), "the client may try again");
    client.send(4, &software("librdkafka"));
    assert_eq!(client.answer::<ApiVersionsRequest>().error_code, 0);
}

#[test]
fn api_versions_refuses_client_software_without_a_name() {
    let broker = Broker::start();
    let answer = broker.call(3, &software("-"));
    assert_eq!(error(answer.error_code), ErrorCode::InvalidRequest);
    assert_eq!(broker.call(3, &software("apache-kafka-java")).error_code, 0);
}

fn software(name: &str) -> ApiVersionsRequest {
    ApiVersionsRequest { client_software_name: name.into(), client_software_version: "1.0".into() }
}

#[test]
fn pipelined_requests_are_answered_in_order_even_when_the_first_one_waits() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let mut client = broker.client();
    client.send(12, &FetchRequest { max_wait_ms: 500, ..fetch("t", 0, 0) });
    client.send(9, &MetadataRequest::default());
    assert_eq!(client.frame(), None, "the fetch waits, so the metadata behind it waits, too");
    client.send(12, &produce("t", 0, ACKS_ALL, batch(&["a"])));
    let fetched = client.answer::<FetchRequest>();
    assert_eq!(values(&fetched.responses[0].partitions[0]), ["a"]);
    client.answer::<MetadataRequest>();
    assert_eq!(client.answer::<ProduceRequest>().responses.len(), 1);
}

#[test]
fn a_connection_is_cut_for_bytes_that_are_no_request() {
    let broker = Broker::start();
    let unknown_api = [0, 0, 0, 10, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    let negative_length = [0xff, 0xff, 0xff, 0xff];
    let cut_short = [0, 0, 0, 2, 0, 3];
    for bytes in [&unknown_api[..], &negative_length, &cut_short] {
        let mut client = broker.client();
        client.send_bytes(bytes);
        assert!(!client.is_open(), "{bytes:?}");
    }
    broker.call(9, &MetadataRequest::default());
}

#[test]
fn a_produce_without_acks_has_no_response() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let mut client = broker.client();
    client.send_unanswered(9, &produce("t", 0, 0, batch(&["a"])));
    client.send(9, &MetadataRequest::default());
    client.answer::<MetadataRequest>();
    assert_eq!(broker.read_all("t", 0), ["a"]);
}

#[test]
fn a_produce_without_acks_that_fails_cuts_the_connection() {
    let broker = Broker::start();
    let mut client = broker.client();
    client.send(9, &MetadataRequest::default());
    client.send_unanswered(9, &produce("nowhere", 0, 0, batch(&["a"])));
    client.answer::<MetadataRequest>();
    assert!(!client.is_open());
}

#[test]
fn nothing_is_ever_throttled() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let produced = broker.call(9, &produce("t", 0, ACKS_ALL, batch(&["a"])));
    assert_eq!(produced.throttle_time_ms, 0);
    let fetched: FetchResponse = broker.call(12, &fetch("t", 0, 0));
    assert_eq!(fetched.throttle_time_ms, 0);
    assert_eq!(broker.call(13, &MetadataRequest::default()).throttle_time_ms, 0);
}
