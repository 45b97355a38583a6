//! The brokers, the voters, and where the replicas of partitions are.

use protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use protocol::messages::describe_quorum_request::{
    DescribeQuorumRequest, PartitionData, TopicData,
};
use protocol::messages::elect_leaders_request::{ElectLeadersRequest, TopicPartitions};
use protocol::messages::{DescribeClusterRequest, UnregisterBrokerRequest};

use crate::error::ClientError;
use crate::routing::Client;

/// How long the controller may take.
const CHANGE_TIMEOUT_MS: i32 = 30_000;
const BROKERS: i8 = 1;
const METADATA_TOPIC: &str = "__cluster_metadata";

/// One registered broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: i32,
    pub address: String,
    pub rack: Option<String>,
    /// Out of service.
    pub is_fenced: bool,
}

/// Who agrees on the metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// -1 while there is none.
    pub leader: i32,
    pub epoch: i32,
    pub high_watermark: i64,
    /// Node id and log end; -1 if the leader has not heard of it.
    pub voters: Vec<(i32, i64)>,
}

impl Client {
    /// All brokers, with those out of service.
    pub fn members(&mut self) -> Result<Vec<Member>, ClientError> {
        let request = DescribeClusterRequest {
            endpoint_type: BROKERS,
            include_fenced_brokers: true,
            ..Default::default()
        };
        let answer = self.call_any(&request)?;
        if answer.error_code != 0 {
            let message = answer.error_message.as_deref();
            return Err(ClientError::broker("list the brokers", answer.error_code, message));
        }
        let member =
            |broker: &protocol::messages::describe_cluster_response::DescribeClusterBroker| {
                Member {
                    id: broker.broker_id,
                    address: format!("{}:{}", broker.host, broker.port),
                    rack: broker.rack.as_deref().map(str::to_owned),
                    is_fenced: broker.is_fenced,
                }
            };
        Ok(answer.brokers.iter().map(member).collect())
    }

    /// Makes the cluster forget a broker that will not come back.
    pub fn unregister_broker(&mut self, broker_id: i32) -> Result<(), ClientError> {
        let answer = self.call_controller(&UnregisterBrokerRequest { broker_id })?;
        match answer.error_code {
            0 => Ok(()),
            code => {
                let what = format!("forget broker {broker_id}");
                Err(ClientError::broker(what, code, answer.error_message.as_deref()))
            }
        }
    }

    /// Makes the preferred replica of a partition its leader, or on demand any that lives.
    pub fn elect_leader(
        &mut self,
        topic: &str,
        partition: i32,
        unclean: bool,
    ) -> Result<(), ClientError> {
        let wanted = TopicPartitions { topic: topic.into(), partitions: vec![partition] };
        let request = ElectLeadersRequest {
            election_type: i8::from(unclean),
            topic_partitions: Some(vec![wanted]),
            timeout_ms: CHANGE_TIMEOUT_MS,
        };
        let answer = self.call_controller(&request)?;
        let result = answer.replica_election_results.first();
        let result = result.and_then(|topic| topic.partition_result.first());
        let code = result.map_or(answer.error_code, |result| result.error_code);
        let message = result.and_then(|result| result.error_message.as_deref());
        match code {
            0 => Ok(()),
            code => Err(ClientError::broker(
                format!("elect a leader of {topic}-{partition}"),
                code,
                message,
            )),
        }
    }

    /// Lets the replicas of a partition be on these brokers; `None` takes a move back that is
    /// under way.
    pub fn move_partition(
        &mut self,
        topic: &str,
        partition_index: i32,
        replicas: Option<Vec<i32>>,
    ) -> Result<(), ClientError> {
        let partitions = vec![ReassignablePartition { partition_index, replicas }];
        let request = AlterPartitionReassignmentsRequest {
            timeout_ms: CHANGE_TIMEOUT_MS,
            topics: vec![ReassignableTopic { name: topic.into(), partitions }],
            ..Default::default()
        };
        let answer = self.call_controller(&request)?;
        let result = answer.responses.first().and_then(|topic| topic.partitions.first());
        let (code, message) = match result {
            Some(result) if answer.error_code == 0 => (result.error_code, &result.error_message),
            _ => (answer.error_code, &answer.error_message),
        };
        match code {
            0 => Ok(()),
            code => {
                let what = format!("move {topic}-{partition_index}");
                Err(ClientError::broker(what, code, message.as_deref()))
            }
        }
    }

    /// Who votes on the metadata and how far each is.
    pub fn quorum(&mut self) -> Result<Quorum, ClientError> {
        let partitions = vec![PartitionData { partition_index: 0 }];
        let topic = TopicData { topic_name: METADATA_TOPIC.into(), partitions };
        let answer = self.call_any(&DescribeQuorumRequest { topics: vec![topic] })?;
        let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
        let code = partition.map_or(answer.error_code, |partition| partition.error_code);
        match partition {
            Some(partition) if code == 0 => Ok(Quorum {
                leader: partition.leader_id,
                epoch: partition.leader_epoch,
                high_watermark: partition.high_watermark,
                voters: partition
                    .current_voters
                    .iter()
                    .map(|voter| (voter.replica_id, voter.log_end_offset))
                    .collect(),
            }),
            _ => Err(ClientError::broker("describe the quorum", code, None)),
        }
    }
}
