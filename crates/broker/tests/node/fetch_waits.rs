//! A fetch answers when there is enough, or when its time is up; never before, never twice.
//! Source: Kafka `DelayedFetch`, KIP-74.

use protocol::messages::{FetchRequest, ProduceRequest};
use types::ErrorCode;

use crate::harness::{Broker, Client};
use crate::shorthand::{ACKS_ALL, batch, error, fetch, fetch_by_id, fetch_topic, produce, values};

const WAIT_MS: i32 = 500;

fn waiting(topic: &str, offset: i64, min_bytes: i32) -> FetchRequest {
    FetchRequest { max_wait_ms: WAIT_MS, min_bytes, ..fetch(topic, 0, offset) }
}

fn broker_with_topic() -> Broker {
    let broker = Broker::start();
    broker.create_topic("t", 2, &[]);
    broker
}

fn parked(broker: &Broker, version: i16, request: &FetchRequest) -> Client {
    let mut client = broker.client();
    client.send(version, request);
    assert_eq!(client.frame(), None, "the fetch was to wait");
    client
}

#[test]
fn the_first_batch_is_returned_even_if_it_is_larger_than_every_limit() {
    let broker = broker_with_topic();
    broker.append("t", 0, &[&"x".repeat(5000)]);
    broker.append("t", 0, &["second"]);
    let mut request = fetch("t", 0, 0);
    request.max_bytes = 1;
    request.topics[0].partitions[0].partition_max_bytes = 1;
    let answer = broker.fetch(&request);
    assert_eq!(values(&answer), ["x".repeat(5000)]);
}

#[test]
fn only_the_first_partition_with_records_may_exceed_the_limit() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["first"]);
    broker.append("t", 1, &["second"]);
    let mut request = fetch("t", 0, 0);
    request.topics.push(fetch_topic("t", 1, 0));
    request.max_bytes = 1;
    let answer = broker.call(12, &request);
    let all: Vec<_> = answer.responses.iter().flat_map(|topic| &topic.partitions).collect();
    assert_eq!(values(all[0]), ["first"]);
    assert!(values(all[1]).is_empty());
    assert_eq!(all[1].high_watermark, 1, "its offsets are told all the same");
}

#[test]
fn a_full_partition_does_not_starve_the_next_one() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["a"]);
    broker.append("t", 0, &["b"]);
    broker.append("t", 1, &["c"]);
    let mut request = fetch("t", 0, 0);
    request.topics[0].partitions[0].partition_max_bytes = 1;
    request.topics.push(fetch_topic("t", 1, 0));
    let answer = broker.call(12, &request);
    let all = answer.responses.iter().flat_map(|topic| &topic.partitions);
    assert_eq!(all.map(values).collect::<Vec<_>>(), [["a"], ["c"]]);
}

#[test]
fn a_fetch_with_enough_to_read_answers_at_once() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["a"]);
    let answer = broker.fetch(&waiting("t", 0, 1));
    assert_eq!(values(&answer), ["a"]);
}

#[test]
fn an_empty_fetch_is_answered_when_max_wait_is_over_and_not_before() {
    let broker = broker_with_topic();
    let mut client = parked(&broker, 12, &waiting("t", 0, 1));
    broker.pass_ms(WAIT_MS as u64 - 1);
    assert_eq!(client.frame(), None, "there is a millisecond left");
    broker.pass_ms(1);
    let answer = client.answer::<FetchRequest>();
    assert!(values(&answer.responses[0].partitions[0]).is_empty());
    broker.append("t", 0, &["late"]);
    broker.pass_ms(10_000);
    assert_eq!(client.frame(), None, "one request, one answer");
}

#[test]
fn a_fetch_without_max_wait_answers_at_once_with_nothing() {
    let broker = broker_with_topic();
    let answer = broker.fetch(&FetchRequest { max_wait_ms: 0, ..waiting("t", 0, 1) });
    assert!(values(&answer).is_empty());
}

#[test]
fn a_fetch_that_wants_no_bytes_answers_at_once() {
    let broker = broker_with_topic();
    assert!(values(&broker.fetch(&waiting("t", 0, 0))).is_empty());
}

#[test]
fn a_waiting_fetch_is_answered_as_soon_as_enough_has_arrived() {
    let broker = broker_with_topic();
    let one_batch = batch(&["a"]).len() as i32;
    let mut client = parked(&broker, 12, &waiting("t", 0, 2 * one_batch));
    broker.append("t", 0, &["a"]);
    assert_eq!(client.frame(), None, "one batch is half of what it wants");
    broker.append("t", 0, &["b"]);
    let answer = client.answer::<FetchRequest>();
    assert_eq!(values(&answer.responses[0].partitions[0]), ["a", "b"]);
    broker.append("t", 0, &["c"]);
    broker.pass_ms(10_000);
    assert_eq!(client.frame(), None, "one request, one answer");
}

#[test]
fn when_too_little_arrives_it_is_returned_at_max_wait() {
    let broker = broker_with_topic();
    let mut client = parked(&broker, 12, &waiting("t", 0, 1000));
    broker.append("t", 0, &["a"]);
    broker.pass_ms(WAIT_MS as u64 - 1);
    assert_eq!(client.frame(), None);
    broker.pass_ms(1);
    assert_eq!(values(&client.answer::<FetchRequest>().responses[0].partitions[0]), ["a"]);
}

#[test]
fn what_was_there_at_first_counts_towards_min_bytes() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["a"]);
    let one_batch = batch(&["a"]).len() as i32;
    let mut client = parked(&broker, 12, &waiting("t", 0, 2 * one_batch));
    broker.append("t", 0, &["b"]);
    assert_eq!(values(&client.answer::<FetchRequest>().responses[0].partitions[0]), ["a", "b"]);
}

#[test]
fn an_error_in_one_partition_is_not_waited_for() {
    let broker = broker_with_topic();
    let mut request = waiting("t", 0, 1);
    request.topics.push(fetch_topic("nowhere", 0, 0));
    let answer = broker.call(12, &request);
    let codes: Vec<_> =
        answer.responses.iter().map(|t| error(t.partitions[0].error_code)).collect();
    assert_eq!(codes, [ErrorCode::None, ErrorCode::UnknownTopicOrPartition]);
}

#[test]
fn offsets_outside_the_log_are_out_of_range_at_once() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["a"]);
    for offset in [-1, 2] {
        let answer = broker.fetch(&waiting("t", offset, 1));
        assert_eq!(error(answer.error_code), ErrorCode::OffsetOutOfRange, "offset {offset}");
    }
    parked(&broker, 12, &waiting("t", 1, 1));
}

#[test]
fn deleting_a_topic_answers_the_fetches_that_wait_on_it() {
    let broker = Broker::start();
    let id = broker.create_topic("t", 1, &[]);
    let mut by_name = parked(&broker, 12, &waiting("t", 0, 1));
    let by_id = FetchRequest { max_wait_ms: WAIT_MS, ..fetch_by_id(id, 0, 0) };
    let mut by_id = parked(&broker, 18, &by_id);
    broker.delete_topic("t");
    let code = |client: &mut Client| {
        error(client.answer::<FetchRequest>().responses[0].partitions[0].error_code)
    };
    assert_eq!(code(&mut by_name), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(code(&mut by_id), ErrorCode::UnknownTopicId);
}

#[test]
fn a_client_that_goes_away_while_its_fetch_waits_harms_nobody() {
    let broker = broker_with_topic();
    drop(parked(&broker, 12, &waiting("t", 0, 1)));
    broker.append("t", 0, &["a"]);
    broker.pass_ms(10_000);
    assert_eq!(broker.read_all("t", 0), ["a"]);
}

#[test]
fn a_fetch_for_an_older_or_newer_leader_than_ours_is_told_so() {
    let broker = broker_with_topic();
    let mut request = waiting("t", 0, 1);
    request.topics[0].partitions[0].current_leader_epoch = 1;
    assert_eq!(error(broker.fetch(&request).error_code), ErrorCode::UnknownLeaderEpoch);
    request.topics[0].partitions[0].current_leader_epoch = 0;
    parked(&broker, 12, &request);
}

/// Source: Kafka `Partition.readRecords`. A client that has read of an epoch that nobody here knows
/// would otherwise wait for ever at an offset that means something else.
#[test]
fn a_client_that_read_of_an_epoch_unknown_here_is_out_of_range() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["a"]);
    let mut request = waiting("t", 1, 1);
    request.topics[0].partitions[0].last_fetched_epoch = 7;
    assert_eq!(error(broker.fetch(&request).error_code), ErrorCode::OffsetOutOfRange);
    request.topics[0].partitions[0].last_fetched_epoch = 0;
    parked(&broker, 12, &request);
}

#[test]
fn a_client_that_read_past_the_end_of_an_epoch_is_told_where_it_ended() {
    let broker = broker_with_topic();
    broker.append("t", 0, &["a"]);
    let mut request = waiting("t", 5, 1);
    request.topics[0].partitions[0].last_fetched_epoch = 0;
    let answer = broker.fetch(&request);
    assert_eq!(error(answer.error_code), ErrorCode::None);
    assert_eq!((answer.diverging_epoch.epoch, answer.diverging_epoch.end_offset), (0, 1));
    assert!(values(&answer).is_empty());
}

#[test]
fn a_reader_at_the_end_gets_each_record_as_it_is_written() {
    let broker = broker_with_topic();
    let (mut reader, mut writer) = (broker.client(), broker.client());
    for round in 0..20_i64 {
        reader.send(12, &waiting("t", round, 1));
        writer.send(9, &produce("t", 0, ACKS_ALL, batch(&[&round.to_string()])));
        assert_eq!(writer.answer::<ProduceRequest>().responses.len(), 1);
        let answer = reader.answer::<FetchRequest>();
        assert_eq!(values(&answer.responses[0].partitions[0]), [round.to_string()]);
    }
}
