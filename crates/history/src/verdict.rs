use crate::checkers;
use crate::{Event, FinalState, History, Value};

/// What a run showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every promise was kept.
    Valid,
    /// What is broken, in words.
    Violated(Vec<String>),
    /// Too little happened to say anything, and that is a failure: a check that sees nothing
    /// proves nothing.
    Unknown(String),
}

/// Judges a run in which at least `acks_min` batches should have been acknowledged.
pub fn judge<V: Value>(history: &History<V>, end: &FinalState<V>, acks_min: usize) -> Verdict {
    let judged = checkers::all::<V>().into_iter().flat_map(|(name, check)| {
        let broken = check(history, end);
        broken.into_iter().map(move |what| format!("{name}: {what}"))
    });
    let broken: Vec<String> = judged.collect();
    if !broken.is_empty() {
        return Verdict::Violated(broken);
    }
    let acks = history.events().iter().filter(|event| matches!(event, Event::Acked { .. })).count();
    if acks < acks_min {
        return Verdict::Unknown(format!("{acks} acknowledgements, at least {acks_min} expected"));
    }
    Verdict::Valid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_which_nothing_happened_is_no_proof() {
        let verdict = judge(&History::<String>::default(), &FinalState::default(), 1);
        assert!(matches!(verdict, Verdict::Unknown(_)), "{verdict:?}");
    }
}
