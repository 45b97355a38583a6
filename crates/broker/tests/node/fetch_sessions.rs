//! Incremental fetches: what a session remembers, forgets and still tells. Source: KIP-227.

use std::collections::BTreeSet;

use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::fetch_request::{FetchPartition, ForgottenTopic, ReplicaState};
use protocol::messages::{DeleteRecordsRequest, FetchRequest, FetchResponse};
use types::{ErrorCode, Uuid};

use crate::harness::{Broker, Client};
use crate::shorthand::{error, fetch, fetch_by_id, fetch_topic, values};

/// Topics `a` and `b` of one partition each, and a session that reads both from 0.
struct Reader {
    broker: Broker,
    session_id: i32,
    epoch: i32,
}

impl Reader {
    fn start() -> Reader {
        let broker = Broker::start();
        broker.create_topic("a", 1, &[]);
        broker.create_topic("b", 1, &[]);
        let mut request = FetchRequest { session_epoch: 0, ..fetch("a", 0, 0) };
        request.topics.push(fetch_topic("b", 0, 0));
        let opened = broker.call(12, &request);
        assert_ne!(opened.session_id, 0);
        assert_eq!(topics(&opened), ["a", "b"], "the first response has everything");
        Reader { broker, session_id: opened.session_id, epoch: 0 }
    }

    fn request(&mut self) -> FetchRequest {
        self.epoch += 1;
        FetchRequest {
            session_id: self.session_id,
            session_epoch: self.epoch,
            topics: Vec::new(),
            ..fetch("", 0, 0)
        }
    }

    /// An incremental fetch that names nothing.
    fn poll(&mut self) -> FetchResponse {
        let request = self.request();
        self.send(&request)
    }

    fn send(&self, request: &FetchRequest) -> FetchResponse {
        let response = self.broker.call(12, request);
        assert_eq!(error(response.error_code), ErrorCode::None);
        assert_eq!(response.session_id, self.session_id);
        response
    }
}

fn topics(response: &FetchResponse) -> Vec<&str> {
    response.responses.iter().map(|topic| &*topic.topic).collect()
}

#[test]
fn an_incremental_response_names_only_partitions_with_news() {
    let mut reader = Reader::start();
    assert!(reader.poll().responses.is_empty(), "nothing has happened");
    reader.broker.append("b", 0, &["x"]);
    let response = reader.poll();
    assert_eq!(topics(&response), ["b"]);
    assert_eq!(values(&response.responses[0].partitions[0]), ["x"]);
}

#[test]
fn a_session_goes_on_from_the_offset_it_was_last_told() {
    let mut reader = Reader::start();
    reader.broker.append("a", 0, &["0", "1"]);
    let mut request = reader.request();
    request.topics.push(fetch_topic("a", 0, 2));
    reader.send(&request);
    assert!(reader.poll().responses.is_empty(), "everything below 2 is read");
    reader.broker.append("a", 0, &["2"]);
    assert_eq!(values(&reader.poll().responses[0].partitions[0]), ["2"]);
}

#[test]
fn a_moved_log_start_and_high_watermark_are_news_without_any_record() {
    let mut reader = Reader::start();
    reader.broker.append("a", 0, &["0", "1"]);
    let mut request = reader.request();
    request.topics.push(fetch_topic("a", 0, 2));
    let told = reader.send(&request).responses.remove(0).partitions.remove(0);
    assert_eq!((told.high_watermark, told.last_stable_offset, told.log_start_offset), (2, 2, 0));
    assert!(values(&told).is_empty());

    let before_1 = DeleteRecordsPartition { partition_index: 0, offset: 1 };
    let topic = DeleteRecordsTopic { name: "a".into(), partitions: vec![before_1] };
    let delete = DeleteRecordsRequest { topics: vec![topic], ..Default::default() };
    reader.broker.call(2, &delete);
    let told = reader.poll().responses.remove(0).partitions.remove(0);
    assert_eq!((told.high_watermark, told.log_start_offset), (2, 1));
    assert!(reader.poll().responses.is_empty(), "told once");
}

#[test]
fn an_error_is_told_in_every_response_until_it_is_gone() {
    let mut reader = Reader::start();
    reader.broker.delete_topic("a");
    for _ in 0..2 {
        let response = reader.poll();
        assert_eq!(topics(&response), ["a"]);
        let told = error(response.responses[0].partitions[0].error_code);
        assert_eq!(told, ErrorCode::UnknownTopicOrPartition);
    }
    reader.broker.create_topic("a", 1, &[]);
    let response = reader.poll();
    assert_eq!(response.responses[0].partitions[0].error_code, 0, "the recovery is news");
}

#[test]
fn forgotten_topics_are_read_no_more_and_may_come_back() {
    let mut reader = Reader::start();
    let mut request = reader.request();
    request.forgotten_topics_data =
        vec![ForgottenTopic { topic: "b".into(), partitions: vec![0], ..Default::default() }];
    reader.send(&request);
    reader.broker.append("a", 0, &["x"]);
    reader.broker.append("b", 0, &["y"]);
    assert_eq!(topics(&reader.poll()), ["a"]);
    let mut request = reader.request();
    request.topics.push(fetch_topic("b", 0, 0));
    let response = reader.send(&request);
    // Whose turn it is to be first changes with every response.
    let both: BTreeSet<&str> = topics(&response).into_iter().collect();
    assert_eq!(both, BTreeSet::from(["a", "b"]));
}

#[test]
fn a_session_waits_like_any_fetch() {
    let mut reader = Reader::start();
    let request = FetchRequest { max_wait_ms: 500, ..reader.request() };
    let mut client = reader.broker.client();
    client.send(12, &request);
    assert_eq!(client.frame(), None);
    reader.broker.append("b", 0, &["x"]);
    assert_eq!(topics(&client.answer::<FetchRequest>()), ["b"]);
}

#[test]
fn a_wrong_session_or_epoch_makes_the_client_start_over() {
    let mut reader = Reader::start();
    let refused = |request: &FetchRequest| error(reader.broker.call(12, request).error_code);
    let here = FetchRequest { session_id: reader.session_id, ..fetch("a", 0, 0) };
    let skipped = FetchRequest { session_epoch: 2, ..here.clone() };
    assert_eq!(refused(&skipped), ErrorCode::InvalidFetchSessionEpoch);
    let stranger =
        FetchRequest { session_id: reader.session_id ^ 1, session_epoch: 1, ..here.clone() };
    assert_eq!(refused(&stranger), ErrorCode::FetchSessionIdNotFound);
    assert!(reader.poll().responses.is_empty(), "the session itself is unharmed");

    let closed = reader.broker.call(12, &FetchRequest { session_epoch: -1, ..here.clone() });
    assert_eq!(closed.session_id, 0);
    assert_eq!(topics(&closed), ["a"], "the last fetch is a full one");
    let after = FetchRequest { session_epoch: 2, ..here };
    assert_eq!(error(reader.broker.call(12, &after).error_code), ErrorCode::FetchSessionIdNotFound);
}

#[test]
fn a_session_of_names_cannot_go_on_with_ids() {
    let mut reader = Reader::start();
    let request = reader.request();
    let answer = reader.broker.call(13, &request);
    assert_eq!(error(answer.error_code), ErrorCode::FetchSessionTopicIdError);
}

#[test]
fn the_thousand_and_first_session_is_served_without_one_until_another_is_stale() {
    let broker = Broker::start();
    let id = broker.create_topic("t", 1, &[]);
    let open = || {
        let request = FetchRequest { session_epoch: 0, ..fetch_by_id(id, 0, 0) };
        let answer = broker.call(18, &request);
        assert_eq!(answer.responses.len(), 1);
        answer.session_id
    };
    let mut ids: Vec<i32> = (0..1000).map(|_| open()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1000, "each has an id of its own");
    assert!(ids[0] > 0);
    assert_eq!(open(), 0, "no slot is free");
    broker.pass_ms(120_001);
    assert_ne!(open(), 0, "the one unused for longest made room");
}

/// A topic of 20 partitions, and the session of a follower that has all of them.
struct FollowerSession {
    broker: Broker,
    client: Client,
    id: Uuid,
    session_id: i32,
    epoch: i32,
    reads: u64,
}

impl FollowerSession {
    const PARTITIONS: i32 = 20;

    fn start() -> FollowerSession {
        let broker = Broker::start();
        let id = broker.create_topic("t", FollowerSession::PARTITIONS, &[]);
        let client = broker.client();
        let mut session = FollowerSession { broker, client, id, session_id: 0, epoch: 0, reads: 0 };
        let all: Vec<_> = (0..FollowerSession::PARTITIONS).map(|index| (index, 0)).collect();
        let opened = session.fetch(&all);
        session.session_id = opened.session_id;
        assert_eq!(session.reads(), FollowerSession::PARTITIONS as u64);
        session
    }

    fn request(&mut self, named: &[(i32, i64)]) -> FetchRequest {
        let mut request = fetch_by_id(self.id, 0, 0);
        let partition = |(index, fetch_offset): &(i32, i64)| FetchPartition {
            partition: *index,
            fetch_offset: *fetch_offset,
            last_fetched_epoch: -1,
            current_leader_epoch: -1,
            ..request.topics[0].partitions[0].clone()
        };
        request.topics[0].partitions = named.iter().map(partition).collect();
        request.replica_state = ReplicaState { replica_id: 2, replica_epoch: 1 };
        (request.session_id, request.session_epoch) = (self.session_id, self.epoch);
        self.epoch += 1;
        request
    }

    fn fetch(&mut self, named: &[(i32, i64)]) -> FetchResponse {
        let request = self.request(named);
        self.broker.call(17, &request)
    }

    /// Sends a fetch that names nothing and waits for half a second.
    fn park(&mut self) {
        let request = FetchRequest { max_wait_ms: 500, ..self.request(&[]) };
        self.client.send(17, &request);
        assert_eq!(self.client.frame(), None, "the fetch was to wait");
    }

    /// How often a partition was read since this was asked last.
    fn reads(&mut self) -> u64 {
        let page = self.broker.metrics();
        let line = page.lines().find(|line| {
            line.starts_with("kafka_server_brokertopicmetrics_totalfetchrequests_total{")
                && line.contains("\"t\"")
        });
        let all: u64 =
            line.and_then(|line| line.split(' ').next_back()?.parse().ok()).expect("counted");
        let before = std::mem::replace(&mut self.reads, all);
        all - before
    }
}

fn told(response: &FetchResponse) -> Vec<(i32, i64)> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|data| (data.partition_index, data.high_watermark)).collect()
}

#[test]
fn a_followers_fetch_costs_what_has_changed_and_not_what_the_session_holds() {
    let mut session = FollowerSession::start();
    assert_eq!(told(&session.fetch(&[])), []);
    assert_eq!(session.reads(), 0);
    session.broker.append("t", 7, &["a"]);
    assert_eq!(told(&session.fetch(&[])), [(7, 1)]);
    assert_eq!(session.reads(), 1);
    assert_eq!(told(&session.fetch(&[(7, 1)])), [], "it is named, and there is nothing more");
    assert_eq!(session.reads(), 1);
}

#[test]
fn a_followers_fetch_waits_for_whatever_comes_to_its_session() {
    let mut session = FollowerSession::start();
    session.park();
    session.broker.append("t", 3, &["a"]);
    let answer: FetchResponse = session.client.answer::<FetchRequest>();
    assert_eq!(values(&answer.responses[0].partitions[0]), ["a"]);
    assert_eq!(told(&session.fetch(&[(3, 1)])), [(3, 1)], "it is committed meanwhile");
    session.park();
    session.broker.pass_ms(500);
    assert_eq!(told(&session.client.answer::<FetchRequest>()), []);
}

#[test]
fn a_follower_is_told_again_what_it_did_not_take_for_want_of_room() {
    let mut session = FollowerSession::start();
    for partition in [4, 5, 6] {
        session.broker.append("t", partition, &["a"]);
    }
    let (mut seen, mut taken) = (BTreeSet::new(), Vec::new());
    for _ in 0..3 {
        let request = FetchRequest { max_bytes: 1, ..session.request(&taken) };
        let answer = session.broker.call(17, &request);
        let all = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let sent: Vec<_> = all.filter(|data| !values(data).is_empty()).collect();
        assert_eq!(sent.len(), 1);
        seen.insert(sent[0].partition_index);
        taken = vec![(sent[0].partition_index, 1)];
    }
    assert_eq!(seen, BTreeSet::from([4, 5, 6]));
}

#[test]
fn a_follower_hears_of_a_topic_that_is_deleted_while_it_waits() {
    let mut session = FollowerSession::start();
    session.park();
    session.broker.delete_topic("t");
    let answer: FetchResponse = session.client.answer::<FetchRequest>();
    let codes = answer.responses.iter().flat_map(|topic| &topic.partitions);
    assert!(codes.into_iter().any(|data| data.error_code != 0), "{answer:?}");
}

#[test]
fn all_partitions_of_a_follower_are_looked_at_now_and_then() {
    let mut session = FollowerSession::start();
    session.broker.pass_ms(5_000);
    session.fetch(&[]);
    assert_eq!(session.reads(), FollowerSession::PARTITIONS as u64);
    session.fetch(&[]);
    assert_eq!(session.reads(), 0);
}
