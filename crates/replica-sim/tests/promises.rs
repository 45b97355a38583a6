//! Sound machines keep their promises whatever happens around them, and whoever errs is found out.

use std::time::Duration;

use replica_sim::{Course, Defect, Outcome, run};

const CHAOS: Duration = Duration::from_secs(60);

fn with_fixed_replicas(seed: u64) -> Outcome {
    run(seed, Course { chaos: CHAOS, reassigns: false, defect: None })
}

fn with_moving_replicas(seed: u64) -> Outcome {
    run(seed, Course { chaos: CHAOS, reassigns: true, defect: None })
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (first, second) = (with_fixed_replicas(7), with_fixed_replicas(7));
    assert_eq!((first.trace, first.events), (second.trace, second.events));
    assert_ne!(first.trace, with_fixed_replicas(8).trace);
    assert_eq!(with_moving_replicas(7).trace, with_moving_replicas(7).trace);
}

#[test]
fn nothing_acknowledged_is_lost_and_the_replicas_settle() {
    let mut acked = 0;
    for seed in 1..=60 {
        let outcome = with_fixed_replicas(seed);
        assert!(outcome.broken.is_empty(), "seed {seed}: {:#?}", outcome.broken);
        acked += outcome.met.acked;
    }
    assert!(acked > 10_000, "{acked} records acknowledged are no proof");
}

/// Replicas are added, caught up and removed, and all of it is called off halfway, between the
/// same faults.
#[test]
fn nothing_acknowledged_is_lost_while_the_set_of_replicas_changes() {
    let (mut acked, mut completed, mut removals) = (0, 0, 0);
    for seed in 1..=40 {
        let outcome = with_moving_replicas(seed);
        assert!(outcome.broken.is_empty(), "seed {seed}: {:#?}", outcome.broken);
        acked += outcome.met.acked;
        completed += outcome.met.moves_completed;
        removals += outcome.met.removals;
    }
    assert!(acked > 10_000 && completed > 100 && removals > 100, "{acked} {completed} {removals}");
}

/// Seeds that found trouble in the world around the machines: a broker that leads by metadata of an
/// earlier life of its own, damage that is forgotten before the controller heard of it, answers to
/// an earlier life, an epoch that goes on after one without records.
#[test]
fn seeds_that_once_broke_a_promise_keep_it() {
    for seed in [27, 48, 198, 217, 370, 1493, 2931, 3939, 5689, 34049] {
        let outcome = with_fixed_replicas(seed);
        assert!(outcome.broken.is_empty(), "seed {seed}: {:#?}", outcome.broken);
    }
}

/// Seeds at which a defect shows, so that the proof takes seconds; `--defect all` looks
/// for them anew.
#[test]
fn whatever_the_world_around_the_machines_does_wrong_is_found_out() {
    let first_seeds = [
        (Defect::HighWatermarkTruncation, 1),
        (Defect::OneLineageQuery, 216),
        (Defect::NoMaximalIsr, 379),
        (Defect::NoPartitionEpochCheck, 6),
        (Defect::FollowerVouchesForMemory, 1),
        (Defect::LeaderCountsMemory, 1),
        (Defect::MinIsrIgnored, 2),
        (Defect::HighWatermarkBeforeTruncation, 209),
        (Defect::LastEpochForgotten, 1),
        (Defect::TruncationToZero, 3),
        (Defect::StaleMetadata, 77),
        (Defect::EpochHistoryLost, 53),
        (Defect::DamageConcealed, 17),
        (Defect::JoinsAtHighWatermark, 7),
        (Defect::UncleanElection, 5),
        (Defect::EmptyEpochKept, 179),
        (Defect::MovedBeforeInSync, 9),
        (Defect::RemovalWithinReign, 39),
        (Defect::LateRemoval, 195),
    ];
    assert_eq!(first_seeds.map(|(defect, _)| defect), Defect::ALL.map(|(_, defect)| defect));
    for (defect, seed) in first_seeds {
        let reassigns = Course::reassigns_by(seed);
        let outcome = run(seed, Course { chaos: CHAOS, reassigns, defect: Some(defect) });
        assert!(!outcome.broken.is_empty(), "{defect:?} at seed {seed}");
    }
}

/// Once in ten thousand seeds: a fetch has to be on its way while its follower cuts or loses what
/// it vouches for, and the same leader begins another reign.
#[test]
fn a_leader_that_counts_fetches_of_another_reign_is_found_out() {
    let defect = Some(Defect::FetchEpochUnchecked);
    let outcome = run(11_589, Course { chaos: CHAOS, reassigns: true, defect });
    assert!(!outcome.broken.is_empty());
}
