//! What a move between brokers may use of the network, and what it may not hold up.

use std::time::Duration;

use protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{AlterPartitionReassignmentsRequest, IncrementalAlterConfigsRequest};
use sim::cluster::Cluster;
use types::Uuid;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LEADER_RATE: &str = "leader.replication.throttled.rate";
const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";
const LEADERS: &str = "leader.replication.throttled.replicas";
const FOLLOWERS: &str = "follower.replication.throttled.replicas";

const BATCH_BYTES: usize = 100_000;
const BATCHES: usize = 40;
const RATE: u64 = 200_000;

/// Topic `moved` on nodes 1 and 2 with four megabytes, and `other` on nodes 1 and 3.
fn with_records(seed: u64) -> (Cluster, Uuid) {
    let mut cluster = Cluster::in_service(seed);
    let moved = cluster.create_topic("moved", &[&[1, 2]], &[]);
    let other = cluster.create_topic("other", &[&[1, 3]], &[]);
    cluster.wait_until("all in sync", |c| {
        ["moved", "other"].iter().all(|topic| c.partition(1, topic, 0).isr_nodes.len() == 2)
    });
    for _ in 0..BATCHES {
        cluster.produce(1, (moved, 0), &[vec![b'v'; BATCH_BYTES]]);
    }
    (cluster, other)
}

fn set(cluster: &mut Cluster, (kind, of): (i8, &str), configs: &[(&str, Option<&str>)]) {
    let config = |(name, value): &(&str, Option<&str>)| AlterableConfig {
        name: (*name).into(),
        config_operation: i8::from(value.is_none()),
        value: value.map(Into::into),
    };
    let resource = AlterConfigsResource {
        resource_type: kind,
        resource_name: of.into(),
        configs: configs.iter().map(config).collect(),
    };
    let resources = vec![resource];
    let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
    let answer = cluster.ask(1, &request).responses.remove(0);
    assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
}

/// As `kafka-reassign-partitions --throttle` does it.
fn throttle(cluster: &mut Cluster, rates: &[&str], rate: u64) {
    set(cluster, (TOPIC, "moved"), &[(LEADERS, Some("0:1,0:2")), (FOLLOWERS, Some("0:3"))]);
    for broker in ["1", "2", "3"] {
        let rate = rate.to_string();
        let rates: Vec<_> = rates.iter().map(|name| (*name, Some(rate.as_str()))).collect();
        set(cluster, (BROKER, broker), &rates);
    }
}

fn begin_move(cluster: &mut Cluster) {
    let partition = ReassignablePartition { partition_index: 0, replicas: Some(vec![1, 3]) };
    let topic = ReassignableTopic { name: "moved".into(), partitions: vec![partition] };
    let topics = vec![topic];
    let request = AlterPartitionReassignmentsRequest { topics, ..Default::default() };
    let answer = cluster.ask(1, &request);
    assert_eq!((answer.error_code, answer.responses[0].partitions[0].error_code), (0, 0));
}

fn is_moved(cluster: &mut Cluster) -> bool {
    let partition = cluster.partition(1, "moved", 0);
    partition.replica_nodes == [1, 3] && partition.isr_nodes.len() == 2
}

/// Moves while records are written to the other topic, and says how long that took.
fn move_beside_writes(cluster: &mut Cluster, other: Uuid) -> Duration {
    let began = cluster.now();
    begin_move(cluster);
    cluster.wait_until("moved", |c| {
        let asked = c.now();
        c.produce(1, (other, 0), &[vec![b'o'; 1_000]]);
        assert!(c.now().since(asked) < Duration::from_millis(200), "{:?}", c.now().since(asked));
        assert_eq!(c.partition(1, "other", 0).isr_nodes.len(), 2);
        is_moved(c)
    });
    cluster.now().since(began)
}

#[test]
fn a_move_takes_as_long_as_its_bytes_take_at_the_throttled_rate_and_holds_up_nobody_else() {
    let (mut cluster, other) = with_records(1);
    let unlimited = move_beside_writes(&mut cluster, other);
    assert!(unlimited < Duration::from_secs(2), "{unlimited:?}");
    for rates in [&[LEADER_RATE, FOLLOWER_RATE][..], &[LEADER_RATE], &[FOLLOWER_RATE]] {
        let (mut cluster, other) = with_records(2);
        throttle(&mut cluster, rates, RATE);
        let took = move_beside_writes(&mut cluster, other).as_secs_f64();
        // What a fetch brings last is not waited for: a megabyte at most.
        let whole = (BATCHES * BATCH_BYTES) as f64 / RATE as f64;
        let last = 1_048_576.0 / RATE as f64;
        assert!(took > whole - last - 1.0 && took < whole + 2.0, "{rates:?}: {took} s of {whole}");
    }
}

#[test]
fn a_throttle_that_is_removed_lets_a_move_end_at_once_and_before_it_the_move_goes_on() {
    for rates in [&[LEADER_RATE], &[FOLLOWER_RATE]] {
        let (mut cluster, _) = with_records(3);
        throttle(&mut cluster, rates, 1);
        begin_move(&mut cluster);
        cluster.run_for(20_000);
        assert!(!is_moved(&mut cluster));
        // As `--verify` does it.
        set(&mut cluster, (TOPIC, "moved"), &[(LEADERS, None), (FOLLOWERS, None)]);
        for broker in ["1", "2", "3"] {
            set(&mut cluster, (BROKER, broker), &[(LEADER_RATE, None), (FOLLOWER_RATE, None)]);
        }
        cluster.run_for(2_000);
        assert!(is_moved(&mut cluster), "{rates:?}");
    }
    let (mut cluster, _) = with_records(4);
    throttle(&mut cluster, &[LEADER_RATE, FOLLOWER_RATE], 0);
    begin_move(&mut cluster);
    cluster.wait_until("moved, a fetch every eleven seconds", is_moved);
}

#[test]
fn replicas_in_sync_are_never_held_back() {
    let (mut cluster, other) = with_records(5);
    for topic in ["moved", "other"] {
        set(&mut cluster, (TOPIC, topic), &[(LEADERS, Some("*")), (FOLLOWERS, Some("*"))]);
    }
    for broker in ["1", "2", "3"] {
        set(
            &mut cluster,
            (BROKER, broker),
            &[(LEADER_RATE, Some("1")), (FOLLOWER_RATE, Some("1"))],
        );
    }
    for _ in 0..50 {
        let asked = cluster.now();
        cluster.produce(1, (other, 0), &[vec![b'o'; 10_000]]);
        assert!(cluster.now().since(asked) < Duration::from_millis(200));
        cluster.run_for(700);
        assert_eq!(cluster.partition(1, "other", 0).isr_nodes.len(), 2);
    }
}
