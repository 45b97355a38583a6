use metadata::{MetadataRecord, PartitionImage, TopicImage};
use protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition,
};
use protocol::messages::alter_partition_reassignments_response::{
    AlterPartitionReassignmentsResponse, ReassignablePartitionResponse, ReassignableTopicResponse,
};
use protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsRequest;
use protocol::messages::list_partition_reassignments_response::{
    ListPartitionReassignmentsResponse, OngoingPartitionReassignment, OngoingTopicReassignment,
};
use types::{BrokerId, ErrorCode};

use crate::error::outcome;
use crate::limits::RECORDS_PER_REQUEST_MAX;
use crate::partition_change::PartitionChange;
use crate::{ApiError, Controller, ControllerResult};

impl Controller {
    /// Gives partitions new replicas, or (null replicas) calls a move off. A move goes on until
    /// the new replicas are in sync; with none to wait for it is done at once.
    ///
    /// Source: Kafka `ReplicationControlManager.alterPartitionReassignments`, KIP-455, KIP-860.
    pub fn alter_partition_reassignments(
        &self,
        request: &AlterPartitionReassignmentsRequest,
    ) -> ControllerResult<AlterPartitionReassignmentsResponse> {
        let may_resize = request.allow_replication_factor_change;
        let mut records = Vec::new();
        let mut responses = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for wanted in &topic.partitions {
                let altered = match records.len() {
                    RECORDS_PER_REQUEST_MAX.. => Err(ApiError::too_many_records()),
                    _ => self.alter_reassignment(&topic.name, wanted, may_resize),
                };
                let (error_code, error_message) = outcome(&altered);
                let partition_index = wanted.partition_index;
                partitions.push(ReassignablePartitionResponse {
                    partition_index,
                    error_code,
                    error_message,
                });
                records.extend(altered.ok().flatten());
            }
            responses.push(ReassignableTopicResponse { name: topic.name.clone(), partitions });
        }
        let reply = AlterPartitionReassignmentsResponse {
            allow_replication_factor_change: may_resize,
            responses,
            error_message: None,
            ..AlterPartitionReassignmentsResponse::default()
        };
        ControllerResult::atomic(records, reply)
    }

    /// The moves under way, of all topics or of those asked for.
    pub fn list_partition_reassignments(
        &self,
        request: &ListPartitionReassignmentsRequest,
    ) -> ListPartitionReassignmentsResponse {
        let topics: Vec<_> = match &request.topics {
            None => {
                let topics = self.view().topics.iter();
                topics.map(|topic| ongoing(topic, 0..topic.partition_count())).collect()
            }
            Some(wanted) => {
                let found = wanted.iter().filter_map(|wanted| {
                    let topic = self.view().topics.by_name(&wanted.name)?;
                    Some(ongoing(topic, wanted.partition_indexes.iter().copied()))
                });
                found.collect()
            }
        };
        let topics = topics.into_iter().filter(|topic| !topic.partitions.is_empty()).collect();
        ListPartitionReassignmentsResponse { topics, error_message: None, ..Default::default() }
    }

    fn alter_reassignment(
        &self,
        name: &str,
        wanted: &ReassignablePartition,
        may_resize: bool,
    ) -> Result<Option<MetadataRecord>, ApiError> {
        let unknown = |message| ApiError::new(ErrorCode::UnknownTopicOrPartition, message);
        let index = wanted.partition_index;
        let topic = self.view().topics.by_name(name);
        let topic =
            topic.ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
        let partition = topic.partition(index);
        let partition = partition
            .ok_or_else(|| unknown(format!("Unable to find partition {name}:{index}.")))?;
        let change = PartitionChange::new(self, self.topic_rules(topic), index, partition);
        let change = match &wanted.replicas {
            Some(replicas) => {
                let target = self.check_assignment(replicas, None)?;
                check_size(partition, &target, may_resize)?;
                reassigned(change, partition, target)
            }
            None => cancelled(change, topic, index, partition)?,
        };
        Ok(change.build().map(MetadataRecord::from))
    }
}

fn check_size(
    partition: &PartitionImage,
    target: &[BrokerId],
    may_resize: bool,
) -> Result<(), ApiError> {
    let (now, then) = (replicas_before(partition).len(), target.len());
    if may_resize || now == then {
        return Ok(());
    }
    let message = format!("The replication factor is changed from {now} to {then}");
    Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message))
}

/// What the partition would go back to if a move under way were called off.
fn replicas_before(partition: &PartitionImage) -> Vec<BrokerId> {
    let replicas = partition.replicas.iter();
    replicas.filter(|broker| !partition.adding().contains(broker)).copied().collect()
}

fn reassigned<'a>(
    change: PartitionChange<'a>,
    partition: &PartitionImage,
    target: Vec<BrokerId>,
) -> PartitionChange<'a> {
    let missing = |from: &[BrokerId], other: &[BrokerId]| {
        let mut brokers: Vec<_> = from.iter().filter(|b| !other.contains(b)).copied().collect();
        brokers.sort_unstable();
        brokers
    };
    let removing = missing(&partition.replicas, &target);
    let adding = missing(&target, &partition.replicas);
    let replicas = target.into_iter().chain(removing.iter().copied()).collect();
    change.reassign(replicas, adding, removing)
}

fn cancelled<'a>(
    change: PartitionChange<'a>,
    topic: &TopicImage,
    index: i32,
    partition: &PartitionImage,
) -> Result<PartitionChange<'a>, ApiError> {
    if !partition.is_reassigning() {
        return Err(ApiError::code(ErrorCode::NoReassignmentInProgress));
    }
    let replicas = replicas_before(partition);
    let isr: Vec<_> = partition.isr.iter().filter(|b| replicas.contains(b)).copied().collect();
    // Kafka's `PartitionReassignmentRevert` looks at the in-sync set alone. With nobody in it, an
    // eligible leader that stays holds everything just as well.
    let is_eligible = |broker: &BrokerId| replicas.contains(broker);
    let stays = partition.isr.is_empty() && partition.elr().iter().any(is_eligible);
    if isr.is_empty() && !stays {
        let message = format!(
            "Unable to revert partition assignment for {}:{index} because it would require an \
             unclean leader election.",
            topic.name
        );
        return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    Ok(change.isr(isr).reassign(replicas, Vec::new(), Vec::new()))
}

fn ongoing(topic: &TopicImage, indexes: impl Iterator<Item = i32>) -> OngoingTopicReassignment {
    let ids = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect();
    let partitions = indexes.filter_map(|partition_index| {
        let partition = topic.partition(partition_index).filter(|p| p.is_reassigning())?;
        Some(OngoingPartitionReassignment {
            partition_index,
            replicas: ids(&partition.replicas),
            adding_replicas: ids(partition.adding()),
            removing_replicas: ids(partition.removing()),
        })
    });
    let name = (&*topic.name).into();
    OngoingTopicReassignment { name, partitions: partitions.collect() }
}
