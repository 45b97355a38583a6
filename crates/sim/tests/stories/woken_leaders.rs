//! What clients hear of a leader that slept while another was elected.

use sim::cluster::Cluster;
use types::ErrorCode;

const TOPIC: &str = "t";

/// Deletes what lies before `offset` once another than node 1 leads, which is asleep.
fn another_leads_and_deletes(cluster: &mut Cluster, offset: i64) {
    cluster.wait_until("another leads", |c| c.partition(2, TOPIC, 0).leader_id > 1);
    let next = cluster.partition(2, TOPIC, 0).leader_id as usize;
    cluster.wait_until("it deletes", |c| {
        c.delete_records(next, (TOPIC, 0), offset, 30_000) == (ErrorCode::None, offset)
    });
}

/// It is replaced in its sleep a session after its last heartbeat. Followers may have fetched later
/// than that, and what they sent last lies in its sockets.
#[test]
fn a_leader_that_wakes_tells_no_log_start_that_its_successor_has_moved() {
    for seed in 1..9 {
        for hears_of_it in [false, true] {
            let mut cluster = Cluster::in_service(seed);
            let topic = cluster.create_topic(TOPIC, &[&[1, 2, 3]], &[]);
            cluster.wait_until("in sync", |c| c.partition(1, TOPIC, 0).isr_nodes.len() == 3);
            for _ in 0..10 {
                cluster.produce(1, (topic, 0), &[b"v".to_vec()]);
                cluster.run_for(25 * seed);
            }
            let slept_at = cluster.now();
            cluster.freeze_for(1, 8_000);
            another_leads_and_deletes(&mut cluster, 7);
            let slept = cluster.now().since(slept_at).as_millis();
            assert!(slept < 1_600, "seed {seed}: {slept} ms");
            if !hears_of_it {
                cluster.cut_off_from_peers(1);
            }
            cluster.freeze_for(1, 0);
            let told = cluster.told_of_log_start(1, TOPIC, 0);
            assert_eq!(told, Err(ErrorCode::NotLeaderOrFollower), "seed {seed}, {slept} ms");
        }
    }
}
