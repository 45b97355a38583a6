//! In worlds so small that all of them can be seen, nothing breaks; and with a defect in them,
//! something does.

use models::gate::{self, GateModel};
use models::replicas::{self, Defect, ReplicasModel};
use models::{Report, explore};

fn replicas_in(world: &str) -> Report {
    let (_, bounds) = *replicas::SMALL.iter().find(|(name, _)| *name == world).expect("a world");
    explore(ReplicasModel::new(bounds, None))
}

#[test]
fn no_order_of_two_crashes_loses_what_was_acknowledged() {
    let report = replicas_in("two-crashes");
    assert!(report.broken.is_empty(), "{report:#?}");
    assert!(report.unique > 100_000, "{report:#?}");
}

#[test]
fn no_order_of_answers_that_take_their_time_makes_logs_differ_below_the_high_watermark() {
    let report = replicas_in("slow-answers");
    assert!(report.broken.is_empty(), "{report:#?}");
    assert!(!report.missed.contains(&"logs differ"), "{report:#?}");
}

#[test]
fn two_reigns_over_an_engine_that_errs_apply_the_same_everywhere() {
    let report = explore(GateModel { bounds: gate::SMALL, defect: None });
    assert!(report.broken.is_empty() && report.missed.is_empty(), "{report:#?}");
}

#[test]
fn a_gate_that_lets_through_what_it_should_not_is_found_out() {
    for defect in gate::FINDS {
        let report = explore(GateModel { bounds: gate::SMALL, defect: Some(defect) });
        assert!(!report.broken.is_empty(), "{defect:?}");
    }
}

/// Two rules keep a follower out that has reached no more than a stale high watermark (KAFKA-7128):
/// it must hold what was there when the reign began, and have had everything once in this reign
/// (KAFKA-19996). While no disk is lost the second says it all.
#[test]
fn a_follower_that_keeps_up_holds_what_was_there_when_the_reign_began_unless_its_disk_is_lost() {
    let missing = Some(Defect::ReignsBeginningForgotten);
    let (_, bounds) = replicas::SMALL.into_iter().find(|w| w.0 == "late-join-slow").expect("it");
    let report = explore(ReplicasModel::new(bounds, missing));
    assert!(report.broken.is_empty(), "{report:#?}");
    let report = replicas::find(Defect::JoinsAtHighWatermark, "late-join-slow");
    assert!(!report.broken.is_empty(), "without either it is let in");
    let report = replicas::find(Defect::ReignsBeginningForgotten, "leader-moved-back");
    assert!(!report.broken.is_empty(), "with a disk lost meanwhile, too");
}

/// The quick ones; `cargo xtask models --defects` has them all.
#[test]
fn whatever_errs_around_the_machines_is_found_out() {
    use models::replicas::Defect::{
        EmptyEpochKept, HighWatermarkTruncation, LeaderCountsMemory, MinIsrIgnored,
    };
    for (defect, world) in replicas::FINDS {
        let is_quick = matches!(
            defect,
            EmptyEpochKept | HighWatermarkTruncation | LeaderCountsMemory | MinIsrIgnored
        );
        if is_quick {
            assert!(!replicas::find(defect, world).broken.is_empty(), "{defect:?} in {world}");
        }
    }
}
