//! Whoever reads an offset, whenever, finds the same record: nobody was shown what never was.

use std::collections::BTreeMap;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut seen: BTreeMap<(i32, i64), Option<&V>> = BTreeMap::new();
    for (partition, records) in &end.records {
        for (offset, value) in records {
            seen.insert((*partition, *offset), Some(value));
        }
    }
    let mut broken = Vec::new();
    for event in history.since_power_loss() {
        let Event::Read { partition, offset, value } = event else { continue };
        let found = seen.entry((*partition, *offset)).or_insert(None);
        if *found != Some(value) {
            let found = found.map_or("nothing".to_owned(), V::to_string);
            broken.push(format!(
                "partition {partition} offset {offset}: {value} was read, {found} is there"
            ));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_changed_after_it_was_read_is_found_out() {
        let mut history = History::<String>::default();
        history.note(Event::Read { partition: 0, offset: 3, value: "a".to_owned() });
        let mut end = FinalState::<String>::default();
        end.records.insert(0, vec![(3, "b".to_owned())]);
        assert_eq!(check(&history, &end).len(), 1);
        assert_eq!(check(&history, &FinalState::<String>::default()).len(), 1);
    }
}
