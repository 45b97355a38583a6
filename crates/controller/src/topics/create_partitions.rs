use std::collections::BTreeMap;

use metadata::MetadataRecord;
use protocol::Str;
use protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use protocol::messages::create_partitions_response::{
    CreatePartitionsResponse, CreatePartitionsTopicResult,
};
use types::{BrokerId, ErrorCode};

use super::create::all_assigned_out_of_service;
use super::seed_of;
use crate::error::outcome;
use crate::limits::PARTITIONS_PER_REQUEST_MAX;
use crate::{ApiError, Controller, ControllerResult};

impl Controller {
    /// Raises partition counts, each topic on its own. Answers are in the order of the request; a
    /// name that appears more than once is answered once.
    ///
    /// Source: Kafka `ReplicationControlManager.createPartitions`.
    pub fn create_partitions(
        &self,
        request: &CreatePartitionsRequest,
    ) -> ControllerResult<CreatePartitionsResponse> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for topic in &request.topics {
            *times.entry(&topic.name).or_default() += 1;
        }
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(times.len());
        for topic in &request.topics {
            let added = match times.remove(&*topic.name) {
                None => continue,
                Some(1) => self.add_partitions(topic, records.len()),
                Some(_) => Err(ApiError::invalid_request("Duplicate topic name.")),
            };
            let (error_code, error_message) = outcome(&added);
            let name = topic.name.clone();
            results.push(CreatePartitionsTopicResult { name, error_code, error_message });
            records.extend(added.unwrap_or_default());
        }
        let reply = CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() };
        ControllerResult::atomic(records, reply).without_records_if(request.validate_only)
    }

    fn add_partitions(
        &self,
        wanted: &CreatePartitionsTopic,
        before: usize,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let Some(topic) = self.view().topics.by_name(&wanted.name) else {
            return Err(ApiError::code(ErrorCode::UnknownTopicOrPartition));
        };
        let has = topic.partition_count();
        let additional = self.additional(&wanted.name, has, wanted.count)?;
        if let Some(assignments) = &wanted.assignments
            && assignments.len() != additional
        {
            let message = format!(
                "Attempted to add {additional} additional partition(s), but only {} assignment(s) \
                 were specified.",
                assignments.len()
            );
            return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
        }
        if additional > PARTITIONS_PER_REQUEST_MAX.saturating_sub(before) {
            return Err(ApiError::too_many_records());
        }
        let replication_factor = topic.replication_factor();
        let placed = match &wanted.assignments {
            Some(assignments) => self.check_new_assignments(assignments, replication_factor)?,
            // Goes on where the partitions before would have led to.
            None => {
                let seed = seed_of(topic.id).wrapping_add(u64::from(has.unsigned_abs()));
                self.placer().place(additional, replication_factor, seed)?
            }
        };
        let partitions = (has..).zip(&placed).map(|(index, replicas)| {
            let out_of_service = || match wanted.assignments {
                Some(_) => all_assigned_out_of_service(index),
                None => ApiError::new(
                    ErrorCode::InvalidReplicationFactor,
                    format!(
                        "Unable to replicate the partition {replication_factor} time(s): All \
                         brokers are currently fenced or in controlled shutdown."
                    ),
                ),
            };
            self.new_partition(topic.id, index, replicas).ok_or_else(out_of_service)
        });
        partitions.collect()
    }

    fn additional(&self, name: &Str, has: i32, count: i32) -> Result<usize, ApiError> {
        let refused = |message| Err(ApiError::new(ErrorCode::InvalidPartitions, message));
        if count == has {
            return refused(format!("Topic already has {has} partition(s)."));
        }
        if count < has {
            return refused(format!(
                "The topic {name} currently has {has} partition(s); {count} would not be an \
                 increase."
            ));
        }
        Ok(usize::try_from(count - has).unwrap_or(0))
    }

    fn check_new_assignments(
        &self,
        assignments: &[CreatePartitionsAssignment],
        replication_factor: i16,
    ) -> Result<Vec<Vec<BrokerId>>, ApiError> {
        let replicas = usize::try_from(replication_factor).unwrap_or(0);
        let check = |assignment: &CreatePartitionsAssignment| {
            self.check_assignment(&assignment.broker_ids, Some(replicas))
        };
        assignments.iter().map(check).collect()
    }
}
