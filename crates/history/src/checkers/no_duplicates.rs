//! No value is in a log twice. Plain producers here never send a value again; idempotent ones do,
//! after every doubt, and the broker must know the repeat.

use std::collections::BTreeSet;

use crate::{FinalState, History, Value};

pub fn check<V: Value>(_history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut broken = Vec::new();
    for (partition, records) in &end.records {
        let mut seen = BTreeSet::new();
        for (offset, value) in records {
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

    #[test]
    fn a_repeat_is_found_out() {
        let mut end = FinalState::<String>::default();
        end.records.insert(0, vec![(0, "a".to_owned()), (1, "a".to_owned())]);
        assert_eq!(check(&History::<String>::default(), &end).len(), 1);
    }
}
