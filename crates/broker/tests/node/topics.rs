//! Topics made, grown, deleted and made by asking for them.

use protocol::messages::create_partitions_request::CreatePartitionsTopic;
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::create_topics_response::CreatableTopicResult;
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, MetadataRequest,
};
use types::{ErrorCode, Uuid};

use crate::harness::Broker;
use crate::shorthand::error;

fn topic(name: &str, num_partitions: i32, replication_factor: i16) -> CreatableTopic {
    CreatableTopic { name: name.into(), num_partitions, replication_factor, ..Default::default() }
}

fn create(broker: &Broker, version: i16, topic: CreatableTopic) -> CreatableTopicResult {
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    broker.call(version, &request).topics.remove(0)
}

fn refusal(broker: &Broker, topic: CreatableTopic) -> ErrorCode {
    let result = create(broker, 7, topic);
    assert_ne!(result.error_code, 0);
    assert!(result.error_message.is_some(), "a reason is given");
    error(result.error_code)
}

/// Java's admin client fails on null configs, and on −1 for anything that was created.
#[test]
fn a_created_topic_is_described_whole_at_every_version() {
    let broker = Broker::with(&["num.partitions=3"]);
    for version in 2..=7 {
        let (partitions, replicas) = if version >= 4 { (-1, -1) } else { (3, 1) };
        let name = format!("t{version}");
        let created = create(&broker, version, topic(&name, partitions, replicas));
        assert_eq!(error(created.error_code), ErrorCode::None, "v{version}");
        if version < 5 {
            continue;
        }
        assert_eq!((created.num_partitions, created.replication_factor), (3, 1), "v{version}");
        let configs = created.configs.expect("configs are never null");
        assert!(configs.len() > 20, "{} configs", configs.len());
        assert!(configs.iter().all(|config| config.config_source > 0 && config.value.is_some()));
        assert!(configs.iter().any(|config| &*config.name == "cleanup.policy"));
        assert_eq!(created.topic_config_error_code, 0);
        assert_eq!(created.topic_id.is_zero(), version < 7, "v{version}");
    }
}

#[test]
fn creating_only_to_validate_makes_nothing_and_answers_alike() {
    let broker = Broker::start();
    let request = CreateTopicsRequest {
        topics: vec![topic("t", 4, 1), topic("a/b", 1, 1)],
        validate_only: true,
        ..Default::default()
    };
    let answers = broker.call(7, &request).topics;
    let find = |name: &str| answers.iter().find(|topic| &*topic.name == name).expect("answered");
    assert_eq!((find("t").error_code, find("t").num_partitions), (0, 4));
    assert_eq!(error(find("a/b").error_code), ErrorCode::InvalidTopicException);
    assert!(broker.topics().is_empty());
}

#[test]
fn what_cannot_be_created_is_refused_with_kafkas_errors() {
    let broker = Broker::start();
    broker.create_topic("exists", 1, &[]);
    broker.create_topic("a.b", 1, &[]);
    assert_eq!(refusal(&broker, topic("exists", 1, 1)), ErrorCode::TopicAlreadyExists);
    for name in ["", ".", "..", "a/b", "a b", "ä", "a_b", &"x".repeat(250)] {
        let refused = refusal(&broker, topic(name, 1, 1));
        assert_eq!(refused, ErrorCode::InvalidTopicException, "{name:?}");
    }
    assert_eq!(create(&broker, 7, topic(&"x".repeat(249), 1, 1)).error_code, 0);
    assert_eq!(refusal(&broker, topic("t", 0, 1)), ErrorCode::InvalidPartitions);
    assert_eq!(refusal(&broker, topic("t", -2, 1)), ErrorCode::InvalidPartitions);
    assert_eq!(refusal(&broker, topic("t", 1, 0)), ErrorCode::InvalidReplicationFactor);
    assert_eq!(refusal(&broker, topic("t", 1, 2)), ErrorCode::InvalidReplicationFactor);
    for (name, value) in [("retention.ms", "soon"), ("no.such.thing", "1"), ("segment.bytes", "1")]
    {
        let config = CreatableTopicConfig { name: name.into(), value: Some(value.into()) };
        let refused =
            refusal(&broker, CreatableTopic { configs: vec![config], ..topic("t", 1, 1) });
        assert_eq!(refused, ErrorCode::InvalidConfig, "{name}");
    }
}

#[test]
fn partitions_may_be_assigned_by_hand() {
    let broker = Broker::start();
    let assigned = |partition_index, broker_id| CreatableReplicaAssignment {
        partition_index,
        broker_ids: vec![broker_id],
    };
    let by_hand = |assignments| CreatableTopic { assignments, ..topic("t", -1, -1) };
    let here = by_hand(vec![assigned(0, 1), assigned(1, 1)]);
    let elsewhere = by_hand(vec![assigned(0, 9)]);
    let with_gap = by_hand(vec![assigned(0, 1), assigned(2, 1)]);
    assert_eq!(refusal(&broker, elsewhere), ErrorCode::InvalidReplicaAssignment);
    assert_eq!(refusal(&broker, with_gap), ErrorCode::InvalidReplicaAssignment);
    let created = create(&broker, 7, here);
    assert_eq!((created.error_code, created.num_partitions), (0, 2));
    assert_eq!(broker.append("t", 1, &["a"]), 0);
}

#[test]
fn the_same_topic_twice_in_one_request_is_invalid() {
    let broker = Broker::start();
    let twice = vec![topic("t", 1, 1), topic("t", 2, 1), topic("u", 1, 1)];
    let request = CreateTopicsRequest { topics: twice, ..Default::default() };
    let answers = broker.call(7, &request).topics;
    let mut codes: Vec<_> = answers.iter().map(|t| (&*t.name, error(t.error_code))).collect();
    codes.dedup();
    assert_eq!(codes, [("t", ErrorCode::InvalidRequest), ("u", ErrorCode::None)]);
    assert_eq!(broker.topics(), ["u"]);
}

fn grow(broker: &Broker, version: i16, name: &str, count: i32) -> ErrorCode {
    let topic = CreatePartitionsTopic { name: name.into(), count, assignments: None };
    let request = CreatePartitionsRequest { topics: vec![topic], ..Default::default() };
    error(broker.call(version, &request).results.remove(0).error_code)
}

#[test]
fn a_topic_grows_and_never_shrinks() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.append("t", 0, &["a"]);
    for version in 0..=3 {
        assert_eq!(grow(&broker, version, "t", i32::from(version) + 2), ErrorCode::None);
    }
    assert_eq!(broker.append("t", 4, &["b"]), 0);
    assert_eq!(grow(&broker, 3, "t", 5), ErrorCode::InvalidPartitions);
    assert_eq!(grow(&broker, 3, "t", 4), ErrorCode::InvalidPartitions);
    assert_eq!(grow(&broker, 3, "nowhere", 4), ErrorCode::UnknownTopicOrPartition);
    broker.kill_and_restart();
    assert_eq!(
        (broker.read_all("t", 0), broker.read_all("t", 4)),
        (vec!["a".into()], vec!["b".into()])
    );
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let broker = Broker::start();
    for version in 1..=5 {
        broker.create_topic("t", 1, &[]);
        let request = DeleteTopicsRequest {
            topic_names: vec!["t".into(), "no".into()],
            ..Default::default()
        };
        let answers = broker.call(version, &request).responses;
        let code = |name: &str| {
            let found = answers.iter().find(|a| a.name.as_deref() == Some(name));
            error(found.expect("answered").error_code)
        };
        assert_eq!(code("t"), ErrorCode::None, "v{version}");
        assert_eq!(code("no"), ErrorCode::UnknownTopicOrPartition, "v{version}");
        assert!(broker.topics().is_empty());
    }
    let id = broker.create_topic("t", 1, &[]);
    let by_id = |topic_id| DeleteTopicState { name: None, topic_id };
    let strange = Uuid([7; 16]);
    let request =
        DeleteTopicsRequest { topics: vec![by_id(id), by_id(strange)], ..Default::default() };
    let answers = broker.call(6, &request).responses;
    let code = |id| {
        error(answers.iter().find(|answer| answer.topic_id == id).expect("answered").error_code)
    };
    assert_eq!((code(id), code(strange)), (ErrorCode::None, ErrorCode::UnknownTopicId));
    assert!(broker.topics().is_empty());
}

#[test]
fn deletion_can_be_switched_off() {
    let broker = Broker::with(&["delete.topic.enable=false"]);
    broker.create_topic("t", 1, &[]);
    let request = DeleteTopicsRequest { topic_names: vec!["t".into()], ..Default::default() };
    let code = |version| error(broker.call(version, &request).responses[0].error_code);
    assert_eq!(code(5), ErrorCode::TopicDeletionDisabled);
    assert_eq!(code(2), ErrorCode::InvalidRequest, "a code that old clients know");
    assert_eq!(broker.topics(), ["t"]);
}

fn ask_for(name: &str, allow_auto_topic_creation: bool) -> MetadataRequest {
    MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { name: Some(name.into()), ..Default::default() }]),
        allow_auto_topic_creation,
        ..Default::default()
    }
}

#[test]
fn a_topic_that_is_asked_for_is_made_if_broker_and_client_allow_it() {
    let broker = Broker::with(&["num.partitions=2"]);
    let code = |name, allow| error(broker.call(4, &ask_for(name, allow)).topics[0].error_code);
    assert_eq!(code("t", false), ErrorCode::UnknownTopicOrPartition);
    assert!(broker.topics().is_empty());
    assert_eq!(code("bad/name", true), ErrorCode::InvalidTopicException);
    code("t", true);
    let topic = broker.call(9, &ask_for("t", true)).topics.remove(0);
    assert_eq!((topic.error_code, topic.partitions.len()), (0, 2));
    assert_eq!(topic.partitions[0].leader_id, 1);
    assert_eq!(broker.append("t", 1, &["a"]), 0);
    // Versions before 4 cannot say that they do not want it.
    broker.call(1, &ask_for("old-client", true));
    assert_eq!(broker.topics(), ["old-client", "t"]);
}

#[test]
fn nothing_is_made_by_asking_where_that_is_switched_off() {
    let broker = Broker::with(&["auto.create.topics.enable=false"]);
    for version in [1, 4, 9] {
        let code = error(broker.call(version, &ask_for("t", true)).topics[0].error_code);
        assert_eq!(code, ErrorCode::UnknownTopicOrPartition, "v{version}");
    }
    assert!(broker.topics().is_empty());
}

#[test]
fn no_topics_and_all_topics_are_asked_for_as_each_version_does() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let count = |version, topics| {
        let request = MetadataRequest { topics, ..Default::default() };
        broker.call(version, &request).topics.len()
    };
    assert_eq!(count(0, Some(Vec::new())), 1, "version 0: an empty list is all");
    for version in 1..=13 {
        assert_eq!(count(version, Some(Vec::new())), 0, "v{version}");
        assert_eq!(count(version, None), 1, "v{version}");
    }
}
