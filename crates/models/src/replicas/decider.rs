//! The real controller, asked for one decision at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use config::{BrokerConfig, Overrides};
use controller::{Controller, ControllerResult};
use metadata::{BrokerEpoch, MetadataRecord, MetadataVersion, PartitionImage, Provenance};
use protocol::messages::alter_partition_request::{
    AlterPartitionRequest, BrokerState, PartitionData, TopicData,
};
use protocol::messages::broker_registration_request::{BrokerRegistrationRequest, Feature};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};
use replication::{IsrOutcome, IsrProposal, PartitionState};
use types::{BrokerId, ErrorCode, LeaderEpoch, MonoTime, PartitionEpoch, Uuid, WallTime};

use crate::replicas::BROKERS;

const CLUSTER: Uuid = Uuid([9; 16]);

/// What the controller has committed of the partition and its brokers; everything that a decision
/// depends on, and nothing else, so that equal worlds are found equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Metadata {
    pub leader: Option<BrokerId>,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
    pub recovering: bool,
    isr: Members,
    elr: Members,
    last_known: Members,
    brokers: [Seat; BROKERS],
}

/// In their order, then `None`s.
type Members = [Option<BrokerId>; BROKERS];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Seat {
    /// How many times it has registered.
    life: u8,
    fenced: bool,
}

/// What somebody asks of the controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    Fence(usize),
    Unfence(usize),
    /// A process starts. `cleanly`: the one before said good-bye.
    Register {
        broker: usize,
        cleanly: bool,
    },
    Alter {
        leader: usize,
        life: u8,
        proposal: IsrProposal,
    },
    /// Leadership goes back to the first replica.
    Balance,
}

/// What becomes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub after: Metadata,
    /// Of [`Command::Alter`].
    pub outcome: Option<IsrOutcome>,
}

impl Metadata {
    pub fn isr(&self) -> impl Iterator<Item = BrokerId> + '_ {
        self.isr.iter().flatten().copied()
    }

    pub fn elr(&self) -> impl Iterator<Item = BrokerId> + '_ {
        self.elr.iter().flatten().copied()
    }

    pub fn is_fenced(&self, broker: usize) -> bool {
        self.brokers[broker].fenced
    }

    /// How the machines name a life of a broker.
    pub fn epoch_of(&self, broker: BrokerId) -> BrokerEpoch {
        life_epoch(broker.0 as usize, self.brokers[broker.0 as usize].life)
    }

    pub fn partition_state(&self) -> PartitionState {
        PartitionState {
            leader: self.leader,
            leader_epoch: LeaderEpoch(self.leader_epoch),
            partition_epoch: PartitionEpoch(self.partition_epoch),
            replicas: (0..BROKERS as i32).map(BrokerId).collect(),
            isr: self.isr().collect(),
            recovering: self.recovering,
        }
    }
}

pub fn life_epoch(broker: usize, life: u8) -> BrokerEpoch {
    BrokerEpoch(100 * (broker as i64 + 1) + i64::from(life))
}

/// Decides with a controller that has lived through a history which led to the metadata given, and
/// remembers what it decided.
#[derive(Debug)]
pub struct Decider {
    topic: Uuid,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    controllers: HashMap<Metadata, Arc<Host>>,
    decisions: HashMap<(Metadata, Command), Decision>,
}

#[derive(Clone, Debug)]
struct Host {
    controller: Controller,
    lives: [u8; BROKERS],
}

impl Decider {
    /// Also says what the metadata is when all replicas are in sync and in service.
    pub fn new(min_insync_replicas: usize) -> (Decider, Metadata) {
        let mut host = Host::new();
        (0..BROKERS).for_each(|broker| {
            host.register(broker, false);
            host.unfence(broker);
        });
        let topic = host.create_topic(min_insync_replicas);
        let first = host.metadata(topic);
        let decider = Decider { topic, known: Mutex::default() };
        decider.lock().controllers.insert(first, Arc::new(host));
        (decider, first)
    }

    /// The metadata after the first replica was out of service for a while.
    pub fn second_leads(&self, first: Metadata) -> Metadata {
        let fenced = self.decide(&first, Command::Fence(0)).after;
        let back = self.decide(&fenced, Command::Unfence(0)).after;
        let isr = (0..BROKERS as i32).map(|id| (BrokerId(id), back.epoch_of(BrokerId(id))));
        let proposal = IsrProposal {
            leader_epoch: LeaderEpoch(back.leader_epoch),
            partition_epoch: PartitionEpoch(back.partition_epoch),
            isr: isr.collect(),
        };
        let life = back.brokers[1].life;
        self.decide(&back, Command::Alter { leader: 1, life, proposal }).after
    }

    pub fn decide(&self, metadata: &Metadata, command: Command) -> Decision {
        let key = (*metadata, command);
        let host = {
            let known = self.lock();
            if let Some(decision) = known.decisions.get(&key) {
                return decision.clone();
            }
            Arc::clone(known.controllers.get(metadata).expect("metadata that a decision led to"))
        };
        let mut host = Host::clone(&host);
        let outcome = host.run(self.topic, metadata, &key.1);
        let decision = Decision { after: host.metadata(self.topic), outcome };
        let mut known = self.lock();
        known.controllers.entry(decision.after).or_insert_with(|| Arc::new(host));
        known.decisions.insert(key, decision.clone());
        decision
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    fn new() -> Host {
        // No broker lives in the controller's process.
        let properties = Overrides::from([("node.id".to_owned(), "1000".to_owned())]);
        let config = BrokerConfig::from_properties(&properties).expect("valid properties");
        let controller = Controller::new(Arc::new(config), CLUSTER);
        let mut host = Host { controller, lives: [0; BROKERS] };
        host.commit(host.controller.activate(MetadataVersion::LATEST));
        host.controller.handle_reign_started(MonoTime(1));
        let update = FeatureUpdateKey {
            feature: "eligible.leader.replicas.version".into(),
            max_version_level: 1,
            upgrade_type: 1,
            ..FeatureUpdateKey::default()
        };
        let request = UpdateFeaturesRequest { feature_updates: vec![update], ..Default::default() };
        host.commit(host.controller.update_features(&request));
        host
    }

    fn create_topic(&mut self, min_insync_replicas: usize) -> Uuid {
        let assignment = CreatableReplicaAssignment {
            partition_index: 0,
            broker_ids: (0..BROKERS as i32).collect(),
        };
        let min_isr = CreatableTopicConfig {
            name: "min.insync.replicas".into(),
            value: Some(min_insync_replicas.to_string().into()),
        };
        let topic = CreatableTopic {
            name: "t".into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: vec![assignment],
            configs: vec![min_isr],
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        let result = self.controller.create_topics(&request, &mut || Uuid::from_random([7; 16]));
        self.commit(result).topics[0].topic_id
    }

    fn commit<R>(&mut self, result: ControllerResult<R>) -> R {
        for batch in self.controller.encode(&result).expect("records can be written") {
            let records: Vec<MetadataRecord> = batch
                .into_iter()
                .map(|bytes| MetadataRecord::decode(bytes).expect("records can be read"))
                .collect();
            let before = self.controller.image().provenance.last_offset;
            let last_offset = before.plus(records.len() as i64);
            let at = Provenance { last_offset, epoch: 1, appended_at: WallTime(1) };
            self.controller.replay(at, &records).expect("a decision can be replayed");
        }
        result.reply
    }

    fn epoch(&self, broker: usize) -> BrokerEpoch {
        let image = self.controller.image();
        let known = image.cluster.broker(BrokerId(broker as i32));
        known.map_or(BrokerEpoch::NONE, |known| known.epoch)
    }

    fn run(&mut self, topic: Uuid, metadata: &Metadata, command: &Command) -> Option<IsrOutcome> {
        match command {
            Command::Fence(broker) => {
                let id = BrokerId(*broker as i32);
                let fenced = self.controller.fence_broker(id, self.epoch(*broker));
                self.commit(fenced).expect("a registered broker");
            }
            Command::Unfence(broker) => self.unfence(*broker),
            Command::Register { broker, cleanly } => self.register(*broker, *cleanly),
            Command::Alter { leader, life, proposal } => {
                return Some(self.alter(topic, metadata, *leader, *life, proposal));
            }
            Command::Balance => {
                self.commit(self.controller.balance_leaders());
            }
        }
        None
    }

    fn unfence(&mut self, broker: usize) {
        let unfenced = self.controller.unfence_broker(BrokerId(broker as i32), self.epoch(broker));
        self.commit(unfenced).expect("a registered broker");
    }

    fn register(&mut self, broker: usize, cleanly: bool) {
        let feature = |name: &str, min: i16, max: i16| Feature {
            name: name.into(),
            min_supported_version: min,
            max_supported_version: max,
        };
        self.lives[broker] += 1;
        let known = self.epoch(broker);
        // The session of the life before is over: who it was is not what is tried here.
        self.controller.handle_reign_ended();
        let request = BrokerRegistrationRequest {
            broker_id: broker as i32,
            cluster_id: CLUSTER.to_string().into(),
            incarnation_id: Uuid([self.lives[broker]; 16]),
            features: vec![
                feature("metadata.version", MetadataVersion::MIN.0, MetadataVersion::LATEST.0),
                feature("eligible.leader.replicas.version", 0, 1),
            ],
            log_dirs: vec![Uuid::from_random([100 + broker as u8; 16])],
            previous_broker_epoch: if cleanly { known.0 } else { BrokerEpoch::NONE.0 },
            ..BrokerRegistrationRequest::default()
        };
        let registered = self.controller.register_broker(&request);
        self.commit(registered).expect("nobody else with this id is alive");
    }

    /// The epoch of a broker in this history, by that of its life.
    fn real_epoch(&self, metadata: &Metadata, broker: BrokerId, epoch: BrokerEpoch) -> BrokerEpoch {
        let present = metadata.epoch_of(broker);
        match epoch {
            BrokerEpoch::NONE => epoch,
            _ if epoch == present => self.epoch(broker.0 as usize),
            // Of an earlier life: no broker was ever registered at the first offset.
            _ => BrokerEpoch(0),
        }
    }

    fn alter(
        &mut self,
        topic_id: Uuid,
        metadata: &Metadata,
        leader: usize,
        life: u8,
        proposal: &IsrProposal,
    ) -> IsrOutcome {
        let member = |(broker, epoch): &(BrokerId, BrokerEpoch)| BrokerState {
            broker_id: broker.0,
            broker_epoch: self.real_epoch(metadata, *broker, *epoch).0,
        };
        let asked = PartitionData {
            partition_index: 0,
            leader_epoch: proposal.leader_epoch.0,
            partition_epoch: proposal.partition_epoch.0,
            new_isr_with_epochs: proposal.isr.iter().map(member).collect(),
            ..PartitionData::default()
        };
        let id = BrokerId(leader as i32);
        let request = AlterPartitionRequest {
            broker_id: id.0,
            broker_epoch: self.real_epoch(metadata, id, life_epoch(leader, life)).0,
            topics: vec![TopicData { topic_id, partitions: vec![asked] }],
        };
        let reply = self.commit(self.controller.alter_partition(&request));
        let code = |code| ErrorCode::from_code(code).expect("a known code");
        if reply.error_code != 0 {
            return IsrOutcome::Refused(code(reply.error_code));
        }
        let partition = &reply.topics[0].partitions[0];
        match code(partition.error_code) {
            ErrorCode::None => IsrOutcome::Committed {
                leader_epoch: LeaderEpoch(partition.leader_epoch),
                partition_epoch: PartitionEpoch(partition.partition_epoch),
                isr: partition.isr.iter().map(|id| BrokerId(*id)).collect(),
            },
            code => IsrOutcome::Refused(code),
        }
    }

    fn metadata(&self, topic: Uuid) -> Metadata {
        let image = self.controller.image();
        let topic = image.topics.by_id(topic).expect("the topic");
        let partition: &PartitionImage = topic.partition(0).expect("its partition");
        let seat = |broker: usize| Seat {
            life: self.lives[broker],
            fenced: image
                .cluster
                .broker(BrokerId(broker as i32))
                .is_none_or(|known| !known.is_active()),
        };
        Metadata {
            leader: partition.leader,
            leader_epoch: partition.leader_epoch.0,
            partition_epoch: partition.partition_epoch,
            recovering: partition.recovering,
            isr: members(&partition.isr),
            elr: members(partition.elr()),
            last_known: members(partition.last_known_elr()),
            brokers: std::array::from_fn(seat),
        }
    }
}

fn members(brokers: &[BrokerId]) -> Members {
    std::array::from_fn(|at| brokers.get(at).copied())
}
