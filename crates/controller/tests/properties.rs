//! Whatever is asked for in whatever order, the cluster that comes of it makes sense.

use std::collections::BTreeSet;
use std::sync::Arc;

use config::{BrokerConfig, Overrides};
use controller::{Controller, ControllerResult};
use metadata::{BrokerEpoch, MetadataImage, MetadataRecord, MetadataVersion, Provenance};
use proptest::prelude::*;
use protocol::messages::allocate_producer_ids_request::AllocateProducerIdsRequest;
use protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use protocol::messages::alter_partition_request::{
    AlterPartitionRequest, BrokerState, PartitionData, TopicData,
};
use protocol::messages::broker_registration_request::{
    BrokerRegistrationRequest, Feature, Listener,
};
use protocol::messages::create_partitions_request::{
    CreatePartitionsRequest, CreatePartitionsTopic,
};
use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::delete_topics_request::DeleteTopicsRequest;
use protocol::messages::elect_leaders_request::ElectLeadersRequest;
use protocol::messages::unregister_broker_request::UnregisterBrokerRequest;
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};
use types::{BrokerId, Uuid, WallTime};

const CLUSTER: Uuid = Uuid([9; 16]);

#[derive(Clone, Debug)]
enum Command {
    Create { names: Vec<&'static str>, partitions: i32, replicas: i16 },
    Delete { name: &'static str },
    Grow { name: &'static str, count: i32 },
    Register { broker: i32, start: u8, clean: bool },
    Unfence { broker: i32 },
    Fence { broker: i32 },
    Reassign { name: &'static str, replicas: Option<Vec<i32>> },
    Elect { election_type: i8 },
    ProducerIds { broker: i32 },
    InSync { brokers: Vec<i32> },
    Unregister { broker: i32 },
    Balance,
    EligibleLeaders { level: i16 },
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c.d", "c_d", "bad/name"])
}

fn command() -> impl Strategy<Value = Command> {
    let broker = || 1i32..4;
    prop_oneof![
        4 => (prop::collection::vec(name(), 1..3), -2i32..4, -2i16..4)
            .prop_map(|(names, partitions, replicas)| {
                Command::Create { names, partitions, replicas }
            }),
        2 => name().prop_map(|name| Command::Delete { name }),
        2 => (name(), 0i32..7).prop_map(|(name, count)| Command::Grow { name, count }),
        3 => (broker(), 0u8..3, any::<bool>())
            .prop_map(|(broker, start, clean)| Command::Register { broker, start, clean }),
        4 => broker().prop_map(|broker| Command::Unfence { broker }),
        1 => broker().prop_map(|broker| Command::Fence { broker }),
        2 => (name(), prop::option::of(prop::collection::vec(broker(), 1..3)))
            .prop_map(|(name, replicas)| Command::Reassign { name, replicas }),
        2 => (0i8..2).prop_map(|election_type| Command::Elect { election_type }),
        1 => broker().prop_map(|broker| Command::ProducerIds { broker }),
        4 => prop::collection::vec(broker(), 1..4).prop_map(|brokers| Command::InSync { brokers }),
        1 => broker().prop_map(|broker| Command::Unregister { broker }),
        1 => Just(Command::Balance),
        1 => (0i16..2).prop_map(|level| Command::EligibleLeaders { level }),
    ]
}

struct Node {
    controller: Controller,
    ids: u64,
    /// First ids of the blocks handed out.
    blocks: BTreeSet<i64>,
}

impl Node {
    fn new() -> Node {
        let properties = Overrides::from([("node.id".to_owned(), "1".to_owned())]);
        let config = BrokerConfig::from_properties(&properties).expect("valid");
        let controller = Controller::new(Arc::new(config), CLUSTER);
        let mut node = Node { controller, ids: 1, blocks: BTreeSet::new() };
        let fresh = node.controller.activate(MetadataVersion::LATEST);
        node.commit(fresh);
        node
    }

    fn commit<R>(&mut self, result: ControllerResult<R>) -> R {
        for batch in self.controller.encode(&result).expect("records can be written") {
            let records = batch.into_iter().map(MetadataRecord::decode);
            self.append(&records.collect::<Result<Vec<_>, _>>().expect("records can be read"));
        }
        result.reply
    }

    fn append(&mut self, records: &[MetadataRecord]) {
        let last_offset = self.controller.image().provenance.last_offset.plus(records.len() as i64);
        let at = Provenance { last_offset, epoch: 1, appended_at: WallTime(1) };
        self.controller.replay(at, records).expect("a decision can be replayed");
    }

    /// Carries a command out and says what was answered.
    fn run(&mut self, command: &Command) -> String {
        match command {
            Command::Create { names, partitions, replicas } => {
                self.create(names, *partitions, *replicas)
            }
            Command::Delete { name } => {
                let topic_names = vec![(*name).into()];
                let request = DeleteTopicsRequest { topic_names, ..Default::default() };
                let result = self.controller.delete_topics(&request);
                format!("{:?}", self.commit(result))
            }
            Command::Grow { name, count } => {
                let topic = CreatePartitionsTopic {
                    name: (*name).into(),
                    count: *count,
                    assignments: None,
                };
                let request = CreatePartitionsRequest { topics: vec![topic], ..Default::default() };
                let result = self.controller.create_partitions(&request);
                format!("{:?}", self.commit(result))
            }
            Command::Register { broker, start, clean } => self.register(*broker, *start, *clean),
            Command::Unfence { broker } => {
                let result = self.controller.unfence_broker(BrokerId(*broker), self.epoch(*broker));
                format!("{:?}", self.commit(result))
            }
            Command::Fence { broker } => self.fence(*broker),
            Command::Reassign { name, replicas } => self.reassign(name, replicas),
            Command::Elect { election_type } => {
                let request = ElectLeadersRequest {
                    election_type: *election_type,
                    topic_partitions: None,
                    ..Default::default()
                };
                let result = self.controller.elect_leaders(&request);
                format!("{:?}", self.commit(result))
            }
            Command::ProducerIds { broker } => self.producer_ids(*broker),
            Command::InSync { brokers } => self.in_sync(brokers),
            Command::Unregister { broker } => self.unregister(*broker),
            Command::Balance => {
                let result = self.controller.balance_leaders();
                format!("{:?}", self.commit(result))
            }
            Command::EligibleLeaders { level } => self.eligible_leaders(*level),
        }
    }

    fn create(&mut self, names: &[&str], partitions: i32, replicas: i16) -> String {
        let topic = |name: &&str| CreatableTopic {
            name: (*name).into(),
            num_partitions: partitions,
            replication_factor: replicas,
            ..Default::default()
        };
        let topics = names.iter().map(topic).collect();
        let request = CreateTopicsRequest { topics, ..Default::default() };
        let mut next = self.ids;
        let mut ids = || {
            next += 1;
            scattered_id(next)
        };
        let result = self.controller.create_topics(&request, &mut ids);
        self.ids = next;
        let reply = self.commit(result);
        let image = self.controller.image();
        for topic in reply.topics.iter().filter(|topic| topic.error_code == 0) {
            let created = image.topics.by_name(&topic.name).expect("told that it exists");
            assert_eq!(created.id, topic.topic_id);
            assert_eq!(created.partition_count(), topic.num_partitions);
            assert_eq!(created.replication_factor(), topic.replication_factor);
        }
        format!("{reply:?}")
    }

    fn reassign(&mut self, name: &str, replicas: &Option<Vec<i32>>) -> String {
        let partition = ReassignablePartition { partition_index: 0, replicas: replicas.clone() };
        let topic = ReassignableTopic { name: name.into(), partitions: vec![partition] };
        let request =
            AlterPartitionReassignmentsRequest { topics: vec![topic], ..Default::default() };
        let result = self.controller.alter_partition_reassignments(&request);
        format!("{:?}", self.commit(result))
    }

    fn producer_ids(&mut self, broker: i32) -> String {
        let broker_epoch = self.epoch(broker).0;
        let request = AllocateProducerIdsRequest { broker_id: broker, broker_epoch };
        let result = self.controller.allocate_producer_ids(&request);
        let reply = self.commit(result);
        if reply.error_code == 0 {
            assert!(self.blocks.insert(reply.producer_id_start), "a block was given twice");
            assert_eq!(reply.producer_id_start % i64::from(reply.producer_id_len), 0);
        }
        format!("{reply:?}")
    }

    fn register(&mut self, broker: i32, start: u8, clean: bool) -> String {
        let feature = |name: &str, min_supported_version, max_supported_version| Feature {
            name: name.into(),
            min_supported_version,
            max_supported_version,
        };
        let version =
            feature("metadata.version", MetadataVersion::MIN.0, MetadataVersion::LATEST.0);
        let eligible_leaders = feature("eligible.leader.replicas.version", 0, 1);
        let request = BrokerRegistrationRequest {
            broker_id: broker,
            cluster_id: CLUSTER.to_string().into(),
            incarnation_id: Uuid([start + 1; 16]),
            listeners: vec![Listener::default()],
            features: vec![version, eligible_leaders],
            rack: (broker == 3).then(|| "r".into()),
            log_dirs: vec![Uuid([broker as u8; 16])],
            previous_broker_epoch: if clean { self.epoch(broker).0 } else { -1 },
            ..Default::default()
        };
        let result = self.controller.register_broker(&request);
        let before = self.epoch(broker);
        let reply = self.commit(result);
        assert!(reply.as_ref().is_ok_and(|epoch| *epoch >= before), "epochs of a broker grow");
        format!("{reply:?}")
    }

    fn fence(&mut self, broker: i32) -> String {
        let result = self.controller.fence_broker(BrokerId(broker), self.epoch(broker));
        format!("{:?}", self.commit(result))
    }

    /// The leader of each partition says that these brokers are in sync, as far as they may be.
    fn in_sync(&mut self, brokers: &[i32]) -> String {
        let image = self.controller.image();
        let mut answers = String::new();
        for topic in image.topics.iter() {
            for (partition_index, partition) in topic.partitions() {
                let Some(leader) = partition.leader else { continue };
                let member = |&broker_id: &i32| BrokerState {
                    broker_id,
                    broker_epoch: self.epoch(broker_id).0,
                };
                let asked = PartitionData {
                    partition_index,
                    leader_epoch: partition.leader_epoch.0,
                    partition_epoch: partition.partition_epoch,
                    new_isr_with_epochs: brokers.iter().map(member).collect(),
                    ..PartitionData::default()
                };
                let topic = TopicData { topic_id: topic.id, partitions: vec![asked] };
                let request = AlterPartitionRequest {
                    broker_id: leader.0,
                    broker_epoch: self.epoch(leader.0).0,
                    topics: vec![topic],
                };
                let result = self.controller.alter_partition(&request);
                answers.push_str(&format!("{:?}", self.commit(result)));
            }
        }
        answers
    }

    fn eligible_leaders(&mut self, level: i16) -> String {
        let update = FeatureUpdateKey {
            feature: "eligible.leader.replicas.version".into(),
            max_version_level: level,
            upgrade_type: 2 - level as i8,
            ..FeatureUpdateKey::default()
        };
        let request = UpdateFeaturesRequest { feature_updates: vec![update], ..Default::default() };
        let result = self.controller.update_features(&request);
        format!("{:?}", self.commit(result))
    }

    fn unregister(&mut self, broker: i32) -> String {
        let request = UnregisterBrokerRequest { broker_id: broker };
        let result = self.controller.unregister_broker(&request);
        format!("{:?}", self.commit(result))
    }

    fn epoch(&self, broker: i32) -> BrokerEpoch {
        let image = self.controller.image();
        image.cluster.broker(BrokerId(broker)).map_or(BrokerEpoch::NONE, |broker| broker.epoch)
    }
}

/// Ids that look random and are the same in every run.
fn scattered_id(number: u64) -> Uuid {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    Uuid::from_random(u128::from(number).wrapping_mul(ODD).to_be_bytes())
}

fn check(image: &MetadataImage) {
    let mut unified = BTreeSet::new();
    for topic in image.topics.iter() {
        assert!(controller::validate_topic_name(&topic.name).is_ok());
        assert!(unified.insert(topic.name.replace('.', "_")), "{} collides", topic.name);
        assert!(topic.partition_count() > 0, "{} has no partitions", topic.name);
        for (index, partition) in topic.partitions() {
            let what = format!("{}-{index}: {partition:?}", topic.name);
            let distinct: BTreeSet<_> = partition.replicas.iter().collect();
            assert_eq!(distinct.len(), partition.replicas.len(), "{what}");
            let eligible = partition.elr().iter().chain(partition.last_known_elr());
            assert!(partition.isr.iter().chain(eligible).next().is_some(), "{what}");
            assert!(partition.isr.iter().all(|m| !partition.elr().contains(m)), "{what}");
            // The last one may be on its way back from a clean stop.
            let alone = partition.isr.len() < 2;
            assert!(
                alone || partition.isr.iter().all(|m| image.cluster.is_active(*m)),
                "who is out of service is out of sync: {what}"
            );
            assert!(partition.isr.iter().all(|member| distinct.contains(member)), "{what}");
            assert!(
                partition.leader.is_none_or(|leader| partition.isr.contains(&leader)),
                "{what}"
            );
            assert_eq!(partition.directories.len(), partition.replicas.len(), "{what}");
            assert!(partition.leader_epoch.0 <= partition.partition_epoch, "{what}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_history_leaves_a_cluster_that_makes_sense(
        commands in prop::collection::vec(command(), 0..60),
    ) {
        let (mut node, mut twin) = (Node::new(), Node::new());
        for command in &commands {
            let answer = node.run(command);
            check(&node.controller.image());
            prop_assert_eq!(answer, twin.run(command), "equal images decide alike");
        }
        prop_assert_eq!(node.controller.image(), twin.controller.image());
    }

    #[test]
    fn leader_epochs_never_fall(commands in prop::collection::vec(command(), 0..60)) {
        let mut node = Node::new();
        for command in &commands {
            let before = node.controller.image();
            node.run(command);
            let after = node.controller.image();
            for topic in before.topics.iter() {
                let Some(then) = after.topics.by_id(topic.id) else { continue };
                for (index, partition) in topic.partitions() {
                    let next = then.partition(index).expect("partitions never go");
                    prop_assert!(next.leader_epoch >= partition.leader_epoch);
                    let moved = next.leader != partition.leader;
                    prop_assert!(!moved || next.leader_epoch > partition.leader_epoch);
                }
            }
        }
    }
}
