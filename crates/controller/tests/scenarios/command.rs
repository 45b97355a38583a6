//! The words of a story, as requests.

use protocol::messages::alter_configs_request::{self, AlterConfigsRequest};
use protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use protocol::messages::elect_leaders_request::{ElectLeadersRequest, TopicPartitions};
use protocol::messages::incremental_alter_configs_request::{self, IncrementalAlterConfigsRequest};
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};
use types::Uuid;

const VALIDATE_ONLY: &str = "validate-only";

/// `T7` in a story.
pub fn topic_id(text: &str) -> Uuid {
    let number: u64 = text.trim_start_matches('T').parse().expect("a topic id like T1");
    numbered_id(0x10, number)
}

/// An id that a story can write as a letter and a number.
pub fn numbered_id(kind: u8, number: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[0] = kind;
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Uuid(bytes)
}

pub fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("a number, not {text:?}"))
}

fn brokers(text: &str) -> Vec<i32> {
    text.split(',').filter(|id| !id.is_empty()).map(number).collect()
}

fn flag<'a>(words: &[&'a str], flag: &str) -> (bool, Vec<&'a str>) {
    let rest = words.iter().filter(|word| **word != flag).copied();
    (words.contains(&flag), rest.collect())
}

/// `orders partitions=3 rf=1 retention.ms=5 other assign=0:1,2/1:2,1`
pub fn create_topics(words: &[&str]) -> CreateTopicsRequest {
    let (validate_only, words) = flag(words, VALIDATE_ONLY);
    let mut topics: Vec<CreatableTopic> = Vec::new();
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            let name = if word == "''" { "" } else { word };
            topics.push(CreatableTopic {
                name: name.into(),
                num_partitions: -1,
                replication_factor: -1,
                ..Default::default()
            });
            continue;
        };
        let topic = topics.last_mut().expect("a topic's name comes first");
        match key {
            "partitions" => topic.num_partitions = number(value),
            "rf" => topic.replication_factor = number(value),
            "assign" => {
                let assignments = value.split('/').map(|one| {
                    let (index, ids) = one.split_once(':').expect("index:ids");
                    let (partition_index, broker_ids) = (number(index), brokers(ids));
                    CreatableReplicaAssignment { partition_index, broker_ids }
                });
                topic.assignments = assignments.collect();
            }
            _ => {
                let value = (value != "null").then(|| value.into());
                topic.configs.push(CreatableTopicConfig { name: key.into(), value });
            }
        }
    }
    CreateTopicsRequest { topics, validate_only, ..Default::default() }
}

/// `orders id=T1 both=orders/T1 neither`; names alone go where old clients put them.
pub fn delete_topics(words: &[&str]) -> DeleteTopicsRequest {
    let mut request = DeleteTopicsRequest::default();
    for word in words {
        let state = match word.split_once('=') {
            Some(("id", id)) => DeleteTopicState { name: None, topic_id: topic_id(id) },
            Some(("name", name)) => {
                DeleteTopicState { name: Some(name.into()), topic_id: Uuid::ZERO }
            }
            Some(("both", both)) => {
                let (name, id) = both.split_once('/').expect("name/id");
                DeleteTopicState { name: Some(name.into()), topic_id: topic_id(id) }
            }
            _ if *word == "neither" => DeleteTopicState::default(),
            _ => {
                request.topic_names.push((*word).into());
                continue;
            }
        };
        request.topics.push(state);
    }
    request
}

/// `orders=5 other=3 assign=1,2/2,1`
pub fn create_partitions(words: &[&str]) -> CreatePartitionsRequest {
    let (validate_only, words) = flag(words, VALIDATE_ONLY);
    let mut topics: Vec<CreatePartitionsTopic> = Vec::new();
    for word in words {
        let (key, value) = word.split_once('=').expect("topic=count");
        if key == "assign" {
            let assignments = value.split('/');
            let assignment = |ids| CreatePartitionsAssignment { broker_ids: brokers(ids) };
            let topic = topics.last_mut().expect("a topic comes first");
            topic.assignments = Some(assignments.map(assignment).collect());
        } else {
            let (name, count) = (key.into(), number(value));
            topics.push(CreatePartitionsTopic { name, count, assignments: None });
        }
    }
    CreatePartitionsRequest { topics, validate_only, ..Default::default() }
}

/// `topic:orders`, `broker:1`, `broker:` for the default of all, `group:g`, `9:x` for a number.
fn resource(word: &str) -> Option<(i8, &str)> {
    let (kind, name) = word.split_once(':')?;
    let kind = match kind {
        "topic" => 2,
        "broker" => 4,
        "group" => 32,
        code => code.parse().ok()?,
    };
    Some((kind, name))
}

/// `x*5` stands for `xxxxx`.
fn expanded(value: &str) -> String {
    match value.split_once('*') {
        Some((letter, times)) if !letter.is_empty() => letter.repeat(number(times)),
        _ => value.to_owned(),
    }
}

/// `topic:orders a=1 !b c+=x d-=y e?=1`: set, delete, append, subtract, and an operation that
/// nobody knows; `a=null` carries no value.
pub fn incremental_alter_configs(words: &[&str]) -> IncrementalAlterConfigsRequest {
    use incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let (validate_only, words) = flag(words, VALIDATE_ONLY);
    let mut resources: Vec<AlterConfigsResource> = Vec::new();
    for word in words {
        if let (Some((kind, name)), false) = (resource(word), word.contains('=')) {
            resources.push(AlterConfigsResource {
                resource_type: kind,
                resource_name: name.into(),
                configs: Vec::new(),
            });
            continue;
        }
        let (name, config_operation, value) = match (word.strip_prefix('!'), word.split_once('=')) {
            (Some(name), _) => (name, 1, None),
            (None, Some((key, value))) => {
                let value = &expanded(value);
                let operation = match key.as_bytes().last() {
                    Some(b'+') => 2,
                    Some(b'-') => 3,
                    Some(b'?') => 9,
                    _ => 0,
                };
                let name = key.trim_end_matches(['+', '-', '?']);
                (name, operation, (*value != "null").then(|| value.into()))
            }
            _ => panic!("a change, not {word:?}"),
        };
        let config = AlterableConfig { name: name.into(), config_operation, value };
        resources.last_mut().expect("a resource comes first").configs.push(config);
    }
    IncrementalAlterConfigsRequest { resources, validate_only }
}

/// `topic:orders a=1 b=2`
pub fn alter_configs(words: &[&str]) -> AlterConfigsRequest {
    use alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let (validate_only, words) = flag(words, VALIDATE_ONLY);
    let mut resources: Vec<AlterConfigsResource> = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((name, value)) => {
                let value = (value != "null").then(|| value.into());
                let config = AlterableConfig { name: name.into(), value };
                resources.last_mut().expect("a resource comes first").configs.push(config);
            }
            None => {
                let (resource_type, name) = resource(word).expect("kind:name");
                let (resource_name, configs) = (name.into(), Vec::new());
                resources.push(AlterConfigsResource { resource_type, resource_name, configs });
            }
        }
    }
    AlterConfigsRequest { resources, validate_only }
}

/// `orders-0` or `orders-0=1,2`
fn partition(word: &str) -> (&str, i32) {
    let (topic, index) = word.rsplit_once('-').expect("topic-index");
    (topic, number(index))
}

/// `preferred all`, `unclean orders-0 orders-1`, `7 orders-0`
pub fn elect_leaders(words: &[&str]) -> ElectLeadersRequest {
    let election_type = match words[0] {
        "preferred" => 0,
        "unclean" => 1,
        code => number(code),
    };
    let mut topics: Vec<TopicPartitions> = Vec::new();
    for word in words[1..].iter().filter(|word| **word != "all") {
        let (topic, index) = partition(word);
        match topics.iter_mut().find(|t| *t.topic == *topic) {
            Some(known) => known.partitions.push(index),
            None => {
                topics.push(TopicPartitions { topic: topic.into(), partitions: vec![index] });
            }
        }
    }
    let topic_partitions = (!words.contains(&"all")).then_some(topics);
    ElectLeadersRequest { election_type, topic_partitions, ..Default::default() }
}

/// `orders-0=1,2 orders-1=cancel`, with `same-size` where the number of replicas must stay
pub fn reassign(words: &[&str]) -> AlterPartitionReassignmentsRequest {
    let (same_size, words) = flag(words, "same-size");
    let mut topics: Vec<ReassignableTopic> = Vec::new();
    for word in words {
        let (of, replicas) = word.split_once('=').expect("topic-index=brokers");
        let (name, partition_index) = partition(of);
        let replicas = (replicas != "cancel").then(|| brokers(replicas));
        let partitions = vec![ReassignablePartition { partition_index, replicas }];
        topics.push(ReassignableTopic { name: name.into(), partitions });
    }
    AlterPartitionReassignmentsRequest {
        topics,
        allow_replication_factor_change: !same_size,
        ..Default::default()
    }
}

/// `metadata.version=29 upgrade`, with `safe`, `unsafe` or a number in the place of `upgrade`
pub fn update_features(words: &[&str]) -> UpdateFeaturesRequest {
    let (validate_only, words) = flag(words, VALIDATE_ONLY);
    let (feature, level) = words[0].split_once('=').expect("feature=level");
    let upgrade_type = match words[1] {
        "upgrade" => 1,
        "safe" => 2,
        "unsafe" => 3,
        code => number(code),
    };
    let update = FeatureUpdateKey {
        feature: feature.into(),
        max_version_level: number(level),
        upgrade_type,
        ..Default::default()
    };
    UpdateFeaturesRequest { feature_updates: vec![update], validate_only, ..Default::default() }
}
