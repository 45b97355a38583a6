//! Which log directory of its broker a replica is in, and what becomes of it when the directory
//! fails. Source: KIP-858.

use std::collections::BTreeSet;

use metadata::{BrokerEpoch, MetadataRecord};
use protocol::messages::assign_replicas_to_dirs_request::AssignReplicasToDirsRequest;
use protocol::messages::assign_replicas_to_dirs_response::{
    AssignReplicasToDirsResponse, DirectoryData, PartitionData, TopicData,
};
use protocol::metadata_records::BrokerRegistrationChangeRecord;
use types::{BrokerId, ErrorCode, Uuid};

use crate::partition_change::PartitionChange;
use crate::{ApiError, Controller, ControllerResult};

impl Controller {
    /// Notes where a broker has put its replicas. One that is said to be in a directory which is
    /// not in use is offline there.
    ///
    /// # Errors
    /// In the answer: `STALE_BROKER_EPOCH` for all; for a partition `UNKNOWN_TOPIC_ID`,
    /// `UNKNOWN_TOPIC_OR_PARTITION`, or `NOT_LEADER_OR_FOLLOWER` if the broker has no replica of
    /// it.
    ///
    /// Source: Kafka `ReplicationControlManager.handleAssignReplicasToDirs`.
    pub fn assign_replicas_to_dirs(
        &self,
        request: &AssignReplicasToDirsRequest,
    ) -> ControllerResult<AssignReplicasToDirsResponse> {
        let broker = BrokerId(request.broker_id);
        let mut response = AssignReplicasToDirsResponse::default();
        if let Err(error) = self.check_broker_epoch(broker, BrokerEpoch(request.broker_epoch)) {
            response.error_code = error.code.code();
            return ControllerResult::reply_only(response);
        }
        let mut records = Vec::new();
        for asked in &request.directories {
            let topics = asked.topics.iter().map(|topic| {
                let partitions = topic.partitions.iter().map(|partition| {
                    let index = partition.partition_index;
                    let assigned = self.assign(broker, asked.id, topic.topic_id, index);
                    let error_code = assigned.as_ref().err().copied().unwrap_or_default().code();
                    records.extend(assigned.ok().flatten());
                    PartitionData { partition_index: index, error_code }
                });
                TopicData { topic_id: topic.topic_id, partitions: partitions.collect() }
            });
            let topics = topics.collect();
            response.directories.push(DirectoryData { id: asked.id, topics });
        }
        // Each partition for itself: a broker says again what it finds missing.
        ControllerResult { records, atomic: false, reply: response }
    }

    fn assign(
        &self,
        broker: BrokerId,
        directory: Uuid,
        topic: Uuid,
        index: i32,
    ) -> Result<Option<MetadataRecord>, ErrorCode> {
        let topic = self.view().topics.by_id(topic).ok_or(ErrorCode::UnknownTopicId)?;
        let partition = topic.partition(index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        if !partition.replicas.contains(&broker) {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let mut change = PartitionChange::new(self, self.topic_rules(topic), index, partition)
            .directory(broker, directory);
        if !self.broker(broker).is_some_and(|known| known.has_online_dir(directory)) {
            change = change.without(broker);
        }
        Ok(change.build().map(MetadataRecord::from))
    }

    /// Takes directories of a broker out of use, and the broker out of the leadership of what is in
    /// them. The last in-sync replica stays in sync: its records are there, only out of reach.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH`.
    ///
    /// Source: Kafka `ReplicationControlManager.handleDirectoriesOffline`.
    pub fn directories_offline(
        &self,
        id: BrokerId,
        epoch: BrokerEpoch,
        offline: &[Uuid],
    ) -> ControllerResult<Result<(), ApiError>> {
        let broker = match self.check_broker_epoch(id, epoch) {
            Ok(broker) => broker,
            Err(error) => return ControllerResult::reply_only(Err(error)),
        };
        let offline: BTreeSet<&Uuid> =
            offline.iter().filter(|dir| broker.log_dirs.contains(dir)).collect();
        if offline.is_empty() {
            return ControllerResult::reply_only(Ok(()));
        }
        let mut records =
            self.change_partitions(self.broker_partitions.seats(id), |partition, change| {
                let is_here = partition.isr.contains(&id) || partition.leader == Some(id);
                let is_lost = is_here && offline.contains(&partition.directory_of(id));
                is_lost.then(|| change.without(id))
            });
        let online = broker.log_dirs.iter().filter(|dir| !offline.contains(dir)).copied();
        records.push(
            BrokerRegistrationChangeRecord {
                broker_id: id.0,
                broker_epoch: epoch.0,
                log_dirs: online.collect(),
                ..BrokerRegistrationChangeRecord::default()
            }
            .into(),
        );
        ControllerResult { records, atomic: false, reply: Ok(()) }
    }

    /// The changes that take a broker, just back in service, out of the leadership of what is in
    /// directories that it has not registered.
    pub(crate) fn leave_missing_directories(&self, id: BrokerId) -> Vec<MetadataRecord> {
        let Some(broker) = self.broker(id) else { return Vec::new() };
        self.change_partitions(self.broker_partitions.seats(id), |partition, change| {
            let is_missing = !broker.has_online_dir(partition.directory_of(id));
            let leads = partition.leader == Some(id) && is_missing;
            leads.then(|| change.without(id))
        })
    }
}
