use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

/// What an exploration came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// States that differ, and all that were made to find them.
    pub unique: usize,
    pub generated: usize,
    /// The longest path of those that are the shortest to a state.
    pub depth: usize,
    pub took: Duration,
    /// What does not hold, with the steps that show it.
    pub broken: BTreeMap<&'static str, Vec<String>>,
    /// What should be possible and never happened.
    pub missed: Vec<&'static str>,
}

/// Explores all of a model, or up to the first state that breaks something.
pub fn explore<M>(model: M) -> Report
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Send + Sync + Clone + PartialEq + Debug + 'static,
    M::Action: Send + Sync + Clone + PartialEq + Debug,
{
    let began = Instant::now();
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let expected = checker.model().properties();
    let found = checker.discoveries();
    let broken = expected.iter().filter(|p| p.expectation == Expectation::Always);
    let broken = broken.filter_map(|property| {
        let path = found.get(property.name)?.clone();
        let steps = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
        Some((property.name, steps))
    });
    let missed = expected.iter().filter(|p| p.expectation == Expectation::Sometimes);
    let missed = missed.map(|property| property.name).filter(|name| !found.contains_key(name));
    Report {
        unique: checker.unique_state_count(),
        generated: checker.state_count(),
        depth: checker.max_depth(),
        took: began.elapsed(),
        broken: broken.collect(),
        missed: missed.collect(),
    }
}
