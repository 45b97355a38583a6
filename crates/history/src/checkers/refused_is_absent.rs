//! What a broker said it did not write lies nowhere.

use std::collections::BTreeSet;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut refused = BTreeSet::new();
    for event in history.events() {
        if let Event::Refused { partition, values } = event {
            refused.extend(values.iter().map(|value| (*partition, value)));
        }
    }
    let records = end.records.iter().flat_map(|(p, found)| found.iter().map(|f| (*p, f)));
    records
        .filter(|(partition, (_, value))| refused.contains(&(*partition, value)))
        .map(|(partition, (offset, value))| {
            format!("partition {partition} offset {offset}: {value} was refused")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_record_that_is_there_is_found_out() {
        let mut history = History::<String>::default();
        history.note(Event::Refused { partition: 0, values: vec!["a:1".to_owned()] });
        let mut end = FinalState::default();
        end.records.insert(1, vec![(0, "a:1".to_owned())]);
        assert!(check(&history, &end).is_empty());
        end.records.insert(0, vec![(0, "a:1".to_owned())]);
        assert_eq!(check(&history, &end).len(), 1);
    }
}
