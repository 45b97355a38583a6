//! Idempotent producers: each batch once, in order, whatever is sent again. Source: KIP-98,
//! KIP-360.

use bytes::Bytes;
use env::Env;
use protocol::messages::InitProducerIdRequest;
use protocol::messages::produce_response::PartitionProduceResponse;
use records::BatchBuilder;
use types::{ErrorCode, ProducerEpoch, ProducerId, Sequence};

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, error, produce, push};

/// One producer that writes to partition 0 of `t`.
pub struct Producer {
    id: i64,
    epoch: i16,
}

impl Producer {
    pub fn init(broker: &Broker) -> Producer {
        let request = InitProducerIdRequest { transactional_id: None, ..Default::default() };
        let answer = broker.call(5, &request);
        assert_eq!(error(answer.error_code), ErrorCode::None);
        assert_eq!(answer.producer_epoch, 0);
        Producer { id: answer.producer_id, epoch: answer.producer_epoch }
    }

    pub fn batch(&self, sequence: i32, values: &[&str]) -> Bytes {
        let (id, epoch) = (ProducerId(self.id), ProducerEpoch(self.epoch));
        let builder = BatchBuilder::new().producer(id, epoch, Sequence(sequence));
        push(builder, values).build().bytes().clone()
    }

    fn send(&self, broker: &Broker, sequence: i32, values: &[&str]) -> PartitionProduceResponse {
        broker.produce(&produce("t", 0, ACKS_ALL, self.batch(sequence, values)))
    }

    fn offset(&self, broker: &Broker, sequence: i32, values: &[&str]) -> i64 {
        let answer = self.send(broker, sequence, values);
        assert_eq!(error(answer.error_code), ErrorCode::None, "{:?}", answer.error_message);
        answer.base_offset
    }

    fn refusal(&self, broker: &Broker, sequence: i32, values: &[&str]) -> ErrorCode {
        error(self.send(broker, sequence, values).error_code)
    }
}

fn broker_with_topic() -> Broker {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker
}

#[test]
fn a_batch_sent_again_is_answered_with_its_first_offset_and_stored_once() {
    let broker = broker_with_topic();
    let producer = Producer::init(&broker);
    broker.append("t", 0, &["somebody else's"]);
    assert_eq!(producer.offset(&broker, 0, &["a", "b"]), 1);
    assert_eq!(producer.offset(&broker, 2, &["c"]), 3);
    assert_eq!(producer.offset(&broker, 0, &["a", "b"]), 1);
    assert_eq!(producer.offset(&broker, 2, &["c"]), 3);
    assert_eq!(broker.read_all("t", 0), ["somebody else's", "a", "b", "c"]);
}

#[test]
fn the_last_five_batches_are_known_and_an_older_one_is_out_of_order() {
    let broker = broker_with_topic();
    let producer = Producer::init(&broker);
    for sequence in 0..6 {
        producer.offset(&broker, sequence, &["x"]);
    }
    for sequence in 1..6 {
        assert_eq!(producer.offset(&broker, sequence, &["x"]), i64::from(sequence));
    }
    assert_eq!(producer.refusal(&broker, 0, &["x"]), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(broker.read_all("t", 0).len(), 6);
}

#[test]
fn a_gap_in_the_sequence_is_out_of_order() {
    let broker = broker_with_topic();
    let producer = Producer::init(&broker);
    producer.offset(&broker, 0, &["a"]);
    assert_eq!(producer.refusal(&broker, 2, &["c"]), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(producer.offset(&broker, 1, &["b"]), 1, "the missing batch is welcome");
}

#[test]
fn a_producer_unknown_to_the_partition_may_start_anywhere() {
    let broker = broker_with_topic();
    let producer = Producer::init(&broker);
    assert_eq!(producer.offset(&broker, 40, &["a"]), 0);
    assert_eq!(producer.offset(&broker, 41, &["b"]), 1);
}

#[test]
fn a_newer_epoch_starts_at_zero_and_fences_the_older_one() {
    let broker = broker_with_topic();
    let old = Producer::init(&broker);
    old.offset(&broker, 0, &["a"]);
    let new = Producer { epoch: 1, ..old };
    let old = Producer { epoch: 0, ..new };
    assert_eq!(new.refusal(&broker, 1, &["b"]), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(new.offset(&broker, 0, &["b"]), 1);
    assert_eq!(old.refusal(&broker, 1, &["late"]), ErrorCode::InvalidProducerEpoch);
    assert_eq!(broker.read_all("t", 0), ["a", "b"]);
}

#[test]
fn the_sequence_goes_from_its_highest_value_to_zero() {
    let broker = broker_with_topic();
    let producer = Producer::init(&broker);
    producer.offset(&broker, i32::MAX - 1, &["a", "b"]);
    assert_eq!(producer.offset(&broker, 0, &["c"]), 2);
    assert_eq!(producer.offset(&broker, i32::MAX - 1, &["a", "b"]), 0, "still known");
}

#[test]
fn a_partition_remembers_its_producers_through_kills_and_shutdowns() {
    let mut broker = broker_with_topic();
    let producer = Producer::init(&broker);
    producer.offset(&broker, 0, &["a"]);
    broker.kill_and_restart();
    assert_eq!(producer.offset(&broker, 0, &["a"]), 0, "known after a kill");
    assert_eq!(producer.refusal(&broker, 2, &["c"]), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(producer.offset(&broker, 1, &["b"]), 1);
    broker.restart();
    assert_eq!(producer.offset(&broker, 1, &["b"]), 1, "known after a shutdown");
    assert_eq!(producer.refusal(&broker, 3, &["d"]), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(producer.offset(&broker, 2, &["c"]), 2);
    assert_eq!(broker.read_all("t", 0), ["a", "b", "c"]);
}

#[test]
fn a_silent_producer_is_forgotten_after_its_expiry() {
    let broker = Broker::with(&["producer.id.expiration.ms=600000"]);
    broker.create_topic("t", 1, &[]);
    let producer = Producer::init(&broker);
    producer.offset(&broker, 0, &["a"]);
    broker.pass_ms(500_000);
    assert_eq!(producer.refusal(&broker, 9, &["b"]), ErrorCode::OutOfOrderSequenceNumber);
    broker.pass_ms(700_000);
    assert_eq!(producer.offset(&broker, 9, &["b"]), 1);
}

#[test]
fn every_version_hands_out_a_fresh_id_with_epoch_zero() {
    let broker = Broker::start();
    let mut ids = Vec::new();
    for version in 0..=5 {
        let request = InitProducerIdRequest { transactional_id: None, ..Default::default() };
        let answer = broker.call(version, &request);
        assert_eq!((answer.error_code, answer.producer_epoch), (0, 0), "v{version}");
        ids.push(answer.producer_id);
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

#[test]
fn no_producer_id_is_handed_out_twice_in_the_life_of_the_cluster() {
    let mut broker = Broker::start();
    let mut ids = Vec::new();
    for round in 0..4 {
        ids.extend((0..3).map(|_| Producer::init(&broker).id));
        if round % 2 == 0 { broker.kill_and_restart() } else { broker.restart() }
    }
    ids.extend((0..1005).map(|_| Producer::init(&broker).id));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn transactional_ids_and_batches_are_refused_while_there_are_no_transactions() {
    let broker = broker_with_topic();
    let request = InitProducerIdRequest {
        transactional_id: Some("tx".into()),
        transaction_timeout_ms: 1000,
        ..Default::default()
    };
    let answer = broker.call(5, &request);
    assert_eq!(error(answer.error_code), ErrorCode::UnsupportedVersion);
    assert_eq!((answer.producer_id, answer.producer_epoch), (-1, -1));

    let (id, epoch) = (ProducerId(1), ProducerEpoch(0));
    let builder = BatchBuilder::new().producer(id, epoch, Sequence(0)).transactional();
    let request = produce("t", 0, ACKS_ALL, push(builder, &["a"]).build().bytes().clone());
    let refused = ErrorCode::TransactionalIdAuthorizationFailed;
    assert_eq!(error(broker.produce(&request).error_code), refused);
    assert!(broker.read_all("t", 0).is_empty());
}

#[test]
fn a_batch_behind_one_that_came_before_the_topic_does_not_start_the_sequence() {
    let broker = Broker::start();
    let producer = Producer::init(&broker);
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(producer.refusal(&broker, 0, &["a", "b"]), unknown);
    broker.create_topic("t", 1, &[]);
    assert_eq!(producer.refusal(&broker, 2, &["c"]), unknown, "it was on its way behind the first");
    assert_eq!(producer.offset(&broker, 0, &["a", "b"]), 0);
    assert_eq!(producer.offset(&broker, 2, &["c"]), 2);
}

#[test]
fn a_batch_behind_one_that_met_a_full_disk_is_refused_as_that_was() {
    let broker = broker_with_topic();
    let producer = Producer::init(&broker);
    producer.offset(&broker, 0, &["a"]);
    broker.env.disk().set_capacity(0);
    broker.pass_ms(2000);
    assert_eq!(producer.refusal(&broker, 1, &["b"]), ErrorCode::KafkaStorageError);
    broker.env.disk().set_capacity(u64::MAX);
    broker.pass_ms(2000);
    assert_eq!(producer.refusal(&broker, 2, &["c"]), ErrorCode::KafkaStorageError);
    assert_eq!(producer.offset(&broker, 1, &["b"]), 1);
    assert_eq!(producer.offset(&broker, 2, &["c"]), 2);
}
