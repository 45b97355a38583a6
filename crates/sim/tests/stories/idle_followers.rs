//! A follower whose fetch waits at an idle leader, and to whom that leader's newest partition is
//! news.

use std::time::Duration;

use sim::cluster::Cluster;

/// A fetch waits for half a second if nothing comes (`replica.fetch.wait.max.ms`).
#[test]
fn a_new_leader_does_not_wait_for_the_idle_fetches_of_its_followers() {
    for seed in 1..6 {
        let mut cluster = Cluster::in_service(seed);
        let idle: &[i32] = &[1, 2, 3];
        cluster.create_topic("idle", &[idle; 3], &[]);
        let topic = cluster.create_topic("t", &[&[3, 1, 2]], &[]);
        cluster.wait_until("in sync", |c| c.partition(1, "t", 0).isr_nodes.len() == 3);
        cluster.produce(3, (topic, 0), &[b"before".to_vec()]);
        cluster.run_for(2_000 + seed * 70);
        cluster.kill(3);
        while cluster.partition(1, "t", 0).leader_id != 1 {
            cluster.run_for(5);
        }
        let led = cluster.now();
        cluster.produce(1, (topic, 0), &[b"after".to_vec()]);
        let took = cluster.now().since(led);
        assert!(took < Duration::from_millis(100), "seed {seed}: {took:?}");
    }
}
