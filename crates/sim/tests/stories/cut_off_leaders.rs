//! What clients hear of a leader that only they still reach.

use protocol::messages::FetchRequest;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use sim::cluster::Cluster;
use types::{ErrorCode, Uuid};

const SHARED: &str = "t";
const SOLE: &str = "of-one";

/// One partition on all nodes that node 1 leads, all in sync.
fn led_by_the_first(seed: u64) -> (Cluster, Uuid) {
    let mut cluster = Cluster::in_service(seed);
    let topic = cluster.create_topic(SHARED, &[&[1, 2, 3]], &[]);
    cluster.wait_until("all in sync", |c| c.partition(1, SHARED, 0).isr_nodes.len() == 3);
    cluster.produce(1, (topic, 0), &record());
    cluster.run_for(1_000);
    (cluster, topic)
}

fn record() -> [Vec<u8>; 1] {
    [b"v".to_vec()]
}

#[test]
fn a_leader_that_is_cut_off_from_its_peers_sends_its_clients_to_the_next() {
    for seed in 1..6 {
        let (mut cluster, topic) = led_by_the_first(seed);
        assert_eq!(cluster.log_start(1, SHARED, 0), 0);
        cluster.cut_off_from_peers(1);
        let cut_at = cluster.now();
        let refused = cluster.try_to_produce(1, (topic, 0), &record()).0;
        assert_eq!(refused, ErrorCode::NotLeaderOrFollower, "it waited for others");
        let took = cluster.now().since(cut_at).as_millis();
        assert!(took < 2_800, "seed {seed}: {took} ms");
        let refused_at = cluster.now();
        let refused = cluster.try_to_produce(1, (topic, 0), &record()).0;
        assert_eq!(refused, ErrorCode::NotLeaderOrFollower);
        assert_eq!(cluster.now(), refused_at, "it need not wait to be refused again");
        let refused = cluster.told_of_log_start(1, SHARED, 0);
        assert_eq!(refused, Err(ErrorCode::NotLeaderOrFollower));
        assert_eq!(cluster.partition(1, SHARED, 0).leader_id, -1, "it knows of no other");
        cluster.wait_until("another leads", |c| c.partition(2, SHARED, 0).leader_id > 1);
        let next = cluster.partition(2, SHARED, 0).leader_id as usize;
        cluster.produce(next, (topic, 0), &record());
        cluster.heal();
        cluster.wait_until("in sync", |c| c.partition(next, SHARED, 0).isr_nodes.len() == 3);
        cluster.produce(next, (topic, 0), &record());
    }
}

/// Who is told so goes on asking it, and comes late to the next leader.
#[test]
fn a_leader_that_is_cut_off_does_not_name_itself_to_those_whom_it_sends_away() {
    let (mut cluster, topic) = led_by_the_first(7);
    cluster.cut_off_from_peers(1);
    for waits in [true, false] {
        let told = cluster.told_of_producing(1, (topic, 0), &record());
        assert_eq!(told.error_code, ErrorCode::NotLeaderOrFollower.code());
        assert_eq!(told.current_leader.leader_id, -1, "waited: {waits}");
    }
    let partition = FetchPartition { partition: 0, current_leader_epoch: -1, ..Default::default() };
    let topics =
        vec![FetchTopic { topic_id: topic, partitions: vec![partition], ..Default::default() }];
    let request = FetchRequest { topics, max_bytes: 1_000, ..Default::default() };
    let told = cluster.ask(1, &request).responses.remove(0).partitions.remove(0);
    assert_eq!(told.error_code, ErrorCode::NotLeaderOrFollower.code());
    assert_eq!(told.current_leader.leader_id, -1);
}

/// Its answer comes in turn: what it has been sent before and after is not answered until then.
#[test]
fn a_leader_that_is_cut_off_lets_nobody_wait_for_the_next_one() {
    for seed in 1..4 {
        // As it may have been asked before it knew, and after.
        for asked_after in [900, 3_000] {
            let (mut cluster, _) = led_by_the_first(seed);
            cluster.create_topic("of-another", &[&[2, 1, 3]], &[]);
            cluster.run_for(1_000);
            cluster.cut_off_from_peers(1);
            cluster.run_for(asked_after);
            let asked = cluster.now();
            let (own, other) =
                (cluster.partition(1, SHARED, 0), cluster.partition(1, "of-another", 0));
            let took = cluster.now().since(asked).as_millis();
            assert_eq!(own.leader_id, -1, "seed {seed}");
            assert_eq!(other.leader_id, 2, "seed {seed}: it may lead still");
            let most = if asked_after < 1_000 { 450 } else { 0 };
            assert!(took <= most, "seed {seed}: {took} ms, asked after {asked_after}");
        }
    }
}

/// The brokers that it names to who asks for `topic`.
fn named(cluster: &mut Cluster, of: usize, topic_id: Uuid) -> Vec<i32> {
    let topic = MetadataRequestTopic { topic_id, name: None };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    cluster.ask(of, &request).brokers.iter().map(|broker| broker.node_id).collect()
}

#[test]
fn what_nobody_else_can_lead_is_served_by_a_broker_that_is_cut_off() {
    let (mut cluster, topic) = led_by_the_first(9);
    let sole = cluster.create_topic(SOLE, &[&[1]], &[]);
    cluster.run_for(1_000);
    cluster.cut_off_from_peers(1);
    cluster.run_for(5_000);
    assert_eq!(cluster.partition(1, SOLE, 0).leader_id, 1);
    assert_eq!(named(&mut cluster, 1, sole), [1, 2, 3]);
    assert_eq!(named(&mut cluster, 1, topic), [2, 3], "who asks it again learns nothing");
    let refused = cluster.try_to_produce(1, (topic, 0), &record()).0;
    assert_eq!(refused, ErrorCode::NotLeaderOrFollower);
    assert_eq!(cluster.try_to_produce(1, (sole, 0), &record()), (ErrorCode::None, 0));
}

/// Its last heartbeat was heard up to 200 ms before.
#[test]
fn a_leader_that_its_peers_do_not_hear_is_replaced_after_a_session() {
    for seed in 1..12 {
        let (mut cluster, topic) = led_by_the_first(seed);
        cluster.cut_off_from_peers(1);
        let cut_at = cluster.now();
        while cluster.partition(2, SHARED, 0).leader_id <= 1 {
            cluster.run_for(10);
        }
        let took = cluster.now().since(cut_at).as_millis();
        assert!((850..1_350).contains(&took), "seed {seed}: {took} ms");
        let next = cluster.partition(2, SHARED, 0).leader_id as usize;
        cluster.produce(next, (topic, 0), &record());
        let took = cluster.now().since(cut_at).as_millis();
        assert!(took < 1_500, "seed {seed}: {took} ms");
    }
}
