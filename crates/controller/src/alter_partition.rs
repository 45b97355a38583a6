use std::collections::BTreeSet;

use metadata::{
    BrokerEpoch, MetadataRecord, NO_LEADER, PartitionImage, RECOVERED, RECOVERING, TopicImage,
};
use protocol::messages::alter_partition_request::{
    AlterPartitionRequest, BrokerState, PartitionData as Asked,
};
use protocol::messages::alter_partition_response::{
    AlterPartitionResponse, PartitionData, TopicData,
};
use protocol::metadata_records::PartitionChangeRecord;
use types::{BrokerId, ErrorCode, Uuid};

use crate::partition_change::PartitionChange;
use crate::topic_rules::TopicRules;
use crate::{Controller, ControllerResult};

impl Controller {
    /// Takes a leader's word for who is in sync, as far as it is the leader and they may be. Each
    /// partition for itself.
    ///
    /// A set that stays as it is gets a record as well: whatever the leader asked for earlier, at
    /// the same partition epoch, is void from there on.
    ///
    /// If the change completes a reassignment and thereby moves the leadership, it is made, and the
    /// answer is `NEW_LEADER_ELECTED`: the one that asked has nothing more to say.
    ///
    /// # Errors
    /// In the answer. For all: `STALE_BROKER_EPOCH`. For a partition, in this order:
    /// - `UNKNOWN_TOPIC_ID`, `UNKNOWN_TOPIC_OR_PARTITION`
    /// - `NOT_CONTROLLER`: the leader has seen an epoch that is not here yet, so this controller
    ///   has been left behind
    /// - `FENCED_LEADER_EPOCH`, `INVALID_REQUEST` (not the leader), `INVALID_UPDATE_VERSION`: the
    ///   leader has been left behind
    /// - `INVALID_REQUEST`: the in-sync set is none
    /// - `INELIGIBLE_REPLICA`: a member is out of service, or no more who the leader thinks
    ///
    /// Source: Kafka `ReplicationControlManager.alterPartition`; KIP-497, 704, 841, 903.
    pub fn alter_partition(
        &self,
        request: &AlterPartitionRequest,
    ) -> ControllerResult<AlterPartitionResponse> {
        let leader = BrokerId(request.broker_id);
        let mut reply = AlterPartitionResponse::default();
        if let Err(error) = self.check_broker_epoch(leader, BrokerEpoch(request.broker_epoch)) {
            reply.error_code = error.code.code();
            return ControllerResult::reply_only(reply);
        }
        let mut records = Vec::new();
        let mut altered_before = BTreeSet::new();
        for asked in &request.topics {
            let topic = self.view().topics.by_id(asked.topic_id);
            let topic = topic.map(|topic| (topic, self.topic_rules(topic)));
            let topic_id = asked.topic_id;
            let partitions = asked.partitions.iter().map(|asked| {
                let (topic, rules) = topic.ok_or(ErrorCode::UnknownTopicId)?;
                // Said twice: the second word was spoken of the state before the first.
                match altered_before.insert((topic_id, asked.partition_index)) {
                    true => self.alter_isr(leader, topic, rules, asked, &mut records),
                    false => Err(ErrorCode::InvalidUpdateVersion),
                }
            });
            let partitions: Vec<Result<_, ErrorCode>> = partitions.collect();
            let answers = asked.partitions.iter().zip(partitions);
            let answers = answers.map(|(asked, altered)| answer(asked.partition_index, &altered));
            reply
                .topics
                .push(TopicData { topic_id: asked.topic_id, partitions: answers.collect() });
        }
        ControllerResult { records, atomic: false, reply }
    }

    /// The partition as it will be.
    fn alter_isr(
        &self,
        leader: BrokerId,
        topic: &TopicImage,
        rules: TopicRules,
        asked: &Asked,
        records: &mut Vec<MetadataRecord>,
    ) -> Result<PartitionImage, ErrorCode> {
        let partition = topic.partition(asked.partition_index);
        let partition = partition.ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let isr = members(asked);
        self.check_isr(leader, partition, asked, &isr)?;
        let change = PartitionChange::new(self, rules, asked.partition_index, partition);
        let change = change.recovered(asked.leader_recovery_state == RECOVERED);
        let change = change.isr(isr.iter().map(|member| BrokerId(member.broker_id)).collect());
        let record = change.build().unwrap_or_else(|| unchanged(topic.id, asked, partition));
        let altered = partition.changed(&record);
        records.push(record.into());
        match altered.leader == Some(leader) {
            true => Ok(altered),
            false => Err(ErrorCode::NewLeaderElected),
        }
    }

    fn check_isr(
        &self,
        leader: BrokerId,
        partition: &PartitionImage,
        asked: &Asked,
        isr: &[BrokerState],
    ) -> Result<(), ErrorCode> {
        let here = (partition.leader_epoch.0, partition.partition_epoch);
        if asked.leader_epoch > here.0 || asked.partition_epoch > here.1 {
            return Err(ErrorCode::NotController);
        }
        if asked.leader_epoch < here.0 {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if partition.leader != Some(leader) {
            return Err(ErrorCode::InvalidRequest);
        }
        if asked.partition_epoch < here.1 {
            return Err(ErrorCode::InvalidUpdateVersion);
        }
        let distinct: BTreeSet<i32> = isr.iter().map(|member| member.broker_id).collect();
        let is_valid = distinct.len() == isr.len()
            && distinct.contains(&leader.0)
            && distinct.iter().all(|member| partition.replicas.contains(&BrokerId(*member)));
        let recovery = asked.leader_recovery_state;
        let may_recover = match recovery {
            RECOVERED => true,
            RECOVERING => partition.recovering && isr.len() == 1,
            _ => false,
        };
        if !is_valid || !may_recover {
            return Err(ErrorCode::InvalidRequest);
        }
        match isr.iter().all(|member| self.may_be_in_sync(member)) {
            true => Ok(()),
            false => Err(ErrorCode::IneligibleReplica),
        }
    }

    /// Whether the replica's broker is in service, and the one that the leader has seen fetch. -1
    /// stands for an epoch that the leader cannot name.
    fn may_be_in_sync(&self, member: &BrokerState) -> bool {
        let broker = self.broker(BrokerId(member.broker_id)).filter(|broker| broker.is_active());
        let epoch = BrokerEpoch(member.broker_epoch);
        broker.is_some_and(|broker| epoch == BrokerEpoch::NONE || broker.epoch == epoch)
    }
}

/// The set that is committed, committed again: the partition epoch is raised, so that an earlier
/// attempt of the leader that is on its way yet comes too late (ADR 11).
fn unchanged(topic_id: Uuid, asked: &Asked, partition: &PartitionImage) -> PartitionChangeRecord {
    PartitionChangeRecord {
        partition_id: asked.partition_index,
        topic_id,
        isr: Some(partition.isr.iter().map(|member| member.0).collect()),
        ..PartitionChangeRecord::default()
    }
}

/// Before v3 a leader could not name epochs.
fn members(asked: &Asked) -> Vec<BrokerState> {
    let unnamed = asked.new_isr.iter().map(|&broker_id| {
        let broker_epoch = BrokerEpoch::NONE.0;
        BrokerState { broker_id, broker_epoch }
    });
    asked.new_isr_with_epochs.iter().cloned().chain(unnamed).collect()
}

fn answer(partition_index: i32, altered: &Result<PartitionImage, ErrorCode>) -> PartitionData {
    match altered {
        Ok(partition) => PartitionData {
            partition_index,
            error_code: ErrorCode::None.code(),
            leader_id: partition.leader.map_or(NO_LEADER, |leader| leader.0),
            leader_epoch: partition.leader_epoch.0,
            isr: partition.isr.iter().map(|member| member.0).collect(),
            leader_recovery_state: i8::from(partition.recovering),
            partition_epoch: partition.partition_epoch,
        },
        Err(error) => {
            PartitionData { partition_index, error_code: error.code(), ..Default::default() }
        }
    }
}
