//! Controllers that register with whichever of them is active.

use sim::cluster::Cluster;

#[test]
fn every_controller_is_known_to_every_node_by_its_present_life() {
    let mut cluster = Cluster::in_service(7);
    let all_know_all =
        |c: &mut Cluster| (1..=3).all(|id| c.controllers(id).iter().map(|c| c.0).eq(1..=3));
    cluster.wait_until("all controllers are registered", all_know_all);
    let before = cluster.controllers(1);
    assert!(before.iter().all(|(_, _, port)| *port == 9093), "{before:?}");
    for id in 1..=3 {
        // The active one among them: the next takes the registration.
        cluster.kill(id);
        cluster.start_again(id);
        let known_before = before[id - 1].1;
        cluster.wait_until("its next life is known", |c| {
            (1..=3)
                .all(|at| c.controllers(at).iter().any(|c| c.0 == id as i32 && c.1 != known_before))
        });
    }
    cluster.run_for(5_000);
    let lives = cluster.controllers(1);
    cluster.run_for(20_000);
    assert_eq!(cluster.controllers(1), lives, "each is told once in a life");
}
