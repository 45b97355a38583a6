//! A controller with the log that it writes, and brokers that say what a test wants.

use std::sync::Arc;
use std::time::Duration;

use config::{BrokerConfig, Overrides};
use controller::{ApiError, Controller, ControllerResult};
use metadata::{
    BrokerEpoch, MetadataImage, MetadataRecord, MetadataVersion, PartitionImage, Provenance,
};
use protocol::messages::alter_partition_request::{
    AlterPartitionRequest, BrokerState, PartitionData, TopicData,
};
use protocol::messages::broker_heartbeat_request::BrokerHeartbeatRequest;
use protocol::messages::broker_registration_request::{BrokerRegistrationRequest, Feature};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use types::{BrokerId, ErrorCode, MonoTime, Offset, Uuid, WallTime};

const CLUSTER: Uuid = Uuid([9; 16]);
/// How often the host of a controller looks at the clock.
pub const LOOK: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub struct Cluster {
    pub controller: Controller,
    pub now: MonoTime,
    /// Everything committed.
    pub log: Vec<(Provenance, Vec<MetadataRecord>)>,
    drawn: u64,
}

impl Cluster {
    pub fn new() -> Cluster {
        Cluster::at_level(MetadataVersion::LATEST)
    }

    pub fn at_level(level: MetadataVersion) -> Cluster {
        let now = MonoTime(1_000_000_000_000);
        let mut cluster = Cluster { controller: controller(), now, log: Vec::new(), drawn: 0 };
        cluster.commit(cluster.controller.activate(level));
        cluster.controller.handle_reign_started(now);
        cluster
    }

    /// Registers brokers `0..count` and puts them into service.
    pub fn with_brokers(count: i32) -> Cluster {
        Cluster::new().and_brokers(count)
    }

    pub fn and_brokers(mut self, count: i32) -> Cluster {
        for id in 0..count {
            self.register(id, 1, None).expect("a first registration");
            self.beat(id);
        }
        self
    }

    pub fn image(&self) -> Arc<MetadataImage> {
        self.controller.image()
    }

    pub fn commit<R>(&mut self, result: ControllerResult<R>) -> R {
        for batch in self.batches(&result) {
            self.append(batch);
        }
        result.reply
    }

    /// The batches of a decision, through their bytes.
    pub fn batches<R>(&self, result: &ControllerResult<R>) -> Vec<Vec<MetadataRecord>> {
        let batches = self.controller.encode(result).expect("records can be written").into_iter();
        let decode = |batch: Vec<_>| {
            let records = batch.into_iter().map(MetadataRecord::decode);
            records.collect::<Result<_, _>>().expect("records can be read")
        };
        batches.map(decode).collect()
    }

    pub fn append(&mut self, records: Vec<MetadataRecord>) {
        let last = self.log.last().map_or(Offset::NONE, |(at, _)| at.last_offset);
        let last_offset = last.plus(records.len() as i64);
        let at = Provenance { last_offset, epoch: 1, appended_at: WallTime(1) };
        self.controller.replay(at, &records).expect("a decision can be replayed");
        self.log.push((at, records));
    }

    /// Another node takes over: what was committed is what it knows.
    pub fn fail_over(&mut self) {
        self.controller = controller();
        for (at, records) in &self.log {
            self.controller.replay(*at, records).expect("the log can be replayed");
        }
        self.commit(self.controller.activate(MetadataVersion::LATEST));
        self.controller.handle_reign_started(self.now);
    }

    pub fn epoch(&self, id: i32) -> BrokerEpoch {
        let image = self.image();
        image.cluster.broker(BrokerId(id)).map_or(BrokerEpoch::NONE, |broker| broker.epoch)
    }

    /// `previous` is what a broker that stopped cleanly knows of its last epoch.
    pub fn register(
        &mut self,
        id: i32,
        life: u8,
        previous: Option<BrokerEpoch>,
    ) -> Result<BrokerEpoch, ApiError> {
        let request = registration(id, life, previous);
        let result = self.controller.register_broker(&request);
        self.commit(result)
    }

    /// A heartbeat of a broker that has applied everything.
    pub fn beat(&mut self, id: i32) {
        let request = BrokerHeartbeatRequest {
            broker_id: id,
            broker_epoch: self.epoch(id).0,
            current_metadata_offset: self.image().provenance.last_offset.0,
            ..BrokerHeartbeatRequest::default()
        };
        self.controller.handle_broker_heartbeat(&request, self.now);
        let reply = self.commit(self.controller.broker_heartbeat(&request));
        assert_eq!(reply.error_code, 0);
    }

    /// Looks for silent brokers and fences them; who they were.
    pub fn fence_stale(&mut self) -> Vec<i32> {
        let mut fenced = Vec::new();
        while let Some((id, epoch)) = self.controller.poll_stale_broker(self.now) {
            let result = self.controller.fence_broker(id, epoch);
            self.commit(result).expect("a stale broker is registered");
            fenced.push(id.0);
        }
        fenced
    }

    pub fn fence(&mut self, id: i32) {
        let result = self.controller.fence_broker(BrokerId(id), self.epoch(id));
        self.commit(result).expect("a registered broker");
    }

    /// A topic with these replicas for each partition; its id.
    pub fn create(&mut self, name: &str, replicas: &[Vec<i32>], configs: &[(&str, &str)]) -> Uuid {
        let assignment = |(partition_index, ids): (i32, &Vec<i32>)| CreatableReplicaAssignment {
            partition_index,
            broker_ids: ids.clone(),
        };
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).into(),
            value: Some((*value).into()),
        };
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: (0..).zip(replicas).map(assignment).collect(),
            configs: configs.iter().map(config).collect(),
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        let mut drawn = self.drawn;
        let mut ids = || {
            drawn += 1;
            scattered_id(drawn)
        };
        let result = self.controller.create_topics(&request, &mut ids);
        self.drawn = drawn;
        let reply = self.commit(result);
        assert_eq!(reply.topics[0].error_code, 0, "{:?}", reply.topics[0].error_message);
        reply.topics[0].topic_id
    }

    pub fn partition(&self, topic: Uuid, index: i32) -> Arc<PartitionImage> {
        let image = self.image();
        let topic = image.topics.by_id(topic).expect("a topic");
        Arc::clone(topic.partition(index).expect("a partition"))
    }

    /// What the partition's leader says of who is in sync; its leader recovers by that.
    pub fn alter_isr(&mut self, topic_id: Uuid, index: i32, isr: &[i32]) -> ErrorCode {
        let partition = self.partition(topic_id, index);
        let Some(leader) = partition.leader else { return ErrorCode::LeaderNotAvailable };
        let member =
            |&broker_id: &i32| BrokerState { broker_id, broker_epoch: self.epoch(broker_id).0 };
        let asked = PartitionData {
            partition_index: index,
            leader_epoch: partition.leader_epoch.0,
            partition_epoch: partition.partition_epoch,
            new_isr_with_epochs: isr.iter().map(member).collect(),
            ..PartitionData::default()
        };
        let request = AlterPartitionRequest {
            broker_id: leader.0,
            broker_epoch: self.epoch(leader.0).0,
            topics: vec![TopicData { topic_id, partitions: vec![asked] }],
        };
        let reply = self.commit(self.controller.alter_partition(&request));
        let code = match reply.error_code {
            0 => reply.topics[0].partitions[0].error_code,
            code => code,
        };
        ErrorCode::from_code(code).expect("a known code")
    }
}

fn controller() -> Controller {
    // No broker lives in the controller's process.
    let properties = Overrides::from([("node.id".to_owned(), "1000".to_owned())]);
    let config = BrokerConfig::from_properties(&properties).expect("valid");
    Controller::new(Arc::new(config), CLUSTER)
}

pub fn registration(id: i32, life: u8, previous: Option<BrokerEpoch>) -> BrokerRegistrationRequest {
    let feature = |name: &str, min: i16, max: i16| Feature {
        name: name.into(),
        min_supported_version: min,
        max_supported_version: max,
    };
    BrokerRegistrationRequest {
        broker_id: id,
        cluster_id: CLUSTER.to_string().into(),
        incarnation_id: Uuid([life; 16]),
        features: vec![
            feature("metadata.version", MetadataVersion::MIN.0, MetadataVersion::LATEST.0),
            feature("eligible.leader.replicas.version", 0, 1),
        ],
        log_dirs: vec![scattered_id(1_000_000 + id as u64)],
        previous_broker_epoch: previous.unwrap_or(BrokerEpoch::NONE).0,
        ..BrokerRegistrationRequest::default()
    }
}

/// Ids that look random and are the same in every run.
pub fn scattered_id(number: u64) -> Uuid {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    Uuid::from_random(u128::from(number).wrapping_mul(ODD).to_be_bytes())
}
