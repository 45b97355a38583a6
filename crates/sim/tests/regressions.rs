//! Defects that a seed found, told by what went wrong.

use sim::run::run;
use sim::world::Faults;

const KILL: Faults = Faults { power: false, lie: None };

/// A coordinator's alarm held the coordinator, which held the queue of alarms: a node that was shut
/// down kept its groups, its open files and its clients' unanswered joins for ever.
#[test]
fn a_node_that_is_shut_down_lets_go_of_those_who_wait_for_a_group() {
    let outcome = run(1, KILL, 3_000);
    assert!(outcome.broken.is_empty(), "{:#?}", outcome.broken);
}

/// A member that asked for its assignment between the append and the acknowledgement was told at
/// once; the next coordinator had never heard of it and gave the same generation out anew.
#[test]
fn a_member_is_not_told_an_assignment_that_another_coordinator_would_decide_anew() {
    let outcome = sim::cluster::run(22, Some(KILL), 40_000);
    assert!(outcome.broken.is_empty(), "{:#?}", outcome.broken);
}
