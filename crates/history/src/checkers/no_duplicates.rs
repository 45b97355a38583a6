//! No value is in a log twice. Plain producers here never send a value again; idempotent ones do,
//! after every doubt, and the broker must know the repeat. Who says that it may repeat is not
//! judged.

use std::collections::BTreeSet;

use crate::{FinalState, History, Value};

pub fn check<V: Value>(_history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut broken = Vec::new();
    for (partition, records) in &end.records {
        let mut seen = BTreeSet::new();
        for (offset, value) in records.iter().filter(|(_, value)| !value.may_repeat()) {
            if !seen.insert(value) {
                broken
                    .push(format!("partition {partition} offset {offset}: {value} is there again"));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Told;

    #[test]
    fn a_repeat_is_found_out() {
        let mut end = FinalState::<String>::default();
        end.records.insert(0, vec![(0, "a".to_owned()), (1, "a".to_owned())]);
        assert_eq!(check(&History::<String>::default(), &end).len(), 1);
    }

    #[test]
    fn who_repeats_without_a_number_may_be_there_twice_and_late() {
        let mut end = FinalState::default();
        let records = [(0, "w:1"), (1, "w:2"), (2, "w:1")];
        let records = records.map(|(offset, name)| (offset, Told::weak(name)));
        end.records.insert(0, records.to_vec());
        let history = History::default();
        assert!(check(&history, &end).is_empty());
        assert!(super::super::producer_order::check(&history, &end).is_empty());
    }
}
