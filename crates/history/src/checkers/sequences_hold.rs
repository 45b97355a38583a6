//! No idempotent producer is told that its numbers do not follow, unless a loss of power took what
//! the broker knew of it.

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, _end: &FinalState<V>) -> Vec<String> {
    let before = history.events().iter().take_while(|event| **event != Event::PowerLost);
    let refused = before.filter_map(|event| match event {
        Event::SequenceRefused { producer, why } => Some(format!("{producer}: {why}")),
        _ => None,
    });
    refused.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_sequence_is_found_out() {
        let refused = || Event::SequenceRefused { producer: "a".to_owned(), why: String::new() };
        let mut history = History::<String>::default();
        history.note(refused());
        history.note(Event::PowerLost);
        history.note(refused());
        assert_eq!(check(&history, &FinalState::default()).len(), 1);
    }
}
