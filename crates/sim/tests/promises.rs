//! What a node keeps through crashes; and the proof that a broken promise is found out.

use sim::run::{Outcome, run};
use sim::world::{Faults, Lie, Met};

const CHAOS_MS: u64 = 4_000;
const KILL: Faults = Faults { power: false, lie: None };
const POWER: Faults = Faults { power: true, lie: None };

/// Runs the seeds and returns what they met.
fn all_keep_their_promises(seeds: std::ops::Range<u64>, faults: Faults) -> Met {
    let mut met = Met::default();
    for seed in seeds {
        let outcome = run(seed, faults, CHAOS_MS);
        assert!(outcome.broken.is_empty(), "seed {seed}: {:#?}", outcome.broken);
        assert!(outcome.records > 100, "seed {seed}: only {} records", outcome.records);
        met += outcome.met;
    }
    met
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let traces: Vec<_> = [7, 7, 8].map(|seed| run(seed, POWER, CHAOS_MS).trace).to_vec();
    assert_eq!(traces[0], traces[1]);
    assert_ne!(traces[1], traces[2]);
}

#[test]
fn killed_processes_lose_nothing_acknowledged() {
    let met = all_keep_their_promises(100..124, KILL);
    assert!(met.kills > 20 && met.deaths > 1 && met.shutdowns > 1 && met.cuts > 1, "{met:?}");
}

#[test]
fn lost_power_leaves_a_whole_log_and_all_metadata() {
    let met = all_keep_their_promises(200..210, POWER);
    assert!(met.power_losses > 5, "{met:?}");
}

/// Some seed of a few must end badly, for one of the reasons given.
fn is_found_out(lie: Lie, power: bool, promises: &[&str]) {
    let mut all = Vec::new();
    for seed in 1..8 {
        let Outcome { broken, .. } = run(seed, Faults { power, lie: Some(lie) }, CHAOS_MS);
        if broken.iter().any(|what| promises.iter().any(|promise| what.contains(promise))) {
            return;
        }
        all.extend(broken);
    }
    panic!("{lie:?} went by: {all:#?}");
}

#[test]
fn a_disk_that_drops_a_write_to_a_log_is_found_out() {
    is_found_out(Lie::LogWriteIsDropped, false, &["acknowledged records are kept"]);
}

#[test]
fn a_disk_that_drops_commits_is_found_out() {
    is_found_out(Lie::CommitsAreDropped, false, &["committed offsets are kept"]);
}

#[test]
fn a_disk_that_does_not_sync_is_found_out() {
    is_found_out(
        Lie::SyncsAreIgnored,
        true,
        &["topics stay created", "the broker does not start", "acknowledged records are kept"],
    );
}

#[test]
fn a_produce_request_that_arrives_twice_is_found_out() {
    is_found_out(Lie::ProduceIsRepeated, false, &["an idempotent producer writes once"]);
}
