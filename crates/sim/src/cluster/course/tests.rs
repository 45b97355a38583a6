//! What clients meet when one of three nodes is cut off; told step by step, without chance.

use protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use protocol::messages::elect_leaders_request::{ElectLeadersRequest, TopicPartitions};
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::{DescribeQuorumRequest, ProduceRequest, ProduceResponse};
use records::{BatchBuilder, NewRecord};
use types::{ErrorCode, WallTime};

use super::*;

const ACKS_ALL: i16 = -1;

/// Three nodes in service, and a topic whose replicas are all in sync.
fn calm() -> (Cluster, Uuid) {
    let mut cluster = Cluster::new(7, Faults::default());
    for id in 1..=MACHINES {
        cluster.start(id);
        cluster.look_after(id);
    }
    cluster.wait_for_all("come into service", |metadata| metadata.brokers.len() == MACHINES);
    let topic_id = create_topic(&mut cluster);
    cluster.wait_for_all("lead the topic", is_whole);
    (cluster, topic_id)
}

impl Cluster {
    /// Nothing passes between `id` and the other nodes; clients reach it still.
    fn cut_off(&mut self, id: usize) {
        let others = (1..=MACHINES).filter(|other| *other != id);
        let ways = others.flat_map(|other| [(id, other), (other, id)]);
        self.cuts.insert(0, ways.collect());
    }

    fn metadata(&mut self, id: usize) -> MetadataResponse {
        self.ask(id, &MetadataRequest { topics: None, ..Default::default() })
    }

    fn leader_at(&mut self, id: usize, partition: i32) -> (usize, i32) {
        let metadata = self.metadata(id);
        let found = partitions_of(&metadata).iter().find(|p| p.partition_index == partition);
        let found = found.expect("the topic is known");
        (found.leader_id as usize, found.leader_epoch)
    }
}

fn produce(topic_id: Uuid, partition: i32, timeout_ms: i32) -> ProduceRequest {
    let mut batch = BatchBuilder::new();
    let timestamp = WallTime(1_767_225_600_000);
    batch.push(NewRecord { timestamp, value: Some(b"v"), ..NewRecord::default() });
    let records = Some(batch.build().into_bytes());
    let data = PartitionProduceData { index: partition, records };
    ProduceRequest {
        acks: ACKS_ALL,
        timeout_ms,
        topic_data: vec![TopicProduceData {
            topic_id,
            partition_data: vec![data],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn error_of(response: &ProduceResponse) -> ErrorCode {
    let code = response.responses[0].partition_responses[0].error_code;
    ErrorCode::from_code(code).expect("a code of Kafka's")
}

#[test]
fn a_leader_that_is_cut_off_is_replaced_and_acknowledges_nothing_to_those_who_want_all() {
    let (mut cluster, topic_id) = calm();
    let (old, epoch) = cluster.leader_at(1, 0);
    cluster.cut_off(old);
    let began = cluster.now();
    let alone = cluster.ask(old, &produce(topic_id, 0, 1_000));
    assert_eq!(error_of(&alone), ErrorCode::RequestTimedOut, "its followers do not answer");
    assert_eq!(cluster.now().since(began), Duration::from_millis(1_000));

    cluster.run_for(3_000);
    for id in (1..=MACHINES).filter(|id| *id != old) {
        let (leader, later) = cluster.leader_at(id, 0);
        assert!(leader != old && later > epoch, "node {id} names {leader} in epoch {later}");
        let metadata = cluster.metadata(id);
        assert!(metadata.brokers.iter().all(|broker| broker.node_id != old as i32));
        assert!(partitions_of(&metadata).iter().all(|p| p.leader_id != old as i32));
    }
    let (new, _) = cluster.leader_at(1 + old % MACHINES, 0);
    assert_eq!(error_of(&cluster.ask(new, &produce(topic_id, 0, 5_000))), ErrorCode::None);
    // What it is left with it may show as it was; nobody is told that a record is kept.
    let alone = cluster.ask(old, &produce(topic_id, 0, 1_000));
    assert_ne!(error_of(&alone), ErrorCode::None);

    cluster.cuts.clear();
    cluster.wait_for_all("have every replica in sync", is_whole);
}

/// The broker that a client asks for metadata hears nothing of the others, so that it names a
/// leader that is none any more, again and again. That one knows who followed it.
#[test]
fn a_client_whose_metadata_is_out_of_date_is_sent_on_by_the_leader_it_was_sent_to() {
    let (mut cluster, topic_id) = calm();
    let (old, epoch) = cluster.leader_at(1, 0);
    let (new, behind) = (1 + old % MACHINES, 1 + (old + 1) % MACHINES);
    cluster.cut_off(behind);
    cluster.run_for(3_000);
    let replicas = [new, old, behind].map(|id| id as i32).to_vec();
    let moved = ReassignablePartition { partition_index: 0, replicas: Some(replicas) };
    let topic = ReassignableTopic { name: TOPIC.into(), partitions: vec![moved] };
    let request = AlterPartitionReassignmentsRequest {
        timeout_ms: 10_000,
        topics: vec![topic],
        ..Default::default()
    };
    assert_eq!(cluster.ask(new, &request).error_code, 0);
    let partitions = TopicPartitions { topic: TOPIC.into(), partitions: vec![0] };
    let request = ElectLeadersRequest {
        topic_partitions: Some(vec![partitions]),
        timeout_ms: 10_000,
        ..Default::default()
    };
    assert_eq!(cluster.ask(new, &request).error_code, 0);
    cluster.run_for(1_000);
    let (leader, later) = cluster.leader_at(new, 0);
    assert!(leader == new && later > epoch);

    assert_eq!(cluster.leader_at(behind, 0), (old, epoch), "out of date");
    let response = cluster.ask(old, &produce(topic_id, 0, 5_000));
    assert_eq!(error_of(&response), ErrorCode::NotLeaderOrFollower);
    let told = &response.responses[0].partition_responses[0].current_leader;
    assert_eq!((told.leader_id, told.leader_epoch), (new as i32, later));
    let address = response.node_endpoints.first().expect("where it is");
    assert_eq!((address.node_id, &*address.host), (new as i32, &*format!("n{new}")));

    let asked = FetchPartition {
        partition: 0,
        current_leader_epoch: epoch,
        last_fetched_epoch: -1,
        partition_max_bytes: 1 << 16,
        ..Default::default()
    };
    let topic = FetchTopic { topic_id, partitions: vec![asked], ..Default::default() };
    let (max_bytes, session_epoch) = (1 << 20, -1);
    let request =
        FetchRequest { max_bytes, session_epoch, topics: vec![topic], ..Default::default() };
    let response = cluster.ask(old, &request);
    let data = &response.responses[0].partitions[0];
    assert_eq!(data.error_code, ErrorCode::FencedLeaderEpoch.code());
    let told = &data.current_leader;
    assert_eq!((told.leader_id, told.leader_epoch), (new as i32, later));
    assert_eq!(response.node_endpoints.first().map(|address| address.node_id), Some(new as i32));

    assert_eq!(error_of(&cluster.ask(new, &produce(topic_id, 0, 5_000))), ErrorCode::None);
}

#[test]
fn a_wall_clock_that_is_set_by_a_day_fences_nobody_and_moves_no_leader() {
    let (mut cluster, _) = calm();
    let day_ms = 24 * 60 * 60 * 1_000;
    let before = cluster.metadata(1);
    for by_ms in [-day_ms, 2 * day_ms] {
        cluster.clock.jump_wall(by_ms);
        cluster.run_for(5_000);
        for id in 1..=MACHINES {
            let now = cluster.metadata(id);
            assert_eq!(now.brokers.len(), MACHINES);
            assert_eq!(partitions_of(&now), partitions_of(&before));
        }
    }
}

#[test]
fn what_a_cut_off_controller_decided_is_shown_to_nobody_and_never_said_to_be_done() {
    let (mut cluster, _) = calm();
    let active = active_controller(&mut cluster);
    cluster.cut_off(active);
    let topic = CreatableTopic {
        name: "never".into(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    let asked = cluster.begin(active, &request);
    let is_shown = |cluster: &mut Cluster| {
        let mut topics = (1..=MACHINES).flat_map(|id| cluster.metadata(id).topics);
        topics.any(|topic| topic.name.as_deref() == Some("never"))
    };
    for _ in 0..20 {
        cluster.run_for(100);
        assert!(!is_shown(&mut cluster));
    }
    let response = cluster.answer::<CreateTopicsRequest>(asked);
    assert!(response.is_none_or(|response| response.topics[0].error_code != 0));
    cluster.cuts.clear();
    cluster.wait_for_all("have every replica in sync", is_whole);
    assert!(!is_shown(&mut cluster));
    assert_ne!(active_controller(&mut cluster), active);
}

fn active_controller(cluster: &mut Cluster) -> usize {
    let partition = PartitionData { partition_index: 0 };
    let topic = TopicData { topic_name: "__cluster_metadata".into(), partitions: vec![partition] };
    let request = DescribeQuorumRequest { topics: vec![topic] };
    cluster.ask(1, &request).topics[0].partitions[0].leader_id as usize
}
