//! Agreeing on versions, and what comes back instead of an answer.

use client::{Client, Connection, ErrorKind, Options};
use protocol::ApiKey;
use protocol::messages::{ApiVersionsResponse, MetadataRequest};
use types::ErrorCode;

use crate::broker::{Answer, Asked, Broker, USUAL, metadata, versions};

/// Answers ApiVersions as usual and everything else with `other`.
fn usual(other: impl Fn(u16, Asked) -> Answer + Send + 'static) -> Broker {
    Broker::start(move |port, asked| match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(USUAL)),
        _ => other(port, asked),
    })
}

#[test]
fn the_highest_version_that_both_speak_is_used() {
    let broker = Broker::start(|port, asked| match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(&[(ApiKey::Metadata, 0, 7)])),
        _ => {
            assert_eq!((asked.key, asked.version), (ApiKey::Metadata, 7));
            asked.answer(&metadata(port))
        }
    });
    let client = Client::connect(broker.options()).unwrap();
    assert_eq!(client.cluster().brokers.len(), 1);
}

#[test]
fn an_old_broker_is_asked_again_in_version_0() {
    let broker = Broker::start(|_, asked| match asked.version {
        0 => asked.answer(&versions(&[(ApiKey::Metadata, 0, 1)])),
        _ => {
            // Whatever was asked in, the refusal is in version 0. KIP-511.
            let refusal = ApiVersionsResponse {
                error_code: ErrorCode::UnsupportedVersion.code(),
                ..Default::default()
            };
            Asked { version: 0, ..asked }.answer(&refusal)
        }
    });
    let connection = Connection::open(&broker.address, &broker.options()).unwrap();
    assert_eq!(connection.versions()[&ApiKey::Metadata.as_i16()], (0, 1));
    assert_eq!(broker.asked(), [ApiKey::ApiVersions, ApiKey::ApiVersions]);
}

#[test]
fn a_request_that_the_broker_does_not_speak_is_not_sent() {
    let broker = Broker::start(|_, asked| asked.answer(&versions(&[(ApiKey::Metadata, 99, 100)])));
    let mut connection = Connection::open(&broker.address, &broker.options()).unwrap();
    let error = connection.call(&MetadataRequest::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::UnsupportedVersion);
    assert!(error.why.contains("the broker 99 to 100"), "{error}");
    assert_eq!(broker.asked(), [ApiKey::ApiVersions]);
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let broker = usual(|port, asked| {
        let correlation_id = asked.correlation_id + 1;
        Asked { correlation_id, ..asked }.answer(&metadata(port))
    });
    let error = Client::connect(broker.options()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(error.why.contains("belongs to request"), "{error}");
}

#[test]
fn bytes_that_are_no_kafka_name_the_port_as_the_likely_mistake() {
    let broker = Broker::start(|_, _| Answer::Bytes(vec!["HTTP/1.1 400 Bad Request".into()]));
    let error = Client::connect(broker.options()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(error.todo.unwrap_or_default().contains("port"));
}

#[test]
fn no_answer_is_a_timeout_and_a_closed_connection_is_told_as_such() {
    let silent = usual(|_, _| Answer::Silence);
    assert_eq!(Client::connect(silent.options()).unwrap_err().kind, ErrorKind::TimedOut);
    let closing = usual(|_, _| Answer::HangUp);
    assert_eq!(Client::connect(closing.options()).unwrap_err().kind, ErrorKind::Disconnected);
}

#[test]
fn one_bootstrap_address_that_answers_is_enough() {
    let broker = usual(|port, asked| asked.answer(&metadata(port)));
    let options = Options {
        bootstrap: vec!["127.0.0.1:1".to_owned(), broker.address.clone()],
        ..broker.options()
    };
    assert!(Client::connect(options).is_ok());
    let nowhere = Options::new("127.0.0.1:1");
    assert_eq!(Client::connect(nowhere).unwrap_err().kind, ErrorKind::Unreachable);
}
