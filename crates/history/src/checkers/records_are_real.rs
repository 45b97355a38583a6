//! What lies in a partition, somebody sent there.

use std::collections::BTreeSet;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut sent = BTreeSet::new();
    for event in history.events() {
        if let Event::Sent { partition, values } = event {
            sent.extend(values.iter().map(|value| (*partition, value)));
        }
    }
    let records = end.records.iter().flat_map(|(p, found)| found.iter().map(|f| (*p, f)));
    records
        .filter(|(partition, (_, value))| !sent.contains(&(*partition, value)))
        .map(|(partition, (offset, value))| {
            format!("partition {partition} offset {offset}: nobody sent {value} there")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_from_nowhere_or_in_a_wrong_partition_is_found_out() {
        let mut history = History::<String>::default();
        history.note(Event::Sent { partition: 0, values: vec!["a".to_owned()] });
        let mut end = FinalState::<String>::default();
        end.records.insert(0, vec![(0, "a".to_owned())]);
        assert!(check(&history, &end).is_empty());
        end.records.insert(1, vec![(0, "a".to_owned()), (1, "b".to_owned())]);
        assert_eq!(check(&history, &end).len(), 2);
    }
}
