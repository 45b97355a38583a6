//! Whoever reads an offset, whenever, finds the same record: nobody was shown what never was.

use std::collections::BTreeMap;

use crate::history::{Event, FinalState, History};

pub fn check(history: &History, end: &FinalState) -> Vec<String> {
    let mut seen: BTreeMap<(i32, i64), &str> = BTreeMap::new();
    for (partition, records) in &end.records {
        for (offset, value) in records {
            seen.insert((*partition, *offset), value);
        }
    }
    let mut broken = Vec::new();
    for event in history.since_power_loss() {
        let Event::Read { partition, offset, value } = event else { continue };
        let found = seen.entry((*partition, *offset)).or_insert("nothing");
        if *found != value {
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
        let mut history = History::default();
        history.note(Event::Read { partition: 0, offset: 3, value: "a".to_owned() });
        let mut end = FinalState::default();
        end.records.insert(0, vec![(3, "b".to_owned())]);
        assert_eq!(check(&history, &end).len(), 1);
        assert_eq!(check(&history, &FinalState::default()).len(), 1);
    }
}
