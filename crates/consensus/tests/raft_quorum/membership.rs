//! Voters come and go while the quorum works.

use consensus::{
    ConsensusEngine, NodeId, Voter, VoterChange, VoterChangeError, VoterEndpoint, VoterKey,
};
use types::Uuid;

use super::disk::Disk;
use super::node::{BIRTH, Node, key};
use super::world::{MS, World};

fn change(world: &mut World, leader: usize, change: VoterChange) -> Result<(), VoterChangeError> {
    let node = &mut world.nodes[leader];
    let (epoch, next) = node.reign.expect("it leads");
    let engine = node.engine.as_mut().expect("it runs");
    engine.change_voters(epoch, change, BIRTH)?;
    node.reign = Some((epoch, next.plus(1)));
    world.drain(leader);
    Ok(())
}

fn add(key: VoterKey) -> VoterChange {
    let endpoint = VoterEndpoint {
        listener: "CONTROLLER".to_owned(),
        host: "localhost".to_owned(),
        port: 9093,
    };
    VoterChange::Add(Voter { key, endpoints: vec![endpoint] })
}

fn named(id: i32) -> VoterKey {
    VoterKey { id: NodeId(id), directory: Uuid::ZERO }
}

fn ids(world: &World, at: usize) -> Vec<i32> {
    let status = world.nodes[at].engine.as_ref().expect("it runs").status();
    status.voters.iter().map(|voter| voter.id.0).collect()
}

fn join(world: &mut World, id: i32) -> usize {
    world.is_changing = true;
    world.join(Node::new(key(id), Disk::new(None)))
}

#[test]
fn a_quorum_grows_from_one_to_three_and_then_outlives_its_first_voter() {
    let (mut world, leader) = World::led(1, 1);
    world.run_for(500);
    for id in [2, 3] {
        let at = join(&mut world, id);
        change(&mut world, leader, add(key(id))).expect("one at a time");
        world.run_for(1000);
        assert_eq!(ids(&world, at).len(), id as usize, "it knows all of them");
    }
    let acks = world.counts.acks;
    world.kill(0);
    let leader = world.run_until_led();
    assert_ne!(leader, 0);
    world.run_for(1000);
    assert!(world.counts.acks > acks);
    world.start(0);
    world.check_equal();
    assert_eq!(ids(&world, 0), [1, 2, 3]);
}

#[test]
fn a_node_that_was_not_added_never_votes_nor_leads() {
    let (mut world, leader) = World::led(2, 3);
    let at = join(&mut world, 4);
    world.kill(leader);
    world.kill((leader + 1) % 3);
    world.run_for(5000);
    assert!(world.nodes[at].reign.is_none());
    assert_eq!(ids(&world, at), Vec::<i32>::new());
}

#[test]
fn a_leader_that_is_removed_hands_over_after_that_is_committed() {
    let (mut world, leader) = World::led(3, 3);
    world.run_for(500);
    let epoch = world.epoch(leader);
    world.is_changing = true;
    change(&mut world, leader, VoterChange::Remove(named(leader as i32 + 1))).expect("accepted");
    world.run_for(200);
    let new = world.leader().expect("it was handed over, no timeout had to pass");
    assert_ne!(new, leader);
    assert!(world.epoch(new) > epoch);
    assert_eq!(ids(&world, new).len(), 2);
    world.run_for(3000);
    assert!(world.nodes[leader].reign.is_none());
    assert_eq!(world.leader(), Some(new), "one that was removed disturbs nobody");
}

#[test]
fn an_identity_that_was_removed_never_comes_back() {
    let (mut world, leader) = World::led(4, 3);
    world.run_for(300);
    let at = join(&mut world, 4);
    change(&mut world, leader, add(key(4))).expect("added");
    world.run_for(500);
    change(&mut world, leader, VoterChange::Remove(key(4))).expect("removed");
    world.run_for(500);
    let refused = change(&mut world, leader, add(key(4)));
    assert_eq!(refused, Err(VoterChangeError::Retired));
    // The same node with another disk is somebody else. What the old one still has to say, in the
    // same epoch, is no word of the new one.
    world.kill(at);
    let fresh = VoterKey { directory: Uuid([0x99; 16]), ..key(4) };
    world.nodes[at] = Node::new(fresh, Disk::new(None));
    world.nodes[at].start(Vec::new(), world.seed, world.now);
    change(&mut world, leader, add(fresh)).expect("another identity");
    world.run_for(1000);
    assert_eq!(ids(&world, at), [1, 2, 3, 4]);
    world.check_equal();
}

#[test]
fn one_change_at_a_time_and_only_what_makes_sense() {
    let (mut world, leader) = World::led(5, 3);
    world.next_client = u64::MAX;
    world.run_for(300);
    let follower = (leader + 1) % 3;
    let (epoch, _) = world.nodes[leader].reign.expect("it leads");
    let engine = world.nodes[follower].engine.as_mut().expect("it runs");
    assert_eq!(engine.change_voters(epoch, add(key(9)), BIRTH), Err(VoterChangeError::NotLeader));
    let refused = |world: &mut World, of| change(world, leader, of).expect_err("refused");
    assert_eq!(refused(&mut world, add(key(1))), VoterChangeError::Duplicate);
    assert_eq!(refused(&mut world, add(named(9))), VoterChangeError::NoDirectory);
    let unknown = VoterChange::Remove(key(9));
    assert_eq!(refused(&mut world, unknown), VoterChangeError::NotFound);
    world.is_changing = true;
    world.isolate(leader);
    change(&mut world, leader, add(key(8))).expect("accepted");
    assert_eq!(refused(&mut world, add(key(9))), VoterChangeError::Busy);
    let (mut alone, leader) = World::led(6, 1);
    let last = change(&mut alone, leader, VoterChange::Remove(named(1)));
    assert_eq!(last, Err(VoterChangeError::BadCount));
}

/// Three voters shrink to one, each change acknowledged by the voter that goes next; then the two
/// that went start again, from what they have on disk.
#[test]
fn voters_that_were_removed_make_no_majority_after_a_restart() {
    for seed in 0..40 {
        let (mut world, leader) = World::led(seed, 3);
        world.is_changing = true;
        world.run_for(300);
        let others = [(leader + 1) % 3, (leader + 2) % 3];
        for other in others {
            change(&mut world, leader, VoterChange::Remove(named(other as i32 + 1)))
                .expect("removed");
            world.run_for(300);
        }
        let alone = world.nodes[leader].delivered;
        world.run_for(500);
        assert!(world.nodes[leader].delivered > alone, "it goes on by itself");
        world.isolate(leader);
        for other in others {
            world.kill(other);
            world.start(other);
        }
        world.run_for(5000);
        let reigns = others.map(|other| world.nodes[other].reign);
        assert_eq!(reigns, [None, None], "seed {seed}");
    }
}

#[test]
fn voters_change_under_faults_and_nothing_is_lost() {
    for seed in 0..60 {
        let (mut world, _) = World::led(seed, 3);
        world.is_changing = true;
        let at = world.join(Node::new(key(4), Disk::new(None)));
        let mut is_member = false;
        for round in 0..12 {
            let victim = (seed as usize + round) % 4;
            if victim != at || is_member {
                world.lose_power(victim);
                world.nodes[victim].down_until = Some(world.now + 300 * MS);
            }
            world.run_for(150);
            let leader = world.run_until_led();
            // A voter that was added once and not confirmed may be one already.
            let status = world.nodes[leader].engine.as_ref().expect("it runs").status();
            is_member = status.voters.iter().any(|voter| voter.id.0 == 4);
            if !is_member {
                let _ = change(&mut world, leader, add(key(4)));
            }
            world.run_for(100);
        }
        world.run_for(2000);
        world.run_until_led();
        world.check_equal();
        assert_eq!(ids(&world, at), [1, 2, 3, 4], "seed {seed}");
    }
}
