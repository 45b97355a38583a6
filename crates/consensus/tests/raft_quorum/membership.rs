//! Voters come and go while the quorum works.

use consensus::{
    ConsensusEngine, NodeId, Voter, VoterChange, VoterChangeError, VoterKey, VoterStatus,
};
use types::Uuid;

use super::disk::Disk;
use super::node::{BIRTH, Node, endpoints, key, keyed};
use super::world::{MS, Weather, World};

fn change(world: &mut World, leader: usize, change: VoterChange) -> Result<(), VoterChangeError> {
    let node = &mut world.nodes[leader];
    let (epoch, next) = node.reign.expect("it leads");
    let engine = node.engine.as_mut().expect("it runs");
    let after = engine.change_voters(epoch, change, BIRTH)?;
    assert!(after > next);
    node.reign = Some((epoch, after));
    world.drain(leader);
    Ok(())
}

fn add(key: VoterKey) -> VoterChange {
    VoterChange::Add(Voter { key, endpoints: endpoints(key.id) })
}

fn ids_of(statuses: Vec<VoterStatus>) -> Vec<i32> {
    statuses.iter().map(|voter| voter.id.0).collect()
}

fn ids(world: &World, at: usize) -> Vec<i32> {
    ids_of(world.nodes[at].engine.as_ref().expect("it runs").status().voters)
}

fn observers(world: &World, at: usize) -> Vec<i32> {
    ids_of(world.nodes[at].engine.as_ref().expect("it runs").status().observers)
}

/// A node that asks to observe; long enough, and it has the log.
fn join(world: &mut World, id: i32) -> usize {
    world.is_changing = true;
    world.join(Node::new(key(id), Disk::new(None)))
}

#[test]
fn a_quorum_grows_from_one_to_three_and_then_outlives_its_first_voter() {
    let (mut world, leader) = World::led_dynamic(1, 1);
    world.run_for(500);
    for id in [2, 3] {
        let at = join(&mut world, id);
        world.run_for(1000);
        assert_eq!(observers(&world, leader), [id]);
        change(&mut world, leader, add(key(id))).expect("one at a time");
        world.run_for(1000);
        assert_eq!(ids(&world, at).len(), id as usize, "it knows all of them");
        assert_eq!(observers(&world, leader), [0; 0]);
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
    let (mut world, leader) = World::led_dynamic(2, 3);
    let at = join(&mut world, 4);
    world.run_for(1000);
    world.kill(leader);
    world.kill((leader + 1) % 3);
    let acks = world.counts.acks;
    world.run_for(5000);
    assert!(world.nodes[at].reign.is_none());
    assert_eq!(world.counts.acks, acks, "it is no majority with one of three");
    assert_eq!(ids(&world, at), Vec::<i32>::new());
}

#[test]
fn an_observer_is_sent_the_log_and_commits_do_not_wait_for_it() {
    let (mut world, leader) = World::led_dynamic(7, 3);
    world.run_for(2000);
    let at = join(&mut world, 4);
    world.run_for(1500);
    assert!(world.nodes[at].delivered > 0);
    let acks = world.counts.acks;
    world.isolate(at);
    world.run_for(1000);
    assert!(world.counts.acks > acks);
    assert_eq!(observers(&world, leader), [4]);
    world.run_for(15_000);
    assert_eq!(observers(&world, leader), [0; 0], "one that is silent is forgotten");
    world.cut.clear();
    world.run_for(2000);
    assert_eq!(observers(&world, leader), [4]);
    // The next leader is asked anew.
    world.kill(leader);
    let next = world.run_until_led();
    world.run_for(2000);
    assert_eq!(observers(&world, next), [4]);
    world.start(leader);
    world.check_equal();
}

/// The leader's first heartbeat comes before it tells where the voters are.
#[test]
fn an_observer_is_told_whom_it_follows_once_it_knows_where_that_one_listens() {
    for seed in 30..34 {
        let (mut world, leader) = World::led_dynamic(seed, 3);
        world.run_for(500);
        let at = join(&mut world, 4);
        world.run_for(1500);
        let leader = world.nodes[leader].key.id;
        assert_eq!(world.nodes[at].follows, Some((leader, endpoints(leader))), "seed {seed}");
    }
}

#[test]
fn a_node_that_lacks_the_log_is_not_added() {
    let (mut world, leader) = World::led_dynamic(8, 1);
    world.run_for(300);
    let at = join(&mut world, 2);
    let early = change(&mut world, leader, add(key(2)));
    assert_eq!(early, Err(VoterChangeError::NotCaughtUp), "it has not asked to observe");
    world.run_for(1000);
    world.isolate(at);
    world.run_for(2000);
    let gone = change(&mut world, leader, add(key(2)));
    assert_eq!(gone, Err(VoterChangeError::NotCaughtUp), "nothing was heard of it lately");
    world.cut.clear();
    world.run_for(3000);
    change(&mut world, leader, add(key(2))).expect("it has the log");
}

#[test]
fn a_leader_that_is_removed_hands_over_after_that_is_committed() {
    let (mut world, leader) = World::led_dynamic(3, 3);
    world.run_for(500);
    let epoch = world.epoch(leader);
    world.is_changing = true;
    let own = world.nodes[leader].key;
    change(&mut world, leader, VoterChange::Remove(own)).expect("accepted");
    world.run_for(200);
    let new = world.leader().expect("it was handed over, no timeout had to pass");
    assert_ne!(new, leader);
    assert!(world.epoch(new) > epoch);
    assert_eq!(ids(&world, new).len(), 2);
    world.run_for(3000);
    assert!(world.nodes[leader].reign.is_none());
    assert_eq!(world.leader(), Some(new), "one that was removed disturbs nobody");
    assert_eq!(observers(&world, new), [own.id.0], "it goes on as an observer");
    world.check_equal();
}

#[test]
fn a_voter_that_is_removed_learns_of_it_and_observes() {
    let (mut world, leader) = World::led_dynamic(9, 3);
    world.run_for(500);
    world.is_changing = true;
    let removed = (leader + 1) % 3;
    let gone = world.nodes[removed].key;
    change(&mut world, leader, VoterChange::Remove(gone)).expect("accepted");
    world.run_for(1000);
    assert_eq!(ids(&world, removed), ids(&world, leader));
    assert_eq!(observers(&world, leader), [gone.id.0]);
    world.check_equal();
}

#[test]
fn an_identity_that_was_removed_never_comes_back() {
    let (mut world, leader) = World::led_dynamic(4, 3);
    world.run_for(300);
    let at = join(&mut world, 4);
    world.run_for(1000);
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
    world.run_for(1000);
    change(&mut world, leader, add(fresh)).expect("another identity");
    world.run_for(1000);
    assert_eq!(ids(&world, at), [1, 2, 3, 4]);
    world.check_equal();
}

#[test]
fn one_change_at_a_time_and_only_what_makes_sense() {
    let (mut world, leader) = World::led_dynamic(5, 3);
    world.next_client = u64::MAX;
    world.run_for(300);
    let follower = (leader + 1) % 3;
    let (epoch, _) = world.nodes[leader].reign.expect("it leads");
    let engine = world.nodes[follower].engine.as_mut().expect("it runs");
    assert_eq!(engine.change_voters(epoch, add(key(9)), BIRTH), Err(VoterChangeError::NotLeader));
    let refused = |world: &mut World, of| change(world, leader, of).expect_err("refused");
    assert_eq!(refused(&mut world, add(key(1))), VoterChangeError::Duplicate);
    let fresh = VoterKey { directory: Uuid([9; 16]), ..key(1) };
    assert_eq!(refused(&mut world, add(fresh)), VoterChangeError::Duplicate);
    let named = VoterKey { id: NodeId(9), directory: Uuid::ZERO };
    assert_eq!(refused(&mut world, add(named)), VoterChangeError::NoDirectory);
    let nowhere = VoterChange::Add(Voter { key: key(9), endpoints: Vec::new() });
    assert_eq!(refused(&mut world, nowhere), VoterChangeError::BadEndpoint);
    let unknown = VoterChange::Remove(key(9));
    assert_eq!(refused(&mut world, unknown), VoterChangeError::NotFound);
    assert_eq!(refused(&mut world, VoterChange::Remove(fresh)), VoterChangeError::NotFound);
    join(&mut world, 8);
    world.run_for(1000);
    world.isolate(leader);
    change(&mut world, leader, add(key(8))).expect("accepted");
    assert_eq!(refused(&mut world, VoterChange::Remove(key(1))), VoterChangeError::Busy);
    let (mut alone, leader) = World::led_dynamic(6, 1);
    let last = change(&mut alone, leader, VoterChange::Remove(key(1)));
    assert_eq!(last, Err(VoterChangeError::BadCount));
}

#[test]
fn voters_that_were_named_without_directories_do_not_change() {
    let (mut world, leader) = World::led(10, 3);
    world.run_for(300);
    join(&mut world, 4);
    world.run_for(1000);
    assert_eq!(observers(&world, leader), [0; 0]);
    let refused = change(&mut world, leader, add(key(4)));
    assert_eq!(refused, Err(VoterChangeError::Unsupported));
}

/// `kraft.version` 1 for voters that were named by their node ids alone.
fn finalize(world: &mut World, leader: usize) -> Result<(), VoterChangeError> {
    change(world, leader, VoterChange::FinalizeKRaftVersion(keyed(3)))
}

fn directories(world: &World, at: usize) -> Vec<VoterKey> {
    let engine = world.nodes[at].engine.as_ref().expect("it runs");
    engine.voters().iter().map(|voter| voter.key).collect()
}

#[test]
fn voters_that_were_named_without_directories_get_these_and_then_come_and_go() {
    let (mut world, leader) = World::led(13, 3);
    world.run_for(500);
    finalize(&mut world, leader).expect("all of them were met");
    world.run_for(500);
    for at in 0..3 {
        assert_eq!(directories(&world, at), [key(1), key(2), key(3)]);
    }
    let at = join(&mut world, 4);
    world.run_for(1000);
    assert_eq!(directories(&world, at), [key(1), key(2), key(3)], "it is in the log");
    change(&mut world, leader, add(key(4))).expect("added");
    world.run_for(500);
    let removed = (leader + 1) % 3;
    let gone = world.nodes[removed].key;
    change(&mut world, leader, VoterChange::Remove(gone)).expect("removed");
    world.run_for(1000);
    assert_eq!(observers(&world, leader), [gone.id.0]);
    assert_eq!(change(&mut world, leader, add(gone)), Err(VoterChangeError::Retired));
    // Whoever is left goes on after everybody has started again, the one that came later with them.
    for at in 0..4 {
        world.kill(at);
        world.start(at);
    }
    let leader = world.run_until_led();
    assert_ne!(leader, removed);
    let acks = world.counts.acks;
    world.run_for(1000);
    assert!(world.counts.acks > acks);
    for at in 0..4 {
        assert_eq!(ids(&world, at), ids(&world, leader));
        assert_eq!(ids(&world, at).len(), 3);
    }
    world.check_equal();
}

#[test]
fn a_node_that_begins_with_a_snapshot_knows_the_voters_by_their_first_numbers() {
    let weather = Weather { snapshot_every: 5, ..Weather::calm(3) };
    let mut world = World::new(14, weather, None);
    let leader = world.run_until_led();
    world.run_for(500);
    finalize(&mut world, leader).expect("all of them were met");
    world.run_for(3000);
    let at = join(&mut world, 4);
    world.run_for(3000);
    assert!(world.nodes[at].installs > 0, "it came by a snapshot");
    change(&mut world, leader, add(key(4))).expect("added");
    world.run_for(1000);
    world.kill(leader);
    let next = world.run_until_led();
    let acks = world.counts.acks;
    world.run_for(1000);
    assert!(world.counts.acks > acks, "three of four");
    assert_eq!(ids(&world, at), ids(&world, next));
    world.start(leader);
    world.check_equal();
}

#[test]
fn kraft_version_1_needs_every_voter_to_be_known_by_its_directory() {
    let (mut world, leader) = World::led(15, 3);
    world.next_client = u64::MAX;
    world.run_for(300);
    let of = VoterChange::FinalizeKRaftVersion;
    let refused = change(&mut world, leader, of(keyed(2)));
    assert_eq!(refused, Err(VoterChangeError::NotFound), "one is missing");
    let mut others = keyed(3);
    others[(leader + 1) % 3].key.directory = Uuid([0x99; 16]);
    let refused = change(&mut world, leader, of(others));
    assert_eq!(refused, Err(VoterChangeError::NotFound), "another was met");
    let mut nowhere = keyed(3);
    nowhere[0].endpoints.clear();
    assert_eq!(change(&mut world, leader, of(nowhere)), Err(VoterChangeError::BadEndpoint));
    for at in [1, 2] {
        world.isolate((leader + at) % 3);
    }
    finalize(&mut world, leader).expect("accepted");
    assert_eq!(finalize(&mut world, leader), Err(VoterChangeError::Busy));
}

#[test]
fn a_voter_that_was_never_met_has_no_directory_to_be_known_by() {
    let mut world = World::new(16, Weather::calm(3), None);
    world.kill(0);
    let leader = world.run_until_led();
    world.run_for(1000);
    assert_eq!(finalize(&mut world, leader), Err(VoterChangeError::NoDirectory));
}

/// The upgrade at any moment, power losses in the middle of it, and voters that come and go after.
#[test]
fn kraft_version_1_comes_under_power_losses_and_nothing_is_lost() {
    for seed in super::seeds(0..40) {
        let (mut world, leader) = World::led(2000 + seed, 3);
        world.is_changing = true;
        world.run_for(100 + seed * 7 % 300);
        finalize(&mut world, leader).expect("all of them were met");
        world.run_for(seed % 4);
        for at in 0..3 {
            if (seed >> at) % 2 == 0 {
                world.lose_power(at);
                world.nodes[at].down_until = Some(world.now + (100 + 50 * at as u64) * MS);
            }
        }
        world.run_for(1000);
        let leader = world.run_until_led();
        world.run_for(500);
        if directories(&world, leader)[0].directory.is_zero() {
            // It was lost with the reign.
            finalize(&mut world, leader).expect("all of them were met");
            world.run_for(500);
        }
        let at = join(&mut world, 4);
        world.run_for(1500);
        change(&mut world, leader, add(key(4))).expect("it has the log");
        world.run_for(500);
        change(&mut world, leader, VoterChange::Remove(key(leader as i32 + 1))).expect("removed");
        world.run_for(1000);
        world.lose_power(at);
        world.nodes[at].down_until = Some(world.now + 100 * MS);
        world.run_for(1000);
        let next = world.run_until_led();
        let acks = world.counts.acks;
        world.run_for(1000);
        assert!(world.counts.acks > acks, "seed {seed}: it goes on");
        assert_ne!(next, leader, "seed {seed}");
        for at in 0..4 {
            assert_eq!(directories(&world, at), directories(&world, next), "seed {seed}");
        }
        world.check_equal();
    }
}

#[test]
fn a_voter_is_not_removed_if_those_that_stay_are_no_majority() {
    let (mut world, leader) = World::led_dynamic(11, 3);
    world.run_for(500);
    let [dead, alive] = [(leader + 1) % 3, (leader + 2) % 3];
    world.kill(dead);
    world.run_for(2000);
    let gone = world.nodes[alive].key;
    let refused = change(&mut world, leader, VoterChange::Remove(gone));
    assert_eq!(refused, Err(VoterChangeError::NoMajority));
    world.is_changing = true;
    let gone = world.nodes[dead].key;
    change(&mut world, leader, VoterChange::Remove(gone)).expect("the two that stay run");
    world.run_for(500);
    assert_eq!(ids(&world, alive).len(), 2);
}

#[test]
fn a_voter_that_listens_elsewhere_is_known_there_by_all() {
    let (mut world, leader) = World::led_dynamic(12, 3);
    world.run_for(300);
    let moved = Voter { key: key(2), endpoints: endpoints(NodeId(77)) };
    change(&mut world, leader, VoterChange::Update(moved)).expect("it votes");
    let stranger = Voter { key: key(9), endpoints: endpoints(NodeId(9)) };
    world.run_for(500);
    let unknown = change(&mut world, leader, VoterChange::Update(stranger));
    assert_eq!(unknown, Err(VoterChangeError::NotFound));
    for at in 0..3 {
        world.kill(at);
        world.start(at);
    }
    world.run_until_led();
    world.run_for(500);
    for node in &world.nodes {
        let status = node.engine.as_ref().expect("it runs").status();
        assert_eq!(status.voters[1].endpoints, endpoints(NodeId(77)));
    }
    world.check_equal();
}

/// Three voters shrink to one, each change acknowledged by the voter that goes next; then the two
/// that went start again, from what they have on disk.
#[test]
fn voters_that_were_removed_make_no_majority_after_a_restart() {
    for seed in 0..40 {
        let (mut world, leader) = World::led_dynamic(seed, 3);
        world.is_changing = true;
        world.run_for(300);
        let others = [(leader + 1) % 3, (leader + 2) % 3];
        for other in others {
            let gone = world.nodes[other].key;
            change(&mut world, leader, VoterChange::Remove(gone)).expect("removed");
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
        let (mut world, _) = World::led_dynamic(seed, 3);
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
        let leader = world.run_until_led();
        if !ids(&world, leader).contains(&4) {
            change(&mut world, leader, add(key(4))).expect("it has the log by now");
            world.run_for(500);
        }
        world.check_equal();
        assert_eq!(ids(&world, at), [1, 2, 3, 4], "seed {seed}");
    }
}

/// Additions and removals at any moment, of the leader too, with power losses in between; what is
/// acknowledged stays, and whoever leads is one that all agree on.
#[test]
fn voters_come_and_go_at_random_under_power_losses_and_cuts() {
    for seed in super::seeds(0..25) {
        let (mut world, _) = World::led_dynamic(1000 + seed, 3);
        for id in [4, 5] {
            join(&mut world, id);
        }
        let mut changes = 0;
        for round in 0..40u64 {
            let dice = seed * 31 + round * 17 + round * round;
            let victim = (dice % 5) as usize;
            match dice % 4 {
                0 => {
                    world.lose_power(victim);
                    world.nodes[victim].down_until = Some(world.now + 200 * MS);
                }
                1 => world.isolate(victim),
                _ => world.cut.clear(),
            }
            world.run_for(100 + dice % 300);
            let Some(leader) = world.leader() else { continue };
            let of = world.nodes[victim].key;
            let is_voter = ids(&world, leader).contains(&of.id.0);
            let wanted = if is_voter { VoterChange::Remove(of) } else { add(of) };
            changes += usize::from(change(&mut world, leader, wanted).is_ok());
            // In the middle of the change.
            if dice % 3 == 0 {
                world.lose_power(leader);
                world.nodes[leader].down_until = Some(world.now + 100 * MS);
            }
        }
        world.cut.clear();
        world.run_for(3000);
        let leader = world.run_until_led();
        let acks = world.counts.acks;
        world.run_for(1000);
        assert!(world.counts.acks > acks, "seed {seed}: it goes on");
        assert!(changes > 0, "seed {seed}: the voters changed");
        world.check_equal();
        for at in 0..5 {
            assert_eq!(ids(&world, at), ids(&world, leader), "seed {seed}");
        }
    }
}
