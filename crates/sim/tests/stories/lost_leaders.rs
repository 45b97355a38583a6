//! What a client is told that asks for the leaders when one has just been killed.

use protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use sim::cluster::Cluster;
use types::Uuid;

fn asked(topic_id: Uuid) -> MetadataRequest {
    let topic = MetadataRequestTopic { topic_id, name: None };
    MetadataRequest { topics: Some(vec![topic]), ..Default::default() }
}

/// The second time librdkafka asks only after a second, unless a request of its own has failed.
#[test]
fn it_hears_that_there_is_none_and_if_it_asks_again_who_is_the_next() {
    for seed in 1..6 {
        let mut cluster = Cluster::in_service(seed);
        let topic = cluster.create_topic("t", &[&[3, 1, 2]], &[]);
        cluster.wait_until("in sync", |c| c.partition(1, "t", 0).isr_nodes.len() == 3);
        cluster.run_for(500);
        cluster.kill(3);
        // The follower hears of it.
        cluster.run_for(2);
        let leader = |c: &mut Cluster| c.ask(1, &asked(topic)).topics[0].partitions[0].leader_id;
        let killed = cluster.now();
        assert_eq!(leader(&mut cluster), -1, "seed {seed}");
        assert_eq!(cluster.now(), killed, "seed {seed}: at once");
        cluster.run_for(40);
        let next = leader(&mut cluster);
        assert!([1, 2].contains(&next), "seed {seed}: {next}");
    }
}

#[test]
fn it_does_not_wait_where_nobody_can_take_over() {
    let mut cluster = Cluster::in_service(9);
    let topic = cluster.create_topic("t", &[&[3]], &[]);
    cluster.kill(3);
    cluster.run_for(40);
    let before = cluster.now();
    cluster.ask(1, &asked(topic));
    assert_eq!(cluster.now(), before, "answered at once");
}

/// Until then it is told of that leader, and whoever has gone to it looks again after a second.
#[test]
fn who_begins_while_a_leader_is_frozen_hears_of_the_next_one_alone() {
    for seed in 1..6 {
        let mut cluster = Cluster::in_service(seed);
        let topic = cluster.create_topic("t", &[&[3, 1, 2]], &[]);
        cluster.wait_until("in sync", |c| c.partition(1, "t", 0).isr_nodes.len() == 3);
        cluster.run_for(500);
        cluster.freeze_for(3, 20_000);
        // What a follower has asked for waits for half a second at most.
        cluster.run_for(850);
        let began = cluster.now();
        let next = cluster.ask(1, &asked(topic)).topics[0].partitions[0].leader_id;
        assert!([1, 2].contains(&next), "seed {seed}: {next}");
        let took = cluster.now().since(began).as_millis();
        assert!(took <= 550, "seed {seed}: {took} ms");
    }
}

/// librdkafka takes what a broker has that is named no more to nobody, for a second, whatever the
/// same answer says of the next leader.
#[test]
fn a_broker_that_was_fenced_for_its_silence_is_named_beside_the_next_leader_for_a_moment() {
    let brokers = |c: &mut Cluster| -> Vec<i32> {
        c.ask(1, &MetadataRequest::default()).brokers.iter().map(|broker| broker.node_id).collect()
    };
    for seed in 1..6 {
        for is_killed in [false, true] {
            let mut cluster = Cluster::in_service(seed);
            cluster.create_topic("t", &[&[3, 1, 2]], &[]);
            cluster.wait_until("in sync", |c| c.partition(1, "t", 0).isr_nodes.len() == 3);
            cluster.run_for(500);
            match is_killed {
                true => cluster.kill(3),
                false => cluster.freeze_for(3, 20_000),
            }
            cluster.wait_until("another leads", |c| {
                [1, 2].contains(&c.partition(1, "t", 0).leader_id)
            });
            let told: &[i32] = if is_killed { &[1, 2] } else { &[1, 2, 3] };
            assert_eq!(brokers(&mut cluster), told, "seed {seed}, killed: {is_killed}");
            cluster.run_for(1_000);
            assert_eq!(brokers(&mut cluster), [1, 2], "seed {seed}, killed: {is_killed}");
        }
    }
}
