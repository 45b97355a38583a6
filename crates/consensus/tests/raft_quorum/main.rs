//! Voters under loss, delay, doubling, reordering, cuts, pauses and power losses; every seed a run
//! of its own. A longer campaign: `OTTLA_RAFT_SEEDS=0..10000 cargo test --release -p consensus
//! --test raft_quorum`; one seed again: `OTTLA_RAFT_SEEDS=17..18`.

mod chance;
mod disk;
mod history;
mod membership;
mod node;
mod pitfalls;
mod timing;
mod trimming;
mod world;

use std::ops::Range;

use disk::Defect;
use world::{Counts, MS, Weather, World};

const SPAN: u64 = 12_000 * MS;
const HEALING: u64 = 4_000 * MS;

fn run(seed: u64, defect: Option<Defect>) -> (Counts, Vec<String>, usize) {
    let mut world = World::new(seed, Weather::of_seed(seed), defect);
    world.run(SPAN);
    if world.history.violations.is_empty() {
        world.heal(HEALING);
    }
    let leaders = world.history.leaders();
    world.history.violations.truncate(3);
    (world.counts, world.history.violations, leaders)
}

fn seeds(of_check: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("OTTLA_RAFT_SEEDS") else { return of_check };
    let range =
        text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.unwrap_or_else(|| panic!("OTTLA_RAFT_SEEDS={text} is not a range like 0..1000"))
}

#[test]
fn voters_agree_and_lose_nothing_that_was_acknowledged_whatever_happens() {
    let mut sum = Counts::default();
    let mut reigns = 0;
    for seed in seeds(0..300) {
        let (counts, violations, leaders) = run(seed, None);
        assert!(
            violations.is_empty(),
            "seed {seed}: {violations:#?}\nagain: OTTLA_RAFT_SEEDS={seed}..{} cargo test -p \
             consensus --test raft_quorum",
            seed + 1
        );
        sum.messages += counts.messages;
        sum.acks += counts.acks;
        sum.power_losses += counts.power_losses;
        sum.disk_stops += counts.disk_stops;
        sum.cuts += counts.cuts;
        sum.one_way_cuts += counts.one_way_cuts;
        sum.pauses += counts.pauses;
        sum.resignations += counts.resignations;
        sum.unsynced_lost += counts.unsynced_lost;
        sum.installs += counts.installs;
        sum.trims += counts.trims;
        reigns += leaders;
    }
    println!("{sum:?}, {reigns} reigns");
    let met = [sum.acks, sum.power_losses, sum.disk_stops, sum.cuts, sum.one_way_cuts];
    let met = met.into_iter().chain([
        sum.pauses,
        sum.resignations,
        sum.unsynced_lost,
        sum.installs,
        sum.trims,
    ]);
    assert!(met.min() > Some(0), "every kind of fault must have been met: {sum:?}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..10 {
        let (first, _, _) = run(seed, None);
        let (second, _, _) = run(seed, None);
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.messages, second.messages, "seed {seed}");
    }
}

fn is_caught(defect: Defect) -> String {
    let caught = (0..200).find(|seed| !run(*seed, Some(defect)).1.is_empty());
    let seed = caught.unwrap_or_else(|| panic!("{defect:?} was not seen in 200 runs"));
    let why = run(seed, Some(defect)).1.join("; ");
    println!("{defect:?}: seed {seed}, {why}");
    why
}

#[test]
fn the_checker_sees_messages_that_leave_before_what_they_say_is_kept() {
    is_caught(Defect::SyncsLie);
}

#[test]
fn the_checker_sees_a_forgotten_vote() {
    is_caught(Defect::VoteIsForgotten);
}

#[test]
fn the_checker_sees_a_replaced_disk_that_votes_on() {
    is_caught(Defect::DiskIsReplacedUnderTheSameIdentity);
}

#[test]
fn the_checker_sees_a_tail_that_comes_back() {
    is_caught(Defect::TruncationIsForgotten);
}

#[test]
fn the_checker_sees_a_leader_that_hears_nobody_and_leads_on() {
    let is_seen = |seed: &u64| {
        let broken = run(*seed, Some(Defect::LeadersHearNoClock)).1;
        broken.iter().any(|why| why.contains("heard nobody"))
    };
    assert!((0..200).any(|seed| is_seen(&seed)));
}

/// It would vote a second time in an epoch: it does not start.
#[test]
fn a_voter_whose_vote_is_gone_and_its_log_is_not_takes_part_no_more() {
    let why = is_caught(Defect::QuorumStateIsLost);
    assert!(why.contains("of a quorum of one"), "{why}");
}

/// Batches have no index of their own on disk: where one is, is what comes before it.
#[test]
fn a_log_that_is_cut_elsewhere_than_at_the_batch_ends_the_process() {
    let caught = (0..200).find_map(|seed| {
        let run = std::panic::catch_unwind(|| run(seed, Some(Defect::TruncationLeavesABatch)));
        run.err()?.downcast_ref::<String>().cloned()
    });
    let why = caught.expect("seen in 200 runs");
    assert!(why.contains("was cut elsewhere"), "{why}");
}
