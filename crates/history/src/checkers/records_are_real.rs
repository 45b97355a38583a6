//! What lies in a partition or was read from it, somebody sent there.

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
    let lies = records.map(|(partition, (offset, value))| (partition, *offset, value));
    let read = history.events().iter().filter_map(|event| match event {
        Event::Read { partition, offset, value }
        | Event::Delivered { partition, offset, value, .. } => Some((*partition, *offset, value)),
        _ => None,
    });
    let alien =
        lies.chain(read).filter(|(partition, _, value)| !sent.contains(&(*partition, *value)));
    alien
        .map(|(partition, offset, value)| {
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
