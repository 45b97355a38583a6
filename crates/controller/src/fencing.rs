//! Brokers come into service and fall out of it, and the partitions with them.

use metadata::{BrokerEpoch, MetadataRecord, PartitionImage};
use protocol::messages::unregister_broker_request::UnregisterBrokerRequest;
use protocol::messages::unregister_broker_response::UnregisterBrokerResponse;
use protocol::metadata_records::{BrokerRegistrationChangeRecord, UnregisterBrokerRecord};
use types::{BrokerId, ErrorCode};

use crate::broker_partitions::PartitionKey;
use crate::partition_change::PartitionChange;
use crate::topic_rules::TopicRules;
use crate::{ApiError, Controller, ControllerResult};

/// `fenced` in a change record.
const UNFENCED: i8 = -1;
const FENCED: i8 = 1;

impl Controller {
    /// Takes a broker out of service: out of every in-sync set that has another member, out of all
    /// leaderships, and hidden from clients; all or nothing. Fencing a broker that is fenced
    /// changes nothing.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH`: it has registered anew meanwhile, or is gone.
    ///
    /// Source: Kafka `ReplicationControlManager.handleBrokerFenced`.
    pub fn fence_broker(
        &self,
        id: BrokerId,
        epoch: BrokerEpoch,
    ) -> ControllerResult<Result<(), ApiError>> {
        match self.check_broker_epoch(id, epoch) {
            Err(error) => return ControllerResult::reply_only(Err(error)),
            Ok(broker) if broker.fenced => return ControllerResult::reply_only(Ok(())),
            Ok(_) => {}
        }
        let mut records = self.leave_partitions(id);
        records.push(fencing(id, epoch, FENCED));
        ControllerResult::atomic(records, Ok(()))
    }

    /// Puts a registered broker into service and lets it lead what has no leader, and nothing that
    /// is in a log directory it has not got.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH`.
    pub fn unfence_broker(
        &self,
        id: BrokerId,
        epoch: BrokerEpoch,
    ) -> ControllerResult<Result<(), ApiError>> {
        let broker = match self.check_broker_epoch(id, epoch) {
            Ok(broker) => broker,
            Err(error) => return ControllerResult::reply_only(Err(error)),
        };
        if !broker.fenced {
            return ControllerResult::reply_only(Ok(()));
        }
        let mut records = vec![fencing(id, epoch, UNFENCED)];
        records.extend(self.leave_missing_directories(id));
        records.extend(self.elect_leaderless(id));
        // Any prefix leaves a consistent cluster: a broker in service that leads less.
        ControllerResult { records, atomic: false, reply: Ok(()) }
    }

    /// Forgets a broker that will not come back. Replicas stay assigned to it until they are moved.
    ///
    /// # Errors
    /// In the answer: `BROKER_ID_NOT_REGISTERED`.
    ///
    /// Source: Kafka `ReplicationControlManager.unregisterBroker`.
    pub fn unregister_broker(
        &self,
        request: &UnregisterBrokerRequest,
    ) -> ControllerResult<UnregisterBrokerResponse> {
        let id = BrokerId(request.broker_id);
        let Some(broker) = self.broker(id) else {
            let message = format!("Broker ID {id} is not currently registered");
            return ControllerResult::reply_only(UnregisterBrokerResponse {
                error_code: ErrorCode::BrokerIdNotRegistered.code(),
                error_message: Some(message.into()),
                ..UnregisterBrokerResponse::default()
            });
        };
        let mut records = self.leave_partitions(id);
        let gone = UnregisterBrokerRecord { broker_id: id.0, broker_epoch: broker.epoch.0 };
        records.push(gone.into());
        let reply = UnregisterBrokerResponse { error_message: None, ..Default::default() };
        ControllerResult::atomic(records, reply)
    }

    /// The changes that take `broker` out of all leaderships and out of sync. It keeps what it has:
    /// an eligible leader stays one, and so does the last in-sync replica where eligible leaders
    /// are not kept account of.
    pub(crate) fn leave_partitions(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        self.change_partitions(self.broker_partitions.seats(broker), |partition, change| {
            let concerned = partition.isr.contains(&broker) || partition.leader == Some(broker);
            concerned.then(|| change.without(broker))
        })
    }

    /// The same for a broker that has stopped cleanly and starts again: what it alone holds waits
    /// for it as it is, in the same leader epoch.
    pub(crate) fn leave_to_others(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        self.change_partitions(self.broker_partitions.seats(broker), |partition, change| {
            let member = partition.isr.contains(&broker);
            let has_others = partition.isr.len() > 1 || !partition.elr().is_empty();
            (member && has_others).then(|| change.without(broker))
        })
    }

    /// The same for a broker that may have lost what it had: it is no eligible leader either.
    pub(crate) fn lose_seats(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        self.change_partitions(self.broker_partitions.seats(broker), |_, change| {
            Some(change.without(broker).having_lost(broker))
        })
    }

    /// The changes that give leaders to partitions which have none and for which `broker`, just
    /// back in service, can lead.
    pub(crate) fn elect_leaderless(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        self.change_partitions(self.broker_partitions.leaderless(), |partition, change| {
            partition.replicas.contains(&broker).then(|| change.arriving(broker))
        })
    }

    /// The records of the changes that `change` makes of some partitions.
    pub(crate) fn change_partitions<'a>(
        &'a self,
        keys: impl Iterator<Item = PartitionKey>,
        change: impl Fn(&PartitionImage, PartitionChange<'a>) -> Option<PartitionChange<'a>>,
    ) -> Vec<MetadataRecord> {
        self.change_some_partitions(keys, usize::MAX, change)
    }

    /// The same, up to `records_max` of them.
    pub(crate) fn change_some_partitions<'a>(
        &'a self,
        keys: impl Iterator<Item = PartitionKey>,
        records_max: usize,
        change: impl Fn(&PartitionImage, PartitionChange<'a>) -> Option<PartitionChange<'a>>,
    ) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        // Keys come in order: what is to be known of a topic is found once.
        let mut rules: Option<TopicRules> = None;
        for (topic_id, index) in keys {
            if records.len() >= records_max {
                break;
            }
            let Some(topic) = self.view().topics.by_id(topic_id) else { continue };
            let Some(partition) = topic.partition(index) else { continue };
            let rules = match rules {
                Some(known) if known.topic_id == topic_id => known,
                _ => *rules.insert(self.topic_rules(topic)),
            };
            let change_of = PartitionChange::new(self, rules, index, partition);
            let record = change(partition, change_of).and_then(PartitionChange::build);
            records.extend(record.map(MetadataRecord::from));
        }
        records
    }
}

fn fencing(id: BrokerId, epoch: BrokerEpoch, fenced: i8) -> MetadataRecord {
    let change = BrokerRegistrationChangeRecord {
        broker_id: id.0,
        broker_epoch: epoch.0,
        fenced,
        ..BrokerRegistrationChangeRecord::default()
    };
    change.into()
}
