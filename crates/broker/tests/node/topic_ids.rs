//! A topic that is deleted and made again is another topic. Source: KIP-516.

use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::{FetchRequest, MetadataRequest, OffsetCommitRequest, ProduceRequest};
use types::{ErrorCode, Uuid};

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, batch, error, fetch, fetch_by_id, produce, values};

/// A topic that was there before another one of its name, and the id it had.
fn recreated() -> (Broker, Uuid, Uuid) {
    let broker = Broker::start();
    let old = broker.create_topic("t", 1, &[]);
    broker.append("t", 0, &["old"]);
    broker.delete_topic("t");
    let new = broker.create_topic("t", 1, &[]);
    assert_ne!(old, new);
    (broker, old, new)
}

fn produce_by_id(id: Uuid) -> ProduceRequest {
    let mut request = produce("", 0, ACKS_ALL, batch(&["new"]));
    request.topic_data[0].topic_id = id;
    request
}

#[test]
fn the_old_id_is_unknown_to_produce_and_fetch() {
    let (broker, old, new) = recreated();
    let answer = broker.call(18, &fetch_by_id(old, 0, 0)).responses.remove(0);
    assert_eq!(error(answer.partitions[0].error_code), ErrorCode::UnknownTopicId);
    assert_eq!(answer.topic_id, old);
    let answer = broker.produce_at(13, &produce_by_id(old));
    assert_eq!(error(answer.error_code), ErrorCode::UnknownTopicId);

    assert_eq!(broker.produce_at(13, &produce_by_id(new)).error_code, 0);
    let answer = broker.call(18, &fetch_by_id(new, 0, 0)).responses.remove(0);
    assert_eq!(values(&answer.partitions[0]), ["new"], "nothing of the old topic is left");
}

#[test]
fn names_go_on_working_for_clients_that_know_no_ids() {
    let (broker, ..) = recreated();
    assert_eq!(broker.append("t", 0, &["new"]), 0);
    assert_eq!(values(&broker.fetch(&fetch("t", 0, 0))), ["new"]);
}

#[test]
fn metadata_finds_topics_by_id_and_not_by_an_old_one() {
    let (broker, old, new) = recreated();
    let by_id = |topic_id| MetadataRequestTopic { topic_id, name: None };
    let request =
        MetadataRequest { topics: Some(vec![by_id(old), by_id(new)]), ..Default::default() };
    let topics = broker.call(12, &request).topics;
    let found = |id| topics.iter().find(|topic| topic.topic_id == id).expect("answered");
    assert_eq!(error(found(old).error_code), ErrorCode::UnknownTopicId);
    assert_eq!(found(old).name, None);
    assert_eq!(found(new).error_code, 0);
    assert_eq!(found(new).name.as_deref(), Some("t"));
}

#[test]
fn commits_by_an_old_id_are_refused_and_by_the_new_one_kept() {
    let (broker, old, new) = recreated();
    broker.create_offsets_topic();
    let partition = OffsetCommitRequestPartition { committed_offset: 3, ..Default::default() };
    let topic = |topic_id| OffsetCommitRequestTopic {
        topic_id,
        partitions: vec![partition.clone()],
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: "g".into(),
        topics: vec![topic(old), topic(new)],
        ..Default::default()
    };
    let topics = broker.call(10, &request).topics;
    let code = |id| {
        let topic = topics.iter().find(|topic| topic.topic_id == id).expect("answered");
        error(topic.partitions[0].error_code)
    };
    assert_eq!((code(old), code(new)), (ErrorCode::UnknownTopicId, ErrorCode::None));
}

#[test]
fn a_session_that_reads_a_topic_by_id_hears_that_another_took_its_name() {
    let broker = Broker::start();
    let old = broker.create_topic("t", 1, &[]);
    let open = FetchRequest { session_epoch: 0, ..fetch_by_id(old, 0, 0) };
    let session_id = broker.call(18, &open).session_id;
    broker.delete_topic("t");
    broker.create_topic("t", 1, &[]);
    let next = FetchRequest { session_id, session_epoch: 1, topics: Vec::new(), ..open };
    let answer = broker.call(18, &next).responses.remove(0);
    assert_eq!(error(answer.partitions[0].error_code), ErrorCode::InconsistentTopicId);
    assert_eq!(answer.topic_id, old);
}

#[test]
fn the_new_topic_has_its_own_id_after_a_restart() {
    let (mut broker, _, new) = recreated();
    broker.append("t", 0, &["new"]);
    broker.kill_and_restart();
    let answer = broker.call(18, &fetch_by_id(new, 0, 0)).responses.remove(0);
    assert_eq!(values(&answer.partitions[0]), ["new"]);
}
