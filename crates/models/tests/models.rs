//! In worlds so small that all of them can be seen, nothing breaks; and with a defect in them,
//! something does.

use models::gate::{self, GateModel};
use models::replicas::{self, ReplicasModel};
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

/// The quick ones; `cargo xtask models --defects` has them all.
#[test]
fn whatever_errs_around_the_machines_is_found_out() {
    use models::replicas::Defect::{HighWatermarkTruncation, LeaderCountsMemory, MinIsrIgnored};
    for (defect, world) in replicas::FINDS {
        let is_quick =
            matches!(defect, HighWatermarkTruncation | LeaderCountsMemory | MinIsrIgnored);
        if is_quick {
            assert!(!replicas::find(defect, world).broken.is_empty(), "{defect:?} in {world}");
        }
    }
}
