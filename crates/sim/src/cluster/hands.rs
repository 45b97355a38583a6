//! What a test does to a cluster with its own hands. Nothing goes wrong but what it makes go wrong.

use std::path::Path;
use std::time::Duration;

use env::{Clock, Disk, Env};
use env_sim::Crash;
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use protocol::messages::metadata_response::MetadataResponsePartition;
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::produce_response::PartitionProduceResponse;
use protocol::messages::{DeleteRecordsRequest, MetadataRequest, MetadataResponse};
use records::{BatchBuilder, NewRecord};
use types::{ErrorCode, Offset, Uuid};

use super::{Cluster, MACHINES};
use crate::world::Faults;

const EARLIEST: i64 = -2;
/// More than a session of a broker, an election and a fetch take together.
const WAITING_MS_MAX: u64 = 120_000;

impl Cluster {
    /// All machines, in service.
    pub fn in_service(seed: u64) -> Cluster {
        Cluster::started(Cluster::new(seed, Faults::default()))
    }

    /// The same, as of a build whose controllers do not register.
    pub fn of_silent_controllers(seed: u64) -> Cluster {
        let mut cluster = Cluster::new(seed, Faults::default());
        cluster.machines.iter_mut().for_each(|machine| machine.registers = false);
        Cluster::started(cluster)
    }

    fn started(mut cluster: Cluster) -> Cluster {
        for id in 1..=MACHINES {
            cluster.start_again(id);
        }
        cluster.wait_for_all("come into service", |metadata| metadata.brokers.len() == MACHINES);
        cluster
    }

    /// Makes a topic with these replicas of each partition, and waits until it is led.
    pub fn create_topic(
        &mut self,
        name: &str,
        replicas: &[&[i32]],
        configs: &[(&str, &str)],
    ) -> Uuid {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).into(),
            value: Some((*value).into()),
        };
        let assignment = |(index, ids): (usize, &&[i32])| CreatableReplicaAssignment {
            partition_index: index as i32,
            broker_ids: ids.to_vec(),
        };
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: replicas.iter().enumerate().map(assignment).collect(),
            configs: configs.iter().map(config).collect(),
        };
        let topics = vec![topic];
        let request = CreateTopicsRequest { topics, timeout_ms: 30_000, ..Default::default() };
        let created = self.ask(1, &request).topics.remove(0);
        assert_eq!(created.error_code, 0, "{:?}", created.error_message);
        self.wait_for_all("lead the topic", |metadata| {
            let partitions = partitions_of(metadata, name);
            partitions.len() == replicas.len() && partitions.iter().all(|p| p.leader_id > 0)
        });
        created.topic_id
    }

    /// The controllers that node `id` knows to have registered, each with its life and its port.
    pub fn controllers(&self, id: usize) -> Vec<(i32, Uuid, u16)> {
        let image = self.machine(id).node.as_ref().expect("it runs").image();
        let known = image.cluster.controllers();
        known.map(|known| (known.id, known.incarnation, known.endpoints[0].port)).collect()
    }

    /// What node `id` knows of a partition.
    pub fn partition(&mut self, id: usize, topic: &str, index: i32) -> MetadataResponsePartition {
        let metadata = self.ask(id, &MetadataRequest { topics: None, ..Default::default() });
        let found = partitions_of(&metadata, topic).iter().find(|p| p.partition_index == index);
        found.expect("a partition").clone()
    }

    /// Lets time pass until it is so.
    ///
    /// # Panics
    /// If it takes longer than anything takes.
    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&mut Cluster) -> bool) {
        let deadline = self.now().plus(Duration::from_millis(WAITING_MS_MAX));
        while !is_so(self) {
            assert!(self.now() < deadline, "in vain: {what}");
            self.run_for(100);
        }
    }

    /// One batch of these values, acknowledged by all; returns its first offset.
    pub fn produce(&mut self, to: usize, place: (Uuid, i32), values: &[Vec<u8>]) -> i64 {
        let (error, base_offset) = self.try_to_produce(to, place, values);
        assert_eq!(error, ErrorCode::None);
        base_offset
    }

    /// The same, with what the broker says to it.
    pub fn try_to_produce(
        &mut self,
        to: usize,
        place: (Uuid, i32),
        values: &[Vec<u8>],
    ) -> (ErrorCode, i64) {
        let produced = self.told_of_producing(to, place, values);
        let error = ErrorCode::from_code(produced.error_code).expect("a known error");
        (error, produced.base_offset)
    }

    /// The whole answer.
    pub fn told_of_producing(
        &mut self,
        to: usize,
        (topic_id, index): (Uuid, i32),
        values: &[Vec<u8>],
    ) -> PartitionProduceResponse {
        let mut batch = BatchBuilder::new().base_offset(Offset(0));
        for value in values {
            let timestamp = self.clock.wall();
            batch.push(NewRecord { timestamp, key: None, value: Some(value), headers: &[] });
        }
        let records = Some(batch.build().bytes().to_vec().into());
        let partition_data = vec![PartitionProduceData { index, records }];
        let topic = TopicProduceData { topic_id, partition_data, ..Default::default() };
        let topic_data = vec![topic];
        let request =
            ProduceRequest { acks: -1, timeout_ms: 30_000, topic_data, ..Default::default() };
        self.ask(to, &request).responses.remove(0).partition_responses.remove(0)
    }

    /// Where the log starts, as a client is told.
    pub fn log_start(&mut self, leader: usize, topic: &str, partition_index: i32) -> i64 {
        self.told_of_log_start(leader, topic, partition_index).expect("the leader")
    }

    /// What a client is told that asks `whom` where the log starts.
    pub fn told_of_log_start(
        &mut self,
        whom: usize,
        topic: &str,
        partition_index: i32,
    ) -> Result<i64, ErrorCode> {
        let asked =
            ListOffsetsPartition { partition_index, current_leader_epoch: -1, timestamp: EARLIEST };
        let topic = ListOffsetsTopic { name: topic.into(), partitions: vec![asked] };
        let request =
            ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        let listed = self.ask(whom, &request).topics.remove(0).partitions.remove(0);
        match ErrorCode::from_code(listed.error_code).expect("a known error") {
            ErrorCode::None => Ok(listed.offset),
            error => Err(error),
        }
    }

    /// Deletes what lies before `offset`; what a client is told of that, and the low watermark.
    pub fn delete_records(
        &mut self,
        leader: usize,
        (topic, partition_index): (&str, i32),
        offset: i64,
        timeout_ms: i32,
    ) -> (ErrorCode, i64) {
        let partition = DeleteRecordsPartition { partition_index, offset };
        let topic = DeleteRecordsTopic { name: topic.into(), partitions: vec![partition] };
        let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms };
        let deleted = self.ask(leader, &request).topics.remove(0).partitions.remove(0);
        let error = ErrorCode::from_code(deleted.error_code).expect("a known error");
        (error, deleted.low_watermark)
    }

    /// The names in a directory of a machine.
    pub fn files(&self, id: usize, dir: &str) -> Vec<String> {
        let found = self.machine(id).env.disk().read_dir(Path::new(dir));
        found.expect("a directory").into_iter().map(|entry| entry.name).collect()
    }

    /// `kill -9`.
    pub fn kill(&mut self, id: usize) {
        self.crash(id, Crash::Kill);
    }

    pub fn start_again(&mut self, id: usize) {
        self.start(id);
        self.look_after(id);
    }

    /// Clients reach it, and no other machine does, nor it them, until [`heal`](Self::heal).
    pub fn cut_off_from_peers(&mut self, id: usize) {
        let others = (1..=MACHINES).filter(|other| *other != id);
        let ways = others.flat_map(|other| [(id, other), (other, id)]).collect();
        self.scheduled += 1;
        self.cuts.insert(self.scheduled, ways);
    }

    /// Nothing is cut off any more.
    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    /// Its process does nothing for so long, and nobody is told.
    pub fn freeze_for(&mut self, id: usize, ms: u64) {
        self.machine_mut(id).frozen_until = self.now().plus(Duration::from_millis(ms));
    }
}

fn partitions_of<'a>(
    metadata: &'a MetadataResponse,
    topic: &str,
) -> &'a [MetadataResponsePartition] {
    let found = metadata.topics.iter().find(|known| known.name.as_deref() == Some(topic));
    found.map_or(&[], |topic| &topic.partitions)
}
