//! The voters on the metadata: who they are, how far each is, and who joins or leaves.

use std::collections::BTreeMap;

use protocol::Str;
use protocol::messages::describe_quorum_request::{
    DescribeQuorumRequest, PartitionData, TopicData,
};
use protocol::messages::describe_quorum_response::{Listener, ReplicaState};
use protocol::messages::{
    AddRaftVoterRequest, DescribeClusterRequest, RemoveRaftVoterRequest, add_raft_voter_request,
};
use types::Uuid;

use crate::error::ClientError;
use crate::options::Options;
use crate::routing::Client;

const METADATA_TOPIC: &str = "__cluster_metadata";
const CHANGE_TIMEOUT_MS: i32 = 30_000;
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

/// Who agrees on the metadata.
#[doc(alias = "QuorumInfo")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// -1 while there is none.
    pub leader: i32,
    pub epoch: i32,
    pub high_watermark: i64,
    pub voters: Vec<QuorumMember>,
    pub observers: Vec<QuorumMember>,
    /// Where nodes are reached, as far as the leader knows.
    pub nodes: BTreeMap<i32, Vec<QuorumEndpoint>>,
}

/// One node that keeps the metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumMember {
    pub id: i32,
    /// Zero if the leader does not know it.
    pub directory: Uuid,
    /// -1 if the leader has not heard of it.
    pub log_end: i64,
    /// Milliseconds since 1970; -1 if unknown.
    pub last_fetch_ms: i64,
    /// Likewise.
    pub last_caught_up_ms: i64,
}

/// One address of a node.
#[doc(alias = "RaftVoterEndpoint")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumEndpoint {
    pub listener: String,
    pub host: String,
    pub port: u16,
}

impl Client {
    /// Connects to controllers instead of brokers. What belongs to the active controller finds it;
    /// topics and groups cannot be asked for (KIP-919).
    ///
    /// # Errors
    /// None of the addresses answers as a controller does.
    pub fn connect_to_controllers(options: Options) -> Result<Client, ClientError> {
        Client::connect_with(options, Client::ask_for_controllers)
    }

    /// The cluster's id, from those whom the client is connected to.
    pub fn cluster_id(&mut self) -> Result<String, ClientError> {
        let kind = if self.knows_controllers_only() { CONTROLLERS } else { BROKERS };
        self.described_cluster(kind)
    }

    pub(crate) fn ask_for_controllers(&mut self) -> Result<(), ClientError> {
        self.described_cluster(CONTROLLERS).map(|_| ())
    }

    fn described_cluster(&mut self, endpoint_type: i8) -> Result<String, ClientError> {
        let request = DescribeClusterRequest { endpoint_type, ..Default::default() };
        let answer = self.call_any(&request)?;
        if answer.error_code != 0 {
            let message = answer.error_message.as_deref();
            return Err(ClientError::broker("describe the cluster", answer.error_code, message));
        }
        if endpoint_type == CONTROLLERS {
            let nodes = answer.brokers.iter();
            let nodes = nodes.map(|node| (node.broker_id, node.host.to_string(), node.port));
            self.know_controllers(answer.controller_id, nodes.collect());
        }
        Ok(answer.cluster_id.to_string())
    }

    /// Who votes on the metadata and how far each is.
    pub fn quorum(&mut self) -> Result<Quorum, ClientError> {
        let partitions = vec![PartitionData { partition_index: 0 }];
        let topic = TopicData { topic_name: METADATA_TOPIC.into(), partitions };
        let request = DescribeQuorumRequest { topics: vec![topic] };
        let answer = match self.knows_controllers_only() {
            true => self.call_controller(&request)?,
            // Brokers forward it to the leader.
            false => self.call_any(&request)?,
        };
        let failed = |code: i16, message: &Option<Str>| {
            ClientError::broker("describe the quorum", code, message.as_deref())
        };
        if answer.error_code != 0 {
            return Err(failed(answer.error_code, &answer.error_message));
        }
        let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
        let partition =
            partition.ok_or_else(|| super::topics::unanswered("describe the quorum"))?;
        if partition.error_code != 0 {
            return Err(failed(partition.error_code, &partition.error_message));
        }
        let node = |node: &protocol::messages::describe_quorum_response::Node| {
            (node.node_id, node.listeners.iter().map(endpoint).collect())
        };
        Ok(Quorum {
            leader: partition.leader_id,
            epoch: partition.leader_epoch,
            high_watermark: partition.high_watermark,
            voters: partition.current_voters.iter().map(member).collect(),
            observers: partition.observers.iter().map(member).collect(),
            nodes: answer.nodes.iter().map(node).collect(),
        })
    }

    /// Lets a controller vote on the metadata.
    pub fn add_voter(
        &mut self,
        voter_id: i32,
        voter_directory_id: Uuid,
        endpoints: &[QuorumEndpoint],
    ) -> Result<(), ClientError> {
        let listener = |endpoint: &QuorumEndpoint| add_raft_voter_request::Listener {
            name: Str::from(&endpoint.listener),
            host: Str::from(&endpoint.host),
            port: endpoint.port,
        };
        let request = AddRaftVoterRequest {
            cluster_id: None,
            timeout_ms: CHANGE_TIMEOUT_MS,
            voter_id,
            voter_directory_id,
            listeners: endpoints.iter().map(listener).collect(),
            ack_when_committed: true,
        };
        let answer = self.call_controller(&request)?;
        changed(format!("add voter {voter_id}"), answer.error_code, answer.error_message)
    }

    /// Takes a controller its vote.
    pub fn remove_voter(
        &mut self,
        voter_id: i32,
        voter_directory_id: Uuid,
    ) -> Result<(), ClientError> {
        let cluster_id = None;
        let request = RemoveRaftVoterRequest { cluster_id, voter_id, voter_directory_id };
        let answer = self.call_controller(&request)?;
        changed(format!("remove voter {voter_id}"), answer.error_code, answer.error_message)
    }
}

fn changed(what: String, code: i16, message: Option<Str>) -> Result<(), ClientError> {
    match code {
        0 => Ok(()),
        code => Err(ClientError::broker(what, code, message.as_deref())),
    }
}

fn member(state: &ReplicaState) -> QuorumMember {
    QuorumMember {
        id: state.replica_id,
        directory: state.replica_directory_id,
        log_end: state.log_end_offset,
        last_fetch_ms: state.last_fetch_timestamp,
        last_caught_up_ms: state.last_caught_up_timestamp,
    }
}

fn endpoint(listener: &Listener) -> QuorumEndpoint {
    QuorumEndpoint {
        listener: listener.name.to_string(),
        host: listener.host.to_string(),
        port: listener.port,
    }
}
