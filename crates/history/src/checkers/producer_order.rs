//! What a producer sent to a partition lies there in the order it was sent.
//!
//! Values say whose how manieth they are. Who repeats without a number comes late by right.

use std::collections::BTreeMap;

use crate::{FinalState, History, Value};

pub fn check<V: Value>(_history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut broken = Vec::new();
    for (partition, records) in &end.records {
        let mut last: BTreeMap<V::Producer, u64> = BTreeMap::new();
        for (offset, value) in records.iter().filter(|(_, value)| !value.may_repeat()) {
            let Some((producer, number)) = value.source() else { continue };
            if last.insert(producer, number).is_some_and(|before| before > number) {
                broken.push(format!("partition {partition} offset {offset}: {value} came late"));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swapped_pair_is_found_out() {
        let mut end = FinalState::<String>::default();
        let record = |offset, value: &str| (offset, value.to_owned());
        end.records.insert(0, vec![record(0, "a:1"), record(1, "b:9"), record(2, "a:2")]);
        assert!(check(&History::<String>::default(), &end).is_empty());
        end.records.insert(0, vec![record(0, "a:2"), record(1, "a:1")]);
        assert_eq!(check(&History::<String>::default(), &end).len(), 1);
    }
}
