//! How long a quorum is without a leader, and that it is not without reason.

use super::world::{MS, Weather, World};

/// Milliseconds from the loss of a leader to the next `Leader`, sorted.
fn gaps(voters: i32, delay_ms: u64, lose: impl Fn(&mut World, usize)) -> Vec<u64> {
    let mut gaps: Vec<_> = (0..200)
        .map(|seed| {
            let weather = Weather { delay_max: delay_ms * MS, ..Weather::calm(voters) };
            let mut world = World::new(seed, weather, None);
            let leader = world.run_until_led();
            world.run_for(1000 + seed * 7);
            let began = world.now;
            world.nodes[leader].reign = None;
            lose(&mut world, leader);
            world.run_until_led();
            (world.now - began) / MS
        })
        .collect();
    gaps.sort_unstable();
    gaps
}

fn show(what: &str, gaps: &[u64]) {
    let [p50, p99] = [gaps.len() / 2, gaps.len() * 99 / 100].map(|at| gaps[at]);
    println!("{what}: p50 {p50} ms, p99 {p99} ms, most {} ms", gaps[gaps.len() - 1]);
}

#[test]
fn a_dead_leader_is_followed_by_another_in_little_more_than_a_second() {
    for voters in [3, 5] {
        let gaps = gaps(voters, 2, |world, leader| world.kill(leader));
        show(&format!("{voters} voters, leader killed"), &gaps);
        assert!(gaps[100] <= 800 && gaps[198] <= 1500, "{gaps:?}");
    }
}

#[test]
fn a_leader_that_is_cut_off_is_followed_as_fast() {
    let gaps = gaps(3, 2, |world, leader| world.isolate(leader));
    show("3 voters, leader cut off", &gaps);
    assert!(gaps[100] <= 800 && gaps[198] <= 1500, "{gaps:?}");
}

#[test]
fn a_leader_that_resigns_hands_over_at_once() {
    let gaps = gaps(3, 2, |world, leader| {
        let epoch = world.epoch(leader);
        let engine = world.nodes[leader].engine.as_mut().expect("it runs");
        consensus::ConsensusEngine::resign(engine, epoch);
        world.drain(leader);
    });
    show("3 voters, leader resigns", &gaps);
    // An append that is overtaken on the way can cost the heir its election.
    assert!(gaps[100] <= 50 && gaps[150] <= 100, "{gaps:?}");
}

#[test]
fn a_leader_knows_whom_it_follows_and_how_long_that_one_had_been_silent() {
    let deposed = |world: &World, at: usize| {
        let engine = world.nodes[at].engine.as_ref().expect("it runs");
        consensus::ConsensusEngine::deposed_leader(engine)
    };
    let (mut world, first) = World::led(31, 3);
    assert_eq!(deposed(&world, first), None, "nobody led before");
    world.run_for(1000);
    world.isolate(first);
    world.nodes[first].reign = None;
    let second = world.run_until_led();
    let before = deposed(&world, second).expect("it followed somebody");
    assert_eq!(before.node, world.nodes[first].key.id);
    assert!((400..1500).contains(&before.silent.as_millis()), "{before:?}");
    let engine = world.nodes[second].engine.as_mut().expect("it runs");
    let epoch = consensus::ConsensusEngine::status(engine).leader_epoch;
    consensus::ConsensusEngine::resign(engine, epoch);
    world.nodes[second].reign = None;
    world.drain(second);
    let third = world.run_until_led();
    let before = deposed(&world, third).expect("it followed somebody");
    assert_eq!(before.node, world.nodes[second].key.id);
    assert!(before.silent.as_millis() <= 200, "one that resigns was heard just before: {before:?}");
}

/// What happens once a leader that one voter does not hear was confirmed by the other.
#[derive(Clone, Copy, Debug)]
enum Then {
    IsCutOff,
    /// And the voter that confirmed it starts again.
    Forgets,
    Resigns,
}

#[test]
fn nobody_leads_before_those_who_confirmed_a_leader_have_missed_it_for_as_long_as_is_said() {
    let mut longest = 0;
    for then in [Then::IsCutOff, Then::Forgets, Then::Resigns] {
        for seed in 0..40 {
            let (mut world, first) = World::led(seed, 3);
            let deaf = (first + 1) % 3;
            // All have the same log, and could lead.
            world.next_client = u64::MAX;
            world.run_for(500);
            // The other still hears the leader, and does not vote for the one that does not.
            world.cut.insert((first, deaf));
            world.run_for(3000 + seed * 7);
            let epoch = world.epoch(first);
            let engine = world.nodes[first].engine.as_mut().expect("it runs");
            let number = consensus::ConsensusEngine::confirm(engine, epoch).expect("it leads");
            let asked = world.now;
            world.drain(first);
            let confirmed = |world: &World| {
                let engine = world.nodes[first].engine.as_ref().expect("it runs");
                consensus::ConsensusEngine::confirmed(engine)
            };
            while confirmed(&world) < number {
                world.run_for(1);
                assert!(world.now < asked + 100 * MS, "{then:?} {seed}: not confirmed");
            }
            let engine = world.nodes[first].engine.as_mut().expect("it runs");
            if matches!(then, Then::Resigns) {
                consensus::ConsensusEngine::resign(engine, epoch);
                world.drain(first);
            }
            world.nodes[first].reign = None;
            world.isolate(first);
            if matches!(then, Then::Forgets) {
                let other = 3 - first - deaf;
                world.nodes[other].stop();
                world.start(other);
            }
            let second = world.run_until_led();
            let engine = world.nodes[second].engine.as_ref().expect("it runs");
            let before = consensus::ConsensusEngine::deposed_leader(engine);
            let Some(before) = before else { continue };
            let passed = u128::from((world.now - asked) / MS);
            assert!(
                before.missed.as_millis() <= passed,
                "{then:?} {seed}: {before:?}, {passed} ms"
            );
            longest = longest.max(before.silent.as_millis());
        }
    }
    assert!(longest > 3000, "some had heard nothing for long: {longest} ms");
}

#[test]
fn a_leader_is_confirmed_by_those_who_hear_it_and_never_once_they_follow_another() {
    let confirm = |world: &mut World, at: usize| {
        let epoch = world.epoch(at);
        let engine = world.nodes[at].engine.as_mut().expect("it runs");
        let number = consensus::ConsensusEngine::confirm(engine, epoch).expect("it leads");
        world.drain(at);
        number
    };
    let confirmed = |world: &World, at: usize| {
        let engine = world.nodes[at].engine.as_ref().expect("it runs");
        consensus::ConsensusEngine::confirmed(engine)
    };
    let (mut world, first) = World::led(31, 3);
    world.run_for(1000);
    let number = confirm(&mut world, first);
    assert!(confirmed(&world, first) < number, "nobody was asked yet");
    world.run_for(20);
    assert_eq!(confirmed(&world, first), number, "it need not wait for its next heartbeat");
    // It sleeps while another is elected, and believes that it leads when it wakes.
    world.nodes[first].paused_until = world.now + 3000 * MS;
    world.run_for(2990);
    let second = (0..3).filter(|at| *at != first).find(|at| world.nodes[*at].reign.is_some());
    let second = second.expect("another leads");
    let before = confirm(&mut world, first);
    world.run_for(2000);
    assert!(confirmed(&world, first) < before, "what was asked is of a reign that has ended");
    let epoch = world.epoch(first);
    let engine = world.nodes[first].engine.as_mut().expect("it runs");
    assert_eq!(consensus::ConsensusEngine::confirm(engine, epoch), None, "it leads no more");
    let number = confirm(&mut world, second);
    world.run_for(20);
    assert_eq!(confirmed(&world, second), number);
}

#[test]
fn a_slow_network_alone_deposes_nobody() {
    for seed in 0..20 {
        let weather = Weather { delay_max: 150 * MS, loss_per_mille: 20, ..Weather::calm(3) };
        let mut world = World::new(seed, weather, None);
        world.run_until_led();
        let reigns = world.history.leaders();
        world.run_for(60_000);
        assert_eq!(world.history.leaders(), reigns, "seed {seed}");
    }
}
