//! Finding the right broker, and trying again while that can help.

use std::collections::BTreeMap;

use client::{Client, ErrorKind, OffsetAt, TopicsWanted};
use protocol::messages::ListOffsetsResponse;
use protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use protocol::{ApiKey, Str};
use types::ErrorCode;

use crate::broker::{Answer, Broker, USUAL, metadata, versions};

fn offsets(error: ErrorCode) -> ListOffsetsResponse {
    let partition =
        ListOffsetsPartitionResponse { error_code: error.code(), offset: 42, ..Default::default() };
    let topic = ListOffsetsTopicResponse { name: Str::from("t"), partitions: vec![partition] };
    ListOffsetsResponse { topics: vec![topic], ..Default::default() }
}

#[test]
fn a_leader_that_has_moved_is_looked_up_again() {
    let mut refusals = 2;
    let broker = Broker::start(move |port, asked| match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(USUAL)),
        ApiKey::Metadata => asked.answer(&metadata(port)),
        _ if refusals > 0 => {
            refusals -= 1;
            asked.answer(&offsets(ErrorCode::NotLeaderOrFollower))
        }
        _ => asked.answer(&offsets(ErrorCode::None)),
    });
    let mut client = Client::connect(broker.options()).unwrap();
    client.refresh(TopicsWanted::Named(vec!["t".to_owned()])).unwrap();
    broker.asked();
    let place = ("t".to_owned(), 0);
    let found = client.list_offsets(&BTreeMap::from([(place.clone(), OffsetAt::Latest)])).unwrap();
    assert_eq!(found[&place].offset, 42);
    let asked = broker.asked();
    let count = |key: ApiKey| asked.iter().filter(|asked| **asked == key).count();
    assert_eq!((count(ApiKey::ListOffsets), count(ApiKey::Metadata)), (3, 2));
}

#[test]
fn an_error_that_waiting_cannot_cure_is_told_at_once() {
    let broker = Broker::start(|port, asked| match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(USUAL)),
        ApiKey::Metadata => asked.answer(&metadata(port)),
        _ => asked.answer(&offsets(ErrorCode::TopicAuthorizationFailed)),
    });
    let mut client = Client::connect(broker.options()).unwrap();
    client.refresh(TopicsWanted::Named(vec!["t".to_owned()])).unwrap();
    broker.asked();
    let wanted = BTreeMap::from([(("t".to_owned(), 0), OffsetAt::Latest)]);
    let error = client.list_offsets(&wanted).unwrap_err();
    assert!(error.is_broker(ErrorCode::TopicAuthorizationFailed));
    let asked = broker.asked();
    assert_eq!(asked.iter().filter(|key| **key == ApiKey::ListOffsets).count(), 1);
}

#[test]
fn a_change_whose_answer_was_lost_is_not_repeated_in_silence() {
    let broker = Broker::start(|port, asked| match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(USUAL)),
        ApiKey::Metadata => asked.answer(&metadata(port)),
        // The topic may be gone or not: nobody knows.
        _ => Answer::HangUp,
    });
    let mut client = Client::connect(broker.options()).unwrap();
    broker.asked();
    let error = client.delete_topic("t").unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert_eq!(error.what, "delete topic t");
    let asked = broker.asked();
    assert_eq!(asked.iter().filter(|key| **key == ApiKey::DeleteTopics).count(), 1);
}

#[test]
fn a_connection_that_was_closed_while_idle_is_opened_again() {
    let mut questions = 0;
    let broker = Broker::start(move |port, asked| match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(USUAL)),
        _ => {
            questions += 1;
            if questions == 2 { Answer::HangUp } else { asked.answer(&metadata(port)) }
        }
    });
    let mut client = Client::connect(broker.options()).unwrap();
    let cluster = client.refresh(TopicsWanted::All).unwrap();
    assert!(cluster.topic("t").is_ok());
    assert_eq!(broker.asked().iter().filter(|key| **key == ApiKey::ApiVersions).count(), 2);
}

#[test]
fn an_advertised_address_that_cannot_be_reached_is_named_as_the_cause() {
    let broker = Broker::start(|_, asked| match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(USUAL)),
        // Port 1: nobody listens there.
        _ => asked.answer(&metadata(1)),
    });
    let mut client = Client::connect(broker.options()).unwrap();
    let error = client.on_broker(1, |_| Ok(())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.why.contains("broker 1 advertises an address"), "{error}");
    assert!(error.todo.unwrap_or_default().contains("advertised.listeners"));
}
