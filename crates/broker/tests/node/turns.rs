//! Produce requests that one read brings go to their partitions in one turn, each with an answer of
//! its own.

use bytes::Bytes;
use env::Env;
use env_sim::{Crash, Operation, SimEnv};
use protocol::messages::produce_request::PartitionProduceData;
use protocol::messages::{FetchRequest, ProduceRequest};
use types::ErrorCode;

use crate::harness::{Broker, Client};
use crate::idempotence::Producer;
use crate::metrics::number;
use crate::shorthand::{ACKS_ALL, batch, error, fetch, produce, values};

const ACKS_NONE: i16 = 0;
const ACKS_LEADER: i16 = 1;

fn broker_with_topic() -> Broker {
    let broker = Broker::start();
    broker.create_topic("t", 2, &[]);
    broker
}

/// Sends batches for partition 0 of `t` in one read; the commits they ask for do not run.
fn send_at_once(client: &mut Client, acks: i16, batches: &[Bytes]) {
    let [before @ .., last] = batches else { return };
    let request = |batch: &Bytes| produce("t", 0, acks, batch.clone());
    before.iter().for_each(|batch| client.hold(12, &request(batch)));
    client.send_without_commits(12, &request(last));
}

/// A record for each of so many partitions of `t`.
fn produce_to(partitions: i32, value: &str) -> ProduceRequest {
    let mut request = produce("t", 0, ACKS_ALL, batch(&[value]));
    let other = |index| PartitionProduceData { index, records: Some(batch(&[value])) };
    request.topic_data[0].partition_data.extend((1..partitions).map(other));
    request
}

/// The offset or the error of the next answer.
fn offset(client: &mut Client) -> Result<i64, ErrorCode> {
    let mut answer = client.answer::<ProduceRequest>();
    let partition = answer.responses.remove(0).partition_responses.remove(0);
    match error(partition.error_code) {
        ErrorCode::None => Ok(partition.base_offset),
        error => Err(error),
    }
}

#[test]
fn a_repeat_of_what_nobody_has_acknowledged_yet_is_answered_with_its_neighbours() {
    for acks in [ACKS_ALL, ACKS_LEADER] {
        let broker = broker_with_topic();
        let producer = Producer::init(&broker);
        let (a, b, c) =
            (producer.batch(0, &["a"]), producer.batch(1, &["b"]), producer.batch(2, &["c"]));
        let (mut first, mut second) = (broker.client(), broker.client());
        send_at_once(&mut first, acks, &[a.clone(), b.clone()]);
        // The repeats end before batches that wait already, of their own turn and of an earlier.
        send_at_once(&mut second, acks, &[c.clone(), a.clone(), batch(&["d"]), c, b, a]);
        assert!(first.frame().is_none() && second.frame().is_none(), "nothing is on disk yet");
        broker.env.background().run_due();
        assert_eq!([(); 2].map(|()| offset(&mut first)), [0, 1].map(Ok));
        assert_eq!([(); 6].map(|()| offset(&mut second)), [2, 0, 3, 2, 1, 0].map(Ok));
        assert_eq!(broker.read_all("t", 0), ["a", "b", "c", "d"]);
    }
}

#[test]
fn a_bad_batch_is_refused_alone_and_those_that_follow_it_in_sequence_with_it() {
    let broker = broker_with_topic();
    let producer = Producer::init(&broker);
    let corrupt = {
        let mut bytes = producer.batch(1, &["b"]).to_vec();
        *bytes.last_mut().expect("bytes") ^= 1;
        Bytes::from(bytes)
    };
    let mut client = broker.client();
    let batches = [
        producer.batch(0, &["a"]),
        corrupt,
        producer.batch(2, &["c"]),
        batch(&["somebody else's"]),
        producer.batch(1, &["b"]),
    ];
    send_at_once(&mut client, ACKS_ALL, &batches);
    broker.env.background().run_due();
    let answers = [(); 5].map(|()| offset(&mut client));
    let refused = [ErrorCode::CorruptMessage, ErrorCode::OutOfOrderSequenceNumber].map(Err);
    assert_eq!(answers, [Ok(0), refused[0], refused[1], Ok(1), Ok(2)]);
    assert_eq!(broker.read_all("t", 0), ["a", "somebody else's", "b"]);
}

#[test]
fn requests_of_every_acks_share_a_turn_and_those_that_want_an_answer_get_one() {
    let broker = broker_with_topic();
    let mut client = broker.client();
    client.hold_unanswered(12, &produce("t", 0, ACKS_NONE, batch(&["a"])));
    client.hold(12, &produce("t", 0, ACKS_LEADER, batch(&["b"])));
    client.hold_unanswered(12, &produce("t", 0, ACKS_NONE, batch(&["c"])));
    client.hold(12, &produce("t", 0, ACKS_ALL, batch(&["d"])));
    client.send_unanswered(12, &produce("t", 0, ACKS_NONE, batch(&["e"])));
    assert_eq!([offset(&mut client), offset(&mut client)], [Ok(1), Ok(3)]);
    assert!(client.frame().is_none() && client.is_open());
    assert_eq!(broker.read_all("t", 0), ["a", "b", "c", "d", "e"]);
}

#[test]
fn two_partitions_of_a_request_are_written_once_each_whatever_else_the_read_brings() {
    let broker = Broker::start();
    broker.create_topic("t", 2, &[("durability", "page-cache")]);
    broker.append("t", 0, &["a"]);
    broker.append("t", 1, &["a"]);
    let before = broker.env.disk().mutations();
    let mut client = broker.client();
    client.hold(12, &produce_to(2, "b"));
    client.hold(12, &produce_to(2, "c"));
    client.send_without_commits(12, &produce_to(2, "d"));
    assert_eq!(broker.env.disk().mutations() - before, 2, "a write for each partition");
    for expected in 1..=3 {
        let mut answer = client.answer::<ProduceRequest>();
        let partitions = answer.responses.remove(0).partition_responses;
        let offsets: Vec<_> = partitions.iter().map(|p| (p.error_code, p.base_offset)).collect();
        assert_eq!(offsets, [(0, expected), (0, expected)]);
    }
    for partition in [0, 1] {
        assert_eq!(broker.read_all("t", partition), ["a", "b", "c", "d"]);
    }
}

#[test]
fn all_partitions_of_a_request_are_made_durable_with_one_commit() {
    for seed in 0..16 {
        let broker = Broker::on(SimEnv::new(seed), &[]);
        broker.create_topic("t", 3, &[]);
        (0..3).for_each(|partition| _ = broker.append("t", partition, &["a"]));
        let mut client = broker.client();
        client.send(12, &produce("t", 0, ACKS_ALL, batch(&["b"])));
        assert_eq!(offset(&mut client), Ok(1));
        // Nobody else has asked for anything for a while: what is small is committed at once.
        broker.pass_ms(20);
        let name = "ottla_log_dir_commit_appends_count{logDirectory=\"/data\"}";
        let before = number(&broker, name);
        client.send(12, &produce_to(3, "c"));
        let answer = client.answer::<ProduceRequest>().responses.remove(0).partition_responses;
        assert!(answer.iter().all(|partition| partition.error_code == 0), "{answer:?}");
        assert_eq!(number(&broker, name) - before, 1.0, "seed {seed}");
    }
}

#[test]
fn another_request_of_the_same_read_finds_what_was_produced_before_it_and_nothing_after() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("durability", "page-cache")]);
    let mut client = broker.client();
    client.hold(12, &produce("t", 0, ACKS_ALL, batch(&["a"])));
    client.hold(12, &fetch("t", 0, 0));
    client.send_without_commits(12, &produce("t", 0, ACKS_ALL, batch(&["b"])));
    assert_eq!(offset(&mut client), Ok(0));
    let found = client.answer::<FetchRequest>().responses.remove(0).partitions.remove(0);
    assert_eq!((values(&found), found.high_watermark), (vec!["a".to_owned()], 1));
    assert_eq!(offset(&mut client), Ok(1));
}

#[test]
fn a_turn_whose_write_fails_acknowledges_none_of_its_batches_and_all_get_an_answer() {
    let mut broker = broker_with_topic();
    let producer = Producer::init(&broker);
    broker.append("t", 0, &["kept"]);
    broker.env.disk().fail(Operation::Write, "/data/t-0", ".log");
    let mut client = broker.client();
    let (a, b) = (producer.batch(0, &["a"]), producer.batch(1, &["b"]));
    send_at_once(&mut client, ACKS_ALL, &[a.clone(), b.clone(), a.clone()]);
    broker.env.background().run_due();
    assert_eq!([(); 3].map(|()| offset(&mut client)), [Err(ErrorCode::KafkaStorageError); 3]);
    let mut careless = broker.client();
    careless.hold_unanswered(12, &produce("t", 0, ACKS_NONE, batch(&["c"])));
    careless.send_unanswered(12, &produce("t", 0, ACKS_NONE, batch(&["d"])));
    assert!(!careless.is_open(), "a cut is all that tells it");

    broker.env.disk().heal();
    broker.crash_and_restart(Crash::Kill);
    let mut client = broker.client();
    send_at_once(&mut client, ACKS_ALL, &[a.clone(), b, a]);
    broker.env.background().run_due();
    assert_eq!([(); 3].map(|()| offset(&mut client)), [1, 2, 1].map(Ok));
    assert_eq!(broker.read_all("t", 0), ["kept", "a", "b"]);
}
