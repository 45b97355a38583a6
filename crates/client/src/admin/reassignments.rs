//! Where replicas are to be, which moves are under way, and who is to lead.

use std::collections::BTreeMap;

use protocol::Str;
use protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use protocol::messages::elect_leaders_request::{ElectLeadersRequest, TopicPartitions};
use protocol::messages::list_partition_reassignments_request::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsTopics,
};

use crate::error::ClientError;
use crate::offsets::Place;
use crate::routing::Client;

/// How long the controller may take.
const CHANGE_TIMEOUT_MS: i32 = 30_000;

/// A move that is under way.
#[doc(alias = "PartitionReassignment")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassignment {
    /// All replicas, with those that come and those that go.
    pub replicas: Vec<i32>,
    pub adding: Vec<i32>,
    pub removing: Vec<i32>,
}

/// What became of each partition that was asked for.
pub type Outcomes = BTreeMap<Place, Result<(), ClientError>>;

impl Client {
    /// The moves under way, of all partitions or of these.
    pub fn reassignments(
        &mut self,
        of: Option<&[Place]>,
    ) -> Result<BTreeMap<Place, Reassignment>, ClientError> {
        let topics = of.map(|places| {
            let topics = by_topic(places.iter()).into_iter();
            let topic = |(name, partition_indexes)| ListPartitionReassignmentsTopics {
                name: Str::from(name),
                partition_indexes,
            };
            topics.map(topic).collect()
        });
        let request = ListPartitionReassignmentsRequest { timeout_ms: CHANGE_TIMEOUT_MS, topics };
        self.with_retries(|client| {
            let answer = client.call_controller(&request)?;
            if answer.error_code != 0 {
                let message = answer.error_message.as_deref();
                return Err(ClientError::broker("list moves", answer.error_code, message));
            }
            let moves = answer.topics.into_iter().flat_map(|topic| {
                let name = topic.name.to_string();
                topic.partitions.into_iter().map(move |partition| {
                    let reassignment = Reassignment {
                        replicas: partition.replicas,
                        adding: partition.adding_replicas,
                        removing: partition.removing_replicas,
                    };
                    ((name.clone(), partition.partition_index), reassignment)
                })
            });
            Ok(moves.collect())
        })
    }

    /// Lets the replicas of partitions be on these brokers; `None` takes a move back that is under
    /// way. `may_resize`: whether a partition may get more or fewer replicas than it has.
    ///
    /// # Errors
    /// The request as a whole failed; what one partition failed by stands in its outcome.
    pub fn reassign(
        &mut self,
        wanted: &BTreeMap<Place, Option<Vec<i32>>>,
        may_resize: bool,
    ) -> Result<Outcomes, ClientError> {
        let mut topics: Vec<ReassignableTopic> = Vec::new();
        for ((name, partition_index), replicas) in wanted {
            if topics.last().is_none_or(|topic| *topic.name != **name) {
                topics.push(ReassignableTopic { name: Str::from(name), partitions: Vec::new() });
            }
            if let Some(topic) = topics.last_mut() {
                let (partition_index, replicas) = (*partition_index, replicas.clone());
                topic.partitions.push(ReassignablePartition { partition_index, replicas });
            }
        }
        let request = AlterPartitionReassignmentsRequest {
            timeout_ms: CHANGE_TIMEOUT_MS,
            allow_replication_factor_change: may_resize,
            topics,
        };
        let answer = self.call_controller(&request)?;
        if answer.error_code != 0 {
            let message = answer.error_message.as_deref();
            return Err(ClientError::broker("move partitions", answer.error_code, message));
        }
        let outcomes = answer.responses.into_iter().flat_map(|topic| {
            let name = topic.name.to_string();
            topic.partitions.into_iter().map(move |partition| {
                let (index, message) = (partition.partition_index, partition.error_message);
                let what = format!("move {name}-{index}");
                let outcome = outcome(what, partition.error_code, message.as_deref());
                ((name.clone(), index), outcome)
            })
        });
        Ok(outcomes.collect())
    }

    /// Makes preferred replicas leaders, or on demand (`unclean`) any that live; of these
    /// partitions, or of all that need it.
    ///
    /// # Errors
    /// The request as a whole failed; what one partition failed by stands in its outcome.
    pub fn elect_leaders(
        &mut self,
        of: Option<&[Place]>,
        unclean: bool,
    ) -> Result<Outcomes, ClientError> {
        let topic_partitions = of.map(|places| {
            let topics = by_topic(places.iter()).into_iter();
            let topic = |(name, partitions)| TopicPartitions { topic: Str::from(name), partitions };
            topics.map(topic).collect()
        });
        let request = ElectLeadersRequest {
            election_type: i8::from(unclean),
            topic_partitions,
            timeout_ms: CHANGE_TIMEOUT_MS,
        };
        let answer = self.call_controller(&request)?;
        if answer.error_code != 0 {
            return Err(ClientError::broker("elect leaders", answer.error_code, None));
        }
        let outcomes = answer.replica_election_results.into_iter().flat_map(|topic| {
            let name = topic.topic.to_string();
            topic.partition_result.into_iter().map(move |partition| {
                let (index, message) = (partition.partition_id, partition.error_message);
                let what = format!("elect a leader of {name}-{index}");
                let outcome = outcome(what, partition.error_code, message.as_deref());
                ((name.clone(), index), outcome)
            })
        });
        Ok(outcomes.collect())
    }
}

fn outcome(what: String, code: i16, message: Option<&str>) -> Result<(), ClientError> {
    match code {
        0 => Ok(()),
        code => Err(ClientError::broker(what, code, message)),
    }
}

fn by_topic<'a>(places: impl Iterator<Item = &'a Place>) -> BTreeMap<&'a str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(topic).or_default().push(*partition);
    }
    topics
}
