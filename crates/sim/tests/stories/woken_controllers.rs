//! What clients hear of a controller that slept while another was elected.

use std::time::Duration;

use protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::{DescribeQuorumRequest, FindCoordinatorRequest};
use sim::cluster::Cluster;
use types::{ErrorCode, Uuid};

const GROUP: &str = "g";
const OFFSETS: &str = "__consumer_offsets";

fn active_controller(cluster: &mut Cluster) -> i32 {
    let partitions = vec![PartitionData { partition_index: 0 }];
    let topics = vec![TopicData { topic_name: "__cluster_metadata".into(), partitions }];
    let described = cluster.ask(1, &DescribeQuorumRequest { topics });
    described.topics[0].partitions[0].leader_id
}

/// Who answers for the group, as node `asked` knows.
fn coordinator(cluster: &mut Cluster, asked: usize) -> Option<usize> {
    let request =
        FindCoordinatorRequest { coordinator_keys: vec![GROUP.into()], ..Default::default() };
    let found = cluster.ask(asked, &request).coordinators.remove(0);
    (found.error_code == 0).then_some(found.node_id as usize)
}

fn commit(cluster: &mut Cluster, to: usize, topic_id: Uuid, offset: i64) -> ErrorCode {
    let partition = OffsetCommitRequestPartition {
        committed_offset: offset,
        committed_leader_epoch: -1,
        ..Default::default()
    };
    let partitions = vec![partition];
    let topic = OffsetCommitRequestTopic { name: "t".into(), topic_id, partitions };
    let request = OffsetCommitRequest {
        group_id: GROUP.into(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    let committed = cluster.ask(to, &request).topics.remove(0).partitions.remove(0);
    ErrorCode::from_code(committed.error_code).expect("a known error")
}

fn committed(cluster: &mut Cluster, by: usize, topic_id: Uuid) -> Result<i64, ErrorCode> {
    let partition_indexes = vec![0];
    let topic = OffsetFetchRequestTopics { name: "t".into(), topic_id, partition_indexes };
    let group = OffsetFetchRequestGroup {
        group_id: GROUP.into(),
        topics: Some(vec![topic]),
        member_epoch: -1,
        ..Default::default()
    };
    let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let group = cluster.ask(by, &request).groups.remove(0);
    match ErrorCode::from_code(group.error_code).expect("a known error") {
        ErrorCode::None => Ok(group.topics[0].partitions[0].committed_offset),
        error => Err(error),
    }
}

/// All replicas of the offsets are led by the active controller, where 5 was committed.
fn coordinated_by_the_controller(seed: u64) -> (Cluster, usize, Uuid) {
    coordinated_by(seed, |controller| controller)
}

/// The same, led by whom the active controller leads to.
fn coordinated_by(seed: u64, whom: impl Fn(i32) -> i32) -> (Cluster, usize, Uuid) {
    let mut cluster = Cluster::in_service(seed);
    let first = whom(active_controller(&mut cluster));
    let replicas = [first, 1 + first % 3, 1 + (first + 1) % 3];
    let topic = cluster.create_topic("t", &[&replicas], &[]);
    cluster.create_topic(OFFSETS, &[&replicas, &replicas], &[]);
    cluster.wait_until("in sync", |c| c.partition(1, OFFSETS, 1).isr_nodes.len() == 3);
    let first = first as usize;
    cluster.wait_until("answers", |c| commit(c, first, topic, 5) == ErrorCode::None);
    assert_eq!(committed(&mut cluster, first, topic), Ok(5));
    (cluster, first, topic)
}

#[test]
fn a_coordinator_tells_what_is_committed_once_controllers_answer_again() {
    for seed in 1..6 {
        let (mut cluster, by, topic) = coordinated_by(seed, |controller| 1 + controller % 3);
        for other in (1..=3).filter(|other| *other != by) {
            cluster.freeze_for(other, 1_100);
        }
        for _ in 0..80 {
            cluster.run_for(25);
            assert_eq!(committed(&mut cluster, by, topic), Ok(5), "seed {seed}");
        }
    }
}

#[test]
fn a_controller_that_wakes_does_not_believe_itself_that_it_still_coordinates() {
    for seed in 1..6 {
        let (mut cluster, first, topic) = coordinated_by_the_controller(seed);
        let other = 1 + first % 3;
        let woken_at = cluster.now().plus(Duration::from_secs(8));
        cluster.freeze_for(first, 8_000);
        cluster.wait_until("another answers", |c| {
            coordinator(c, other).is_some_and(|found| found != first)
        });
        let next = coordinator(&mut cluster, other).expect("another");
        cluster.wait_until("it knows", |c| commit(c, next, topic, 9) == ErrorCode::None);
        // What the others have to say comes later than clients do.
        cluster.cut_off_from_peers(first);
        let left = woken_at.since(cluster.now());
        assert!(!left.is_zero(), "seed {seed}: it took too long");
        cluster.run_for(left.as_millis() as u64 + 1);
        for _ in 0..3 {
            cluster.run_for(10);
            let told = committed(&mut cluster, first, topic);
            assert_eq!(told, Err(ErrorCode::NotCoordinator), "seed {seed}");
        }
        cluster.heal();
        cluster.wait_until("in sync", |c| c.partition(other, "t", 0).isr_nodes.len() == 3);
        assert_eq!(committed(&mut cluster, next, topic), Ok(9));
    }
}
