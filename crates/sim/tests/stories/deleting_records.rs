//! What a client was told is deleted stays so, whoever leads.

use protocol::messages::MetadataRequest;
use sim::cluster::Cluster;
use types::ErrorCode;

const TOPIC: &str = "t";
/// Every batch has a segment of its own.
const CONFIGS: [(&str, &str); 2] = [("segment.ms", "1"), ("file.delete.delay.ms", "1000")];

/// With ten records, led by node 1.
fn with_records(seed: u64) -> Cluster {
    let mut cluster = Cluster::in_service(seed);
    let topic_id = cluster.create_topic(TOPIC, &[&[1, 2, 3]], &CONFIGS);
    cluster.wait_until("all in sync", |c| c.partition(1, TOPIC, 0).isr_nodes.len() == 3);
    for _ in 0..10 {
        cluster.produce(1, (topic_id, 0), &[b"v".to_vec()]);
        cluster.run_for(5);
    }
    cluster
}

fn delete(cluster: &mut Cluster, leader: usize, offset: i64, timeout_ms: i32) -> (ErrorCode, i64) {
    cluster.delete_records(leader, (TOPIC, 0), offset, timeout_ms)
}

/// Brokers that live, as node 1 knows.
fn live(cluster: &mut Cluster) -> usize {
    let request = MetadataRequest { topics: None, ..Default::default() };
    cluster.ask(1, &request).brokers.len()
}

/// Kills the leader; returns the next one, and where its log starts.
fn start_after_failover(cluster: &mut Cluster, leader: usize) -> (usize, i64) {
    cluster.kill(leader);
    let asked = 1 + leader % 3;
    cluster.wait_until("another leads", |c| {
        let next = c.partition(asked, TOPIC, 0).leader_id;
        next > 0 && next != leader as i32
    });
    let next = cluster.partition(asked, TOPIC, 0).leader_id as usize;
    (next, cluster.log_start(next, TOPIC, 0))
}

#[test]
fn deleted_records_stay_deleted_when_the_leader_dies_as_soon_as_it_has_said_so() {
    for seed in 1..4 {
        let mut cluster = with_records(seed);
        let before = cluster.now();
        assert_eq!(delete(&mut cluster, 1, 7, 30_000), (ErrorCode::None, 7));
        let took = cluster.now().since(before);
        assert!(took.as_millis() < 450, "followers need not wait for records: {took:?}");
        assert_eq!(start_after_failover(&mut cluster, 1).1, 7, "seed {seed}");
    }
}

#[test]
fn a_follower_that_is_frozen_has_a_deletion_time_out_which_goes_on_all_the_same() {
    let mut cluster = with_records(5);
    cluster.freeze_for(3, 4_000);
    let before = cluster.now();
    assert_eq!(delete(&mut cluster, 1, 7, 1_000), (ErrorCode::RequestTimedOut, 0));
    assert_eq!(cluster.now().since(before).as_millis(), 1_000);
    assert_eq!(cluster.log_start(1, TOPIC, 0), 7, "here it is done");
    assert_eq!(delete(&mut cluster, 1, 7, 30_000), (ErrorCode::None, 7));
    assert_eq!(live(&mut cluster), 2, "then nobody waits for it any more");
    cluster.wait_until("in sync again", |c| c.partition(1, TOPIC, 0).isr_nodes.len() == 3);
    assert_eq!(start_after_failover(&mut cluster, 1).1, 7);
}

#[test]
fn a_dead_follower_is_waited_for_until_it_is_known_to_be_dead_and_hears_of_it_before_it_is_in_sync()
{
    let mut cluster = with_records(6);
    cluster.kill(3);
    assert_eq!(live(&mut cluster), 3);
    assert_eq!(delete(&mut cluster, 1, 7, 30_000), (ErrorCode::None, 7));
    assert_eq!(live(&mut cluster), 2);
    assert_eq!(delete(&mut cluster, 1, 8, 0), (ErrorCode::RequestTimedOut, 7));
    assert_eq!(delete(&mut cluster, 1, 8, 1_000), (ErrorCode::None, 8));
    cluster.start_again(3);
    cluster.wait_until("in sync again", |c| c.partition(1, TOPIC, 0).isr_nodes.len() == 3);
    let (next, start) = start_after_failover(&mut cluster, 1);
    assert_eq!(start, 8);
    cluster.start_again(1);
    cluster.wait_until("in sync again", |c| c.partition(next, TOPIC, 0).isr_nodes.len() == 3);
    assert_eq!(start_after_failover(&mut cluster, next).1, 8);
}

#[test]
fn files_that_a_follower_lets_go_of_with_its_leader_are_removed() {
    let mut cluster = with_records(7);
    let logs = |cluster: &mut Cluster, id| {
        let files = cluster.files(id, "/data/t-0");
        files.iter().filter(|name| name.contains(".log")).count()
    };
    assert_eq!((logs(&mut cluster, 1), logs(&mut cluster, 2)), (10, 10));
    assert_eq!(delete(&mut cluster, 1, 7, 30_000), (ErrorCode::None, 7));
    // The next look at retention, and the delay.
    cluster.run_for(7_000);
    assert_eq!((logs(&mut cluster, 1), logs(&mut cluster, 2)), (3, 3));
}
