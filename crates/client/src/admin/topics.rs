//! Topics: make, grow, delete, look at.

use std::collections::BTreeMap;

use protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    DescribeTopicPartitionsRequest,
};
use protocol::{ApiKey, Str};

use crate::error::ClientError;
use crate::routing::Client;

/// A topic to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// `None` leaves it to the broker.
    pub partitions: Option<i32>,
    /// `None` leaves it to the broker.
    pub replication_factor: Option<i16>,
    /// The brokers of each partition; instead of the two numbers above.
    pub assignment: Vec<Vec<i32>>,
    pub configs: BTreeMap<String, String>,
}

/// A topic as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    pub name: String,
    pub id: types::Uuid,
    /// -1 if the broker is too old to say.
    pub partitions: i32,
    pub replication_factor: i16,
}

/// The replicas that may lead without loss, where the cluster keeps track of them. KIP-966.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EligibleLeaders {
    pub eligible: Option<Vec<i32>>,
    pub last_known: Option<Vec<i32>>,
}

/// How long the controller may take to finish.
const CHANGE_TIMEOUT_MS: i32 = 30_000;

impl Client {
    /// Makes a topic; with `is_dry_run` only says whether it could be made.
    pub fn create_topic(
        &mut self,
        new: &NewTopic,
        is_dry_run: bool,
    ) -> Result<CreatedTopic, ClientError> {
        let request = CreateTopicsRequest {
            topics: vec![creatable(new)],
            timeout_ms: CHANGE_TIMEOUT_MS,
            validate_only: is_dry_run,
        };
        let what = format!("create topic {}", new.name);
        self.with_retries(|client| {
            let answer = client.call_controller(&request)?;
            let topic = answer.topics.first().ok_or_else(|| unanswered(&what))?;
            match topic.error_code {
                0 => Ok(CreatedTopic {
                    name: topic.name.to_string(),
                    id: topic.topic_id,
                    partitions: topic.num_partitions,
                    replication_factor: topic.replication_factor,
                }),
                code => Err(ClientError::broker(&what, code, topic.error_message.as_deref())),
            }
        })
        .map_err(|error| error.during(&what))
    }

    /// Deletes a topic with all its records.
    pub fn delete_topic(&mut self, name: &str) -> Result<(), ClientError> {
        let what = format!("delete topic {name}");
        let versions_by_id = 6;
        let version = self.controller_version::<DeleteTopicsRequest>()?;
        let mut request =
            DeleteTopicsRequest { timeout_ms: CHANGE_TIMEOUT_MS, ..Default::default() };
        if version >= versions_by_id {
            let topic = DeleteTopicState { name: Some(Str::from(name)), ..Default::default() };
            request.topics.push(topic);
        } else {
            request.topic_names.push(Str::from(name));
        }
        self.with_retries(|client| {
            let answer = client.call_controller(&request)?;
            let topic = answer.responses.first().ok_or_else(|| unanswered(&what))?;
            match topic.error_code {
                0 => Ok(()),
                code => Err(ClientError::broker(&what, code, topic.error_message.as_deref())),
            }
        })
        .map_err(|error| error.during(&what))
    }

    /// Grows a topic to `count` partitions; `assignment` names the brokers of the new ones.
    pub fn create_partitions(
        &mut self,
        topic: &str,
        count: i32,
        assignment: Option<&[Vec<i32>]>,
    ) -> Result<(), ClientError> {
        let what = format!("grow topic {topic} to {count} partitions");
        let brokers = |ids: &Vec<i32>| CreatePartitionsAssignment { broker_ids: ids.clone() };
        let topic = CreatePartitionsTopic {
            name: Str::from(topic),
            count,
            assignments: assignment.map(|all| all.iter().map(brokers).collect()),
        };
        let request = CreatePartitionsRequest {
            topics: vec![topic],
            timeout_ms: CHANGE_TIMEOUT_MS,
            validate_only: false,
        };
        self.with_retries(|client| {
            let answer = client.call_controller(&request)?;
            let result = answer.results.first().ok_or_else(|| unanswered(&what))?;
            match result.error_code {
                0 => Ok(()),
                code => Err(ClientError::broker(&what, code, result.error_message.as_deref())),
            }
        })
        .map_err(|error| error.during(&what))
    }

    /// The eligible leaders of each partition of these topics.
    ///
    /// Empty if the cluster does not speak DescribeTopicPartitions.
    pub fn eligible_leaders(
        &mut self,
        topics: &[String],
    ) -> Result<BTreeMap<(String, i32), EligibleLeaders>, ClientError> {
        let mut found = BTreeMap::new();
        if topics.is_empty() || !self.supports(ApiKey::DescribeTopicPartitions)? {
            return Ok(found);
        }
        let mut request = DescribeTopicPartitionsRequest {
            topics: topics.iter().map(|name| TopicRequest { name: Str::from(name) }).collect(),
            response_partition_limit: 2000,
            cursor: None,
        };
        // Each answer moves the cursor on, so that this ends with the partitions.
        loop {
            let answer = self.call_any(&request)?;
            for topic in &answer.topics {
                let name = topic.name.as_ref().map(Str::to_string).unwrap_or_default();
                for partition in &topic.partitions {
                    let leaders = EligibleLeaders {
                        eligible: partition.eligible_leader_replicas.clone(),
                        last_known: partition.last_known_elr.clone(),
                    };
                    found.insert((name.clone(), partition.partition_index), leaders);
                }
            }
            let Some(next) = answer.next_cursor else { return Ok(found) };
            let cursor =
                Cursor { topic_name: next.topic_name, partition_index: next.partition_index };
            if request.cursor.as_ref() == Some(&cursor) {
                return Ok(found);
            }
            request.cursor = Some(cursor);
        }
    }

    fn controller_version<R: protocol::Request>(&mut self) -> Result<i16, ClientError> {
        let id = self.cluster().controller_id;
        match self.cluster().brokers.contains_key(&id) {
            true => self.on_broker(id, |connection| connection.version::<R>(i16::MAX)),
            false => self.version_of_any::<R>(),
        }
    }
}

fn creatable(new: &NewTopic) -> CreatableTopic {
    let assigned = (0..).zip(&new.assignment);
    let assignments = assigned.map(|(partition_index, brokers)| CreatableReplicaAssignment {
        partition_index,
        broker_ids: brokers.clone(),
    });
    let configs = new.configs.iter().map(|(name, value)| CreatableTopicConfig {
        name: Str::from(name),
        value: Some(Str::from(value)),
    });
    CreatableTopic {
        name: Str::from(&new.name),
        num_partitions: if new.assignment.is_empty() { new.partitions.unwrap_or(-1) } else { -1 },
        replication_factor: match new.assignment.is_empty() {
            true => new.replication_factor.unwrap_or(-1),
            false => -1,
        },
        assignments: assignments.collect(),
        configs: configs.collect(),
    }
}

pub(crate) fn unanswered(what: &str) -> ClientError {
    let why = "the broker answered without naming what was asked about";
    ClientError::new(crate::error::ErrorKind::Malformed, what, why)
}
