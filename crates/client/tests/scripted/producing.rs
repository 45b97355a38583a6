//! Records that must arrive once and in order, whatever the broker answers first.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use client::{Acks, Client, Delivered, Outgoing, Producer, ProducerOptions};
use protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use protocol::messages::{InitProducerIdResponse, ProduceRequest, ProduceResponse};
use protocol::{ApiKey, Message, Str};
use types::ErrorCode;

use crate::broker::{Answer, Broker, USUAL, metadata, versions};

fn produced(error: ErrorCode, base_offset: i64) -> ProduceResponse {
    let partition =
        PartitionProduceResponse { error_code: error.code(), base_offset, ..Default::default() };
    let topic = TopicProduceResponse {
        name: Str::from("t"),
        partition_responses: vec![partition],
        ..Default::default()
    };
    ProduceResponse { responses: vec![topic], ..Default::default() }
}

/// A broker that takes producer id 7, keeps the batches it gets, and answers each with `answers`.
fn start(answers: Vec<Option<(ErrorCode, i64)>>) -> (Broker, Arc<Mutex<Vec<Bytes>>>) {
    let kept: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let keep = kept.clone();
    let mut answers = answers.into_iter();
    let broker = Broker::start(move |port, mut asked| match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(USUAL)),
        ApiKey::Metadata => asked.answer(&metadata(port)),
        ApiKey::InitProducerId => {
            let id = InitProducerIdResponse { producer_id: 7, ..Default::default() };
            asked.answer(&id)
        }
        _ => {
            let request = ProduceRequest::decode(&mut asked.body, asked.version).unwrap();
            let records = request.topic_data[0].partition_data[0].records.clone().unwrap();
            keep.lock().unwrap().push(records);
            match answers.next() {
                Some(Some((error, offset))) => asked.answer(&produced(error, offset)),
                Some(None) => Answer::HangUp,
                None => Answer::Silence,
            }
        }
    });
    (broker, kept)
}

fn produce(
    broker: &Broker,
    options: ProducerOptions,
) -> Result<Vec<Delivered>, client::ClientError> {
    let client = Client::connect(broker.options())?;
    let mut producer = Producer::new(client, options)?;
    let topic: Arc<str> = Arc::from("t");
    for value in ["a", "b"] {
        let record = Outgoing { value: Some(Bytes::from(value)), ..Outgoing::default() };
        producer.send(&topic, &record)?;
    }
    producer.flush()
}

#[test]
fn a_batch_whose_answer_was_lost_is_sent_again_unchanged() {
    let answers = vec![
        None,
        Some((ErrorCode::NotLeaderOrFollower, -1)),
        Some((ErrorCode::DuplicateSequenceNumber, -1)),
    ];
    let (broker, kept) = start(answers);
    let delivered = produce(&broker, ProducerOptions::default()).unwrap();
    // The broker had it already: that is as good as writing it now.
    assert_eq!((delivered.len(), delivered[0].records), (1, 2));
    let kept = kept.lock().unwrap();
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|batch| *batch == kept[0]), "a retry must look the same");
    let batch = records::batches(&kept[0]).next().unwrap().unwrap();
    assert_eq!((batch.header().producer_id.0, batch.header().base_sequence.0), (7, 0));
}

#[test]
fn an_error_for_good_comes_back_with_the_partition_named() {
    let (broker, kept) = start(vec![Some((ErrorCode::MessageTooLarge, -1))]);
    let error = produce(&broker, ProducerOptions::default()).unwrap_err();
    assert!(error.is_broker(ErrorCode::MessageTooLarge));
    assert_eq!(error.what, "produce to t-0");
    assert_eq!(kept.lock().unwrap().len(), 1);
}

#[test]
fn without_acknowledgement_nobody_is_waited_for() {
    let (broker, _) = start(vec![]);
    let options = ProducerOptions { acks: Acks::Nobody, ..ProducerOptions::default() };
    let delivered = produce(&broker, options).unwrap();
    assert_eq!((delivered[0].base_offset, delivered[0].records), (-1, 2));
}

#[test]
fn sequences_go_on_from_batch_to_batch() {
    let (broker, kept) = start(vec![Some((ErrorCode::None, 0)), Some((ErrorCode::None, 1))]);
    let options = ProducerOptions { batch_bytes: 1, ..ProducerOptions::default() };
    produce(&broker, options).unwrap();
    let first =
        |batch: &Bytes| records::batches(batch).next().unwrap().unwrap().header().base_sequence.0;
    assert_eq!(kept.lock().unwrap().iter().map(first).collect::<Vec<_>>(), [0, 1]);
}
