use metadata::{MetadataRecord, TopicImage};
use protocol::messages::elect_leaders_request::ElectLeadersRequest;
use protocol::messages::elect_leaders_response::{
    ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
};
use types::ErrorCode;

use crate::error::outcome;
use crate::limits::RECORDS_PER_REQUEST_MAX;
use crate::partition_change::{Election, PartitionChange};
use crate::{ApiError, Controller, ControllerResult};

/// What `election_type` on the wire asks for.
const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

impl Controller {
    /// Elects leaders on request. Null partitions mean all; those that have the leader they should
    /// have are then left out of the answer.
    pub fn elect_leaders(
        &self,
        request: &ElectLeadersRequest,
    ) -> ControllerResult<ElectLeadersResponse> {
        let election = match request.election_type {
            PREFERRED => Election::Preferred,
            UNCLEAN => Election::Unclean,
            _ => return ControllerResult::reply_only(unknown_election(request)),
        };
        let mut records = Vec::new();
        let mut replica_election_results = Vec::new();
        match &request.topic_partitions {
            Some(topics) => {
                for topic in topics {
                    let partitions = topic.partitions.iter().map(|&partition_id| {
                        let elected =
                            self.elect(&topic.topic, partition_id, election, &mut records);
                        partition_result(partition_id, &elected)
                    });
                    let partition_result = partitions.collect();
                    let topic = topic.topic.clone();
                    replica_election_results
                        .push(ReplicaElectionResult { topic, partition_result });
                }
            }
            None => {
                for topic in self.view().topics.iter() {
                    let partition_result = self.elect_all(topic, election, &mut records);
                    let topic = (&*topic.name).into();
                    replica_election_results
                        .push(ReplicaElectionResult { topic, partition_result });
                }
            }
        }
        let reply = ElectLeadersResponse { replica_election_results, ..Default::default() };
        ControllerResult { records, atomic: false, reply }
    }

    fn elect_all(
        &self,
        topic: &TopicImage,
        election: Election,
        records: &mut Vec<MetadataRecord>,
    ) -> Vec<PartitionResult> {
        let mut results = Vec::new();
        for index in 0..topic.partition_count() {
            let elected = self.elect(&topic.name, index, election, records);
            let needless = matches!(&elected, Err(e) if e.code == ErrorCode::ElectionNotNeeded);
            if !needless {
                results.push(partition_result(index, &elected));
            }
        }
        results
    }

    fn elect(
        &self,
        name: &str,
        index: i32,
        election: Election,
        records: &mut Vec<MetadataRecord>,
    ) -> Result<(), ApiError> {
        let unknown = |message| ApiError::new(ErrorCode::UnknownTopicOrPartition, message);
        let topic = self.view().topics.by_name(name);
        let topic = topic.ok_or_else(|| unknown(format!("No such topic as {name}")))?;
        let partition = topic.partition(index);
        let partition =
            partition.ok_or_else(|| unknown(format!("No such partition as {name}-{index}")))?;
        let needless = match election {
            Election::Unclean => partition.leader.is_some(),
            _ => partition.leader.is_some() && partition.leader == partition.preferred_leader(),
        };
        if needless {
            let message = "Leader election not needed for topic partition.";
            return Err(ApiError::new(ErrorCode::ElectionNotNeeded, message));
        }
        if records.len() >= RECORDS_PER_REQUEST_MAX {
            return Err(ApiError::too_many_records());
        }
        let change = PartitionChange::new(self, self.topic_rules(topic), index, partition)
            .election(election);
        match (change.build(), election) {
            (Some(record), _) => {
                records.push(record.into());
                Ok(())
            }
            (None, Election::Unclean) => Err(ApiError::new(
                ErrorCode::EligibleLeadersNotAvailable,
                "Eligible topic partition leaders are not available.",
            )),
            (None, _) => Err(ApiError::new(
                ErrorCode::PreferredLeaderNotAvailable,
                "The preferred leader was not available.",
            )),
        }
    }
}

fn partition_result(partition_id: i32, elected: &Result<(), ApiError>) -> PartitionResult {
    let (error_code, error_message) = outcome(elected);
    PartitionResult { partition_id, error_code, error_message }
}

fn unknown_election(request: &ElectLeadersRequest) -> ElectLeadersResponse {
    let message = format!("Unknown election type {}", request.election_type);
    let error: Result<(), _> = Err(ApiError::invalid_request(message));
    let results = request.topic_partitions.iter().flatten().map(|topic| ReplicaElectionResult {
        topic: topic.topic.clone(),
        partition_result: topic.partitions.iter().map(|p| partition_result(*p, &error)).collect(),
    });
    ElectLeadersResponse {
        error_code: ErrorCode::InvalidRequest.code(),
        replica_election_results: results.collect(),
        ..Default::default()
    }
}
