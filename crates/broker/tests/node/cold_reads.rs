//! Who reads what no cache holds waits for the disk alone.

use env::Env;
use protocol::messages::{ApiVersionsRequest, FetchRequest};

use crate::harness::Broker;
use crate::shorthand::{fetch, values};

const SMALL: (&str, &str) = ("segment.bytes", "1048576");

/// A topic whose first record lies in a segment that is not written any more.
fn broker_with_old_record() -> Broker {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[SMALL]);
    broker.append("t", 0, &["old"]);
    broker.append("t", 0, &[&"x".repeat(900_000)]);
    broker.append("t", 0, &[&"y".repeat(900_000)]);
    broker.env.disk().set_reads_wait(true);
    broker
}

#[test]
fn a_fetch_of_what_is_on_disk_only_is_answered_by_other_hands() {
    let broker = broker_with_old_record();
    let mut behind = broker.client();
    behind.send_without_commits(12, &fetch("t", 0, 0));
    assert_eq!(behind.frame(), None, "it was read where requests are served");
    let mut other = broker.client();
    other.send_without_commits(0, &ApiVersionsRequest::default());
    assert!(other.frame().is_some(), "another request waits for the disk");
    broker.env.background().run_due();
    let answer = behind.answer::<FetchRequest>();
    assert_eq!(values(&answer.responses[0].partitions[0])[0], "old");
}

#[test]
fn the_end_of_the_log_is_read_at_once_whatever_the_cache_says() {
    let broker = broker_with_old_record();
    let mut client = broker.client();
    client.send_without_commits(12, &fetch("t", 0, 2));
    let answer = client.answer::<FetchRequest>();
    assert_eq!(values(&answer.responses[0].partitions[0]), ["y".repeat(900_000)]);
}

#[test]
fn a_fetch_that_read_too_little_from_the_disk_still_waits_for_more() {
    let broker = broker_with_old_record();
    let mut client = broker.client();
    let request = FetchRequest { max_wait_ms: 500, min_bytes: 10 << 20, ..fetch("t", 0, 0) };
    client.send(12, &request);
    assert_eq!(client.frame(), None);
    broker.pass_ms(500);
    let answer = client.answer::<FetchRequest>();
    assert_eq!(values(&answer.responses[0].partitions[0])[0], "old");
}

#[test]
fn an_answer_that_waits_for_the_disk_keeps_its_place_among_the_answers_of_its_connection() {
    let broker = broker_with_old_record();
    let mut client = broker.client();
    client.send_without_commits(12, &fetch("t", 0, 0));
    client.send_without_commits(0, &ApiVersionsRequest::default());
    assert_eq!(client.frame(), None, "the second answer overtook the first");
    broker.env.background().run_due();
    client.answer::<FetchRequest>();
    client.answer::<ApiVersionsRequest>();
}

#[test]
fn what_is_at_hand_and_what_is_not_come_in_one_answer() {
    let broker = broker_with_old_record();
    broker.create_topic("hot", 1, &[]);
    broker.append("hot", 0, &["warm"]);
    let mut request = fetch("hot", 0, 0);
    request.topics.extend(fetch("t", 0, 0).topics);
    let mut client = broker.client();
    client.send_without_commits(12, &request);
    assert_eq!(client.frame(), None);
    broker.env.background().run_due();
    let answer = client.answer::<FetchRequest>();
    let first = |topic: usize| values(&answer.responses[topic].partitions[0])[0].clone();
    assert_eq!((first(0), first(1)), ("warm".into(), "old".into()));
}
