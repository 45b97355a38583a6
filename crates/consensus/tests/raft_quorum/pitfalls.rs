//! The ways in which quorums have lost data elsewhere, each on its own.

use bytes::Bytes;
use consensus::{ConsensusEngine, EngineEvent, NodeId, ProposeError};
use types::Uuid;

use super::disk::Disk;
use super::node::{BIRTH, named};
use super::world::{MS, Weather, World};

/// Fifty proposals at the node that thinks it leads; none is drained.
fn propose_fifty(world: &mut World, at: usize) {
    for i in 0..50 {
        let (epoch, next) = world.nodes[at].reign.expect("it leads");
        let id = Bytes::from(format!("zombie {i}"));
        let engine = world.nodes[at].engine.as_mut().expect("it runs");
        engine.propose(epoch, next, vec![id], BIRTH).expect("it is not known to be deposed");
        world.nodes[at].pending.insert(next, epoch);
        world.nodes[at].reign = Some((epoch, next.plus(1)));
    }
}

fn committed_ids(world: &World) -> Vec<Bytes> {
    world.history.agreed.iter().flat_map(|batch| batch.records.clone()).collect()
}

#[test]
fn a_zombie_controllers_queue_is_never_delivered_after_another_reign_began() {
    let (mut world, old) = World::led(1, 3);
    world.next_client = u64::MAX;
    world.run_for(500);
    world.isolate(old);
    propose_fifty(&mut world, old);
    world.drain(old);
    let new = world.run_until_led();
    assert_ne!(new, old);
    world.propose();
    world.run_for(500);
    world.cut.clear();
    world.run_for(2000);
    assert!(world.nodes[old].reign.is_none(), "it was told");
    world.check_equal();
    assert!(!committed_ids(&world).iter().any(|id| id.starts_with(b"zombie")));
}

#[test]
fn a_leader_that_is_cut_off_acknowledges_nothing_while_another_does() {
    let (mut world, old) = World::led(2, 5);
    world.run_for(500);
    world.isolate(old);
    // What was on its way arrives.
    world.run_for(10);
    let delivered = world.nodes[old].delivered;
    let new = world.run_until_led();
    let acks = world.counts.acks;
    world.run_for(1000);
    assert!(world.counts.acks > acks);
    assert_eq!(world.nodes[old].delivered, delivered);
    assert!(world.epoch(new) > world.epoch(old));
    world.cut.clear();
    world.check_equal();
}

#[test]
fn a_leader_without_a_majority_steps_down_by_itself() {
    let (mut world, old) = World::led(3, 3);
    world.isolate(old);
    world.run_for(1500);
    assert!(world.nodes[old].reign.is_none(), "check-quorum");
    assert_eq!(world.nodes[old].engine.as_ref().expect("it runs").status().leader, None);
}

#[test]
fn an_answer_that_is_lost_says_nothing_of_the_commit_which_happens_once() {
    let (mut world, old) = World::led(4, 3);
    world.next_client = u64::MAX;
    world.run_for(500);
    let acks = world.counts.acks;
    propose_fifty(&mut world, old);
    // The proposals leave, the answers do not come back.
    for other in (0..3).filter(|other| *other != old) {
        world.cut.insert((other, old));
    }
    world.drain(old);
    world.run_for(2500);
    world.cut.clear();
    world.check_equal();
    assert_eq!(world.counts.acks, acks, "the proposer was told Follow, not Committed");
    let ids = committed_ids(&world);
    // Which of them arrived in their order is the network's business.
    assert!(ids.iter().any(|id| id.starts_with(b"zombie")), "it was committed all the same");
}

#[test]
fn nobody_hears_leader_before_the_reign_is_committed() {
    let (mut world, old) = World::led(5, 3);
    world.run_for(300);
    let reigns = world.history.leaders();
    // Votes arrive, what the winner appends does not.
    world.kill(old);
    let others: Vec<_> = (0..3).filter(|at| *at != old).collect();
    let epochs = |world: &World| others.iter().map(|at| world.epoch(*at)).max();
    let before = epochs(&world);
    while epochs(&world) == before {
        world.run_for(1);
    }
    // A candidate stands; from its first vote on it hears nothing any more.
    world.run_for(2);
    world.cut.extend([(others[0], others[1]), (others[1], others[0])]);
    world.run_for(3000);
    assert_eq!(world.history.leaders(), reigns);
    world.cut.clear();
    world.run_until_led();
}

#[test]
fn a_voter_that_was_away_does_not_depose_the_leader() {
    let (mut world, leader) = World::led(6, 3);
    let other = (leader + 1) % 3;
    let epoch = world.epoch(leader);
    world.isolate(other);
    world.run_for(5000);
    world.cut.clear();
    world.run_for(3000);
    assert_eq!(world.epoch(leader), epoch, "pre-vote");
    assert!(world.nodes[leader].reign.is_some());
    world.check_equal();
}

#[test]
fn a_voter_that_slept_hears_what_waits_before_it_stands_for_election() {
    let (mut world, leader) = World::led(7, 3);
    let epoch = world.epoch(leader);
    world.nodes[(leader + 1) % 3].paused_until = world.now + 30_000 * MS;
    world.run_for(33_000);
    assert_eq!(world.epoch(leader), epoch);
    let old = leader;
    world.nodes[old].paused_until = world.now + 30_000 * MS;
    world.run_for(5000);
    let new = world.leader().expect("another leads");
    let epoch = world.epoch(new);
    assert_ne!(new, old);
    world.run_for(30_000);
    assert_eq!(world.leader(), Some(new), "a leader that slept leads no more");
    assert_eq!(world.epoch(new), epoch);
    world.check_equal();
}

#[test]
fn a_voter_with_a_replaced_disk_is_not_the_voter_it_was() {
    let (mut world, leader) = World::led(8, 3);
    world.run_for(500);
    let victim = (leader + 1) % 3;
    world.kill(victim);
    world.nodes[victim].disk = Disk::new(None);
    world.nodes[victim].key.directory = Uuid([0x77; 16]);
    let (seed, now) = (world.seed, world.now);
    world.nodes[victim].start(named(3), seed, now);
    // The host stops when it is told; this one stays down then.
    let mut told = None;
    for _ in 0..400 {
        world.run(world.now + 5 * MS);
        let node = &mut world.nodes[victim];
        let Some(engine) = &mut node.engine else { break };
        if let Some(EngineEvent::Fatal(error)) = engine.poll_event() {
            told = Some(error.to_string());
            break;
        }
    }
    let down = world.nodes[victim].down_until.is_some();
    assert!(told.is_some_and(|why| why.contains("disk was replaced")) || down);
    assert_eq!(world.nodes[victim].disk.log.batches(), Vec::new(), "it took part in nothing");
    world.nodes[victim].down_until = None;
    let acks = world.counts.acks;
    world.run_for(1000);
    assert!(world.counts.acks > acks, "the other two go on");
}

#[test]
fn a_disk_that_was_copied_to_another_directory_is_refused() {
    let (mut world, _) = World::led(9, 3);
    world.run_for(500);
    world.kill(0);
    world.nodes[0].key.directory = Uuid([0x55; 16]);
    let (voters, seed, now) = (named(3), world.seed, world.now);
    world.nodes[0].start(voters, seed, now);
    let why = world.nodes[0].is_fatal.clone().expect("refused");
    assert!(why.contains("belongs to log directory"), "{why}");
}

#[test]
fn a_voter_that_lost_what_it_had_acknowledged_stops_and_says_so() {
    let (mut world, leader) = World::led(10, 3);
    world.run_for(1000);
    let victim = (leader + 1) % 3;
    world.next_client = u64::MAX;
    world.run_for(50);
    world.kill(victim);
    let log = &mut world.nodes[victim].disk.log;
    let base = log.batches()[3].base_offset;
    consensus::MetadataLog::truncate_to(log, base, BIRTH).expect("memory works");
    world.nodes[victim].start(named(3), world.seed, world.now);
    world.run_for(1500);
    assert!(world.counts.disk_stops > 0, "it was fatal");
    world.next_client = world.now;
    let acks = world.counts.acks;
    world.run_for(1000);
    assert!(world.counts.acks > acks, "the other two go on");
}

#[test]
fn a_quorum_of_ones_log_is_not_forgotten_when_others_are_configured() {
    let mut alone = World::new(11, Weather::calm(1), None);
    alone.run_until_led();
    alone.run_for(500);
    let mut node = super::node::Node::new(super::node::key(1), Disk::new(None));
    // The batches of a single voter, without a quorum state.
    for batch in alone.nodes[0].disk.log.batches() {
        node.disk.log.push_unsynced(batch.epoch, &[Bytes::from_static(b"r")], BIRTH);
    }
    node.start(named(3), 0, 0);
    let why = node.is_fatal.expect("refused");
    assert!(why.contains("quorum of one"), "{why}");
}

#[test]
fn a_power_loss_between_any_two_writes_costs_no_vote_and_no_batch() {
    for calls in 0..60 {
        let mut world = World::new(calls, Weather::calm(3), None);
        world.nodes.iter().for_each(|node| node.disk.fail_after(calls));
        world.run_for(3000);
        let leader = world.run_until_led();
        world.nodes[leader].disk.fail_after(calls % 7);
        world.nodes[(leader + 1) % 3].disk.fail_after(calls % 11);
        world.run_for(3000);
        assert!(world.counts.power_losses > 0);
        world.run_until_led();
        world.check_equal();
    }
}

#[test]
fn two_voters_of_which_one_is_down_serve_and_change_nothing() {
    let (mut world, leader) = World::led(12, 2);
    world.run_for(500);
    let other = 1 - leader;
    world.kill(other);
    world.run_for(50);
    let committed = world.history.agreed.len();
    world.run_for(3000);
    assert_eq!(world.history.agreed.len(), committed);
    let status = world.nodes[leader].engine.as_ref().expect("it runs").status();
    assert_eq!(status.high_watermark, world.nodes[leader].gate.next());
    assert_eq!(status.leader, None, "it knows that it has no majority");
    world.start(other);
    world.run_until_led();
    world.check_equal();
    assert!(world.history.agreed.len() > committed);
}

#[test]
fn proposals_that_nobody_confirms_are_bounded() {
    let (mut world, leader) = World::led(13, 3);
    world.next_client = u64::MAX;
    world.isolate(leader);
    let (epoch, mut next) = world.nodes[leader].reign.expect("it leads");
    let engine = world.nodes[leader].engine.as_mut().expect("it runs");
    let refused = (0..5000).find_map(|_| {
        let proposed = engine.propose(epoch, next, vec![Bytes::from_static(b"x")], BIRTH);
        next = next.plus(1);
        proposed.err()
    });
    assert_eq!(refused, Some(ProposeError::Busy));
}

#[test]
fn the_leader_knows_how_far_every_voter_is() {
    let (mut world, leader) = World::led(14, 3);
    world.run_for(1000);
    let behind = (leader + 1) % 3;
    world.isolate(behind);
    world.run_for(1000);
    let status = world.nodes[leader].engine.as_ref().expect("it runs").status();
    assert_eq!(status.leader, Some(NodeId(leader as i32 + 1)));
    let voter = |at: usize| &status.voters[at];
    let end = voter(leader).log_end.expect("its own");
    assert!(voter(behind).log_end.is_some_and(|behind| behind < end));
    let heard = voter(behind).heard_at.expect("it was heard");
    assert!(voter(leader).heard_at.is_some_and(|now| now.0 - heard.0 >= 900));
    assert!(voter((leader + 2) % 3).caught_up_at > voter(behind).caught_up_at);
    let of_follower = world.nodes[(leader + 2) % 3].engine.as_ref().expect("it runs").status();
    assert_eq!(of_follower.leader, status.leader);
    assert_eq!(of_follower.voters[behind].log_end, None, "only the leader knows");
    assert_eq!(voter(behind).directory, world.nodes[behind].key.directory);
}

#[test]
fn what_comes_from_strangers_is_refused_and_harmless() {
    let (mut world, leader) = World::led(15, 3);
    let mut chance = super::chance::Chance::new(15);
    let engine = world.nodes[leader].engine.as_mut().expect("it runs");
    for bytes in 0..2000_usize {
        let noise: Vec<u8> = (0..bytes % 200).map(|_| chance.below(256) as u8).collect();
        assert!(engine.handle_message(Bytes::from(noise)).is_err());
    }
    world.check_equal();
}
