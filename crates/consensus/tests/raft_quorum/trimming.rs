//! Logs that are trimmed behind snapshots, and voters that are behind where they begin.

use std::io;

use consensus::{ConsensusEngine, MetadataLog, Voter, VoterChange};
use types::Offset;

use super::disk::Disk;
use super::node::{BIRTH, Node, endpoints, key};
use super::world::World;

const SMALL: usize = 100;
/// Several parts.
const LARGE: usize = 3_500_000;

/// A leader, and another voter that is cut off and behind the logs of the others.
fn with_one_behind(seed: u64, snapshot_bytes: usize) -> (World, usize, usize) {
    let (mut world, leader) = World::led(seed, 3);
    world.write_snapshots(20, snapshot_bytes);
    world.run_for(300);
    let behind = (leader + 1) % 3;
    world.isolate(behind);
    world.run_for(3000);
    let leader = world.run_until_led();
    let (start, end) = (world.nodes[leader].disk.log_start(), world.nodes[behind].disk.log_end());
    assert!(end < start, "{end} of one is before {start} of the others");
    (world, leader, behind)
}

/// Hands over until `at` leads.
fn lead(world: &mut World, at: usize) {
    for _ in 0..20 {
        let leader = world.run_until_led();
        if leader == at {
            return;
        }
        let epoch = world.epoch(leader);
        world.nodes[leader].engine.as_mut().expect("it runs").resign(epoch);
        world.drain(leader);
        world.run_for(300);
    }
    panic!("{at} never leads");
}

#[test]
fn a_voter_behind_the_trimmed_log_is_brought_up_by_a_snapshot_and_then_leads() {
    let (mut world, leader, behind) = with_one_behind(1, SMALL);
    world.cut.clear();
    world.run_for(2000);
    assert!(world.nodes[behind].installs > 0, "a snapshot came");
    let trims = world.nodes[behind].trims;
    world.kill(leader);
    lead(&mut world, behind);
    let acks = world.counts.acks;
    world.run_for(2000);
    assert!(world.counts.acks > acks && world.nodes[behind].trims > trims);
    world.start(leader);
    world.check_equal();
}

#[test]
fn a_whole_quorum_starts_from_snapshots_and_what_is_behind_them() {
    let (mut world, _, _) = with_one_behind(2, SMALL);
    world.cut.clear();
    world.run_for(2000);
    (0..3).for_each(|at| world.kill(at));
    (0..3).for_each(|at| world.start(at));
    let acks = world.counts.acks;
    world.run_until_led();
    world.run_for(1000);
    assert!(world.counts.acks > acks);
    world.check_equal();
}

#[test]
fn a_snapshot_in_many_parts_arrives_though_either_end_loses_its_power_in_the_middle() {
    for ms in 1..14 {
        for sender in [false, true] {
            let (mut world, leader, behind) = with_one_behind(3, LARGE);
            world.cut.clear();
            world.run_for(200 + ms);
            let victim = if sender { leader } else { behind };
            world.kill(victim);
            world.run_for(1500);
            world.start(victim);
            world.run_for(3000);
            assert!(world.nodes[behind].installs > 0, "{ms} {sender}");
            world.check_equal();
        }
    }
}

#[test]
fn a_snapshot_is_taken_over_wherever_the_disk_stops() {
    let mut stopped = 0;
    for calls in 0..14 {
        let (mut world, _, behind) = with_one_behind(4, SMALL);
        world.cut.clear();
        world.nodes[behind].disk.fail_after(calls);
        let stops = world.counts.disk_stops;
        world.run_for(4000);
        stopped += world.counts.disk_stops - stops;
        assert!(world.nodes[behind].installs > 0, "{calls}");
        world.check_equal();
    }
    assert!(stopped >= 14, "{stopped}");
}

#[test]
fn a_trimmed_voter_without_a_whole_snapshot_does_not_start() {
    let (mut world, leader, _) = with_one_behind(5, SMALL);
    world.kill(leader);
    let log = world.nodes[leader].disk.log.clone();
    let newest = log.newest_snapshot().expect("one was written");
    let older = log.find_snapshot(Offset::ZERO).expect("memory works");
    assert_eq!(older, Some(newest));
    log.put_snapshot(newest, bytes::Bytes::from_static(b"damaged"));
    let older = log.find_snapshot(Offset::ZERO).expect("memory works").expect("an older one");
    assert!(older < newest);
    world.start(leader);
    assert_eq!(world.nodes[leader].is_fatal, None, "the older one will do");
    world.kill(leader);
    log.put_snapshot(older, bytes::Bytes::from_static(b"damaged"));
    let refused = Node::new(key(leader as i32 + 1), world.nodes[leader].disk.clone());
    let mut refused = refused;
    refused.start(world.voters(), 5, world.now);
    let why = refused.is_fatal.expect("it is refused");
    assert!(why.contains("no whole snapshot"), "{why}");
}

#[test]
fn a_node_that_observes_a_trimmed_log_has_it_from_a_snapshot_and_is_added_to_the_voters() {
    let (mut world, leader) = World::led_dynamic(6, 1);
    world.write_snapshots(20, SMALL);
    world.run_for(3000);
    assert!(world.nodes[leader].trims > 0);
    world.is_changing = true;
    let at = world.join(Node::new(key(2), Disk::new(None)));
    world.run_for(2000);
    assert!(world.nodes[at].installs > 0);
    let (epoch, next) = world.nodes[leader].reign.expect("it leads");
    let voter = Voter { key: key(2), endpoints: endpoints(key(2).id) };
    let engine = world.nodes[leader].engine.as_mut().expect("it runs");
    engine.change_voters(epoch, VoterChange::Add(voter), BIRTH).expect("it has the log");
    world.nodes[leader].reign = Some((epoch, next.plus(1)));
    world.drain(leader);
    world.run_for(2000);
    lead(&mut world, at);
    world.check_equal();
}

#[test]
fn nothing_is_let_go_of_that_is_not_delivered_or_behind_no_batch() -> io::Result<()> {
    let (mut world, leader) = World::led(7, 1);
    world.run_for(300);
    let gate = &world.nodes[leader].gate;
    let (next, epoch) = (gate.next(), gate.last_epoch());
    let engine = world.nodes[leader].engine.as_mut().expect("it runs");
    for end in [next, next.plus(1), Offset(1_000_000)] {
        assert!(!engine.trim(consensus::LogMark { end, epoch })?, "{end} is the end or past it");
    }
    let other = consensus::LogMark { end: Offset(1), epoch: epoch.next() };
    assert!(!engine.trim(other)?, "it is of another epoch");
    assert!(engine.trim(consensus::LogMark { end: Offset(1), epoch })?);
    assert_eq!(engine.log_start(), Offset(1));
    Ok(())
}
