//! What a cluster says about itself: brokers, topics, leaders.

use std::collections::BTreeMap;

use protocol::Str;
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use protocol::messages::{MetadataRequest, MetadataResponse};
use types::{ErrorCode, Uuid};

use crate::error::ClientError;

/// A cluster as a broker last described it.
#[doc(alias = "MetadataSnapshot")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    pub cluster_id: Option<String>,
    /// The broker that takes changes; -1 while there is none.
    pub controller_id: i32,
    pub brokers: BTreeMap<i32, Broker>,
    /// The topics that were asked for.
    pub topics: BTreeMap<String, Topic>,
}

/// Where a broker wants to be reached.
#[doc(alias = "Node")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    pub id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

impl Broker {
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

/// A topic, or why it cannot be described.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    pub name: String,
    pub id: Uuid,
    pub is_internal: bool,
    pub error: ErrorCode,
    pub partitions: BTreeMap<i32, Partition>,
}

/// A partition and the brokers that hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    pub index: i32,
    /// -1 while there is none.
    pub leader: i32,
    pub leader_epoch: i32,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub error: ErrorCode,
}

/// Which topics to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicsWanted {
    None,
    All,
    Named(Vec<String>),
    /// Made by the broker if they do not exist and it is allowed to.
    NamedOrCreated(Vec<String>),
}

impl Cluster {
    /// A topic that exists.
    ///
    /// # Errors
    /// There is none of this name, or it cannot be described.
    pub fn topic(&self, name: &str) -> Result<&Topic, ClientError> {
        let what = || format!("look up topic {name}");
        let missing = ErrorCode::UnknownTopicOrPartition.code();
        let topic =
            self.topics.get(name).ok_or_else(|| ClientError::broker(what(), missing, None))?;
        if !topic.error.is_none() {
            return Err(ClientError::broker(what(), topic.error.code(), None));
        }
        Ok(topic)
    }

    /// A partition that exists.
    pub fn partition(&self, topic: &str, index: i32) -> Result<&Partition, ClientError> {
        self.topic(topic)?.partitions.get(&index).ok_or_else(|| {
            let what = format!("look up partition {topic}-{index}");
            ClientError::broker(what, ErrorCode::UnknownTopicOrPartition.code(), None)
        })
    }
}

pub(crate) fn request(wanted: &TopicsWanted) -> MetadataRequest {
    let named = |name: &String| MetadataRequestTopic {
        name: Some(Str::from(name)),
        ..MetadataRequestTopic::default()
    };
    let topics = match wanted {
        TopicsWanted::All => None,
        TopicsWanted::None => Some(Vec::new()),
        TopicsWanted::Named(names) | TopicsWanted::NamedOrCreated(names) => {
            Some(names.iter().map(named).collect())
        }
    };
    MetadataRequest {
        topics,
        allow_auto_topic_creation: matches!(wanted, TopicsWanted::NamedOrCreated(_)),
        ..MetadataRequest::default()
    }
}

impl From<MetadataResponse> for Cluster {
    fn from(response: MetadataResponse) -> Cluster {
        let brokers = response.brokers.iter().map(|broker| Broker {
            id: broker.node_id,
            host: broker.host.to_string(),
            port: broker.port,
            rack: broker.rack.as_ref().map(Str::to_string),
        });
        Cluster {
            cluster_id: response.cluster_id.as_ref().map(Str::to_string),
            controller_id: response.controller_id,
            brokers: brokers.map(|broker| (broker.id, broker)).collect(),
            topics: response
                .topics
                .into_iter()
                .filter_map(topic)
                .map(|topic| (topic.name.clone(), topic))
                .collect(),
        }
    }
}

fn topic(topic: MetadataResponseTopic) -> Option<Topic> {
    Some(Topic {
        name: topic.name?.to_string(),
        id: topic.topic_id,
        is_internal: topic.is_internal,
        error: error_code(topic.error_code),
        partitions: topic.partitions.into_iter().map(|p| (p.partition_index, p.into())).collect(),
    })
}

impl From<MetadataResponsePartition> for Partition {
    fn from(partition: MetadataResponsePartition) -> Partition {
        Partition {
            index: partition.partition_index,
            leader: partition.leader_id,
            leader_epoch: partition.leader_epoch,
            replicas: partition.replica_nodes,
            isr: partition.isr_nodes,
            error: error_code(partition.error_code),
        }
    }
}

/// The code of this number; one that is newer than we are counts as unknown.
pub(crate) fn error_code(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError)
}
