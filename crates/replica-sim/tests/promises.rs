//! Sound machines keep their promises whatever happens around them, and whoever errs is found out.

use std::time::Duration;

use replica_sim::{Defect, run};

const CHAOS: Duration = Duration::from_secs(60);

#[test]
fn the_same_seed_gives_the_same_run() {
    let (first, second) = (run(7, None, CHAOS), run(7, None, CHAOS));
    assert_eq!((first.trace, first.events), (second.trace, second.events));
    assert_ne!(first.trace, run(8, None, CHAOS).trace);
}

#[test]
fn nothing_acknowledged_is_lost_and_the_replicas_settle() {
    let mut acked = 0;
    for seed in 1..=60 {
        let outcome = run(seed, None, CHAOS);
        assert!(outcome.broken.is_empty(), "seed {seed}: {:#?}", outcome.broken);
        acked += outcome.met.acked;
    }
    assert!(acked > 10_000, "{acked} records acknowledged are no proof");
}

/// Seeds that found trouble in the world around the machines: a broker that leads by metadata of an
/// earlier life of its own, damage that is forgotten before the controller heard of it, answers to
/// an earlier life, an epoch that goes on after one without records.
#[test]
fn seeds_that_once_broke_a_promise_keep_it() {
    for seed in [27, 48, 198, 217, 370, 1493, 2931, 3939, 5689, 34049] {
        let outcome = run(seed, None, CHAOS);
        assert!(outcome.broken.is_empty(), "seed {seed}: {:#?}", outcome.broken);
    }
}

/// The seeds at which a defect shows first, so that the proof takes seconds; `--defect all` looks
/// for them anew.
#[test]
fn whatever_the_world_around_the_machines_does_wrong_is_found_out() {
    let first_seeds = [
        (Defect::HighWatermarkTruncation, 1),
        (Defect::OneLineageQuery, 202),
        (Defect::NoMaximalIsr, 379),
        (Defect::NoPartitionEpochCheck, 445),
        (Defect::FollowerVouchesForMemory, 1),
        (Defect::LeaderCountsMemory, 1),
        (Defect::MinIsrIgnored, 2),
        (Defect::HighWatermarkBeforeTruncation, 189),
        (Defect::LastEpochForgotten, 1),
        (Defect::TruncationToZero, 3),
        (Defect::StaleMetadata, 31),
        (Defect::EpochHistoryLost, 8),
        (Defect::DamageConcealed, 17),
    ];
    assert_eq!(first_seeds.map(|(defect, _)| defect), Defect::ALL.map(|(_, defect)| defect));
    for (defect, seed) in first_seeds {
        assert!(!run(seed, Some(defect), CHAOS).broken.is_empty(), "{defect:?} at seed {seed}");
    }
}
