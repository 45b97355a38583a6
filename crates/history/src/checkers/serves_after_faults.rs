//! After the faults every partition is written and read again, and every group commits again.

use std::collections::BTreeSet;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let (mut written, mut read, mut committed) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for event in history.since_healed() {
        match event {
            Event::Acked { partition, .. } => _ = written.insert(*partition),
            Event::Read { partition, .. } => _ = read.insert(*partition),
            Event::Committed { group, partition, .. } => {
                _ = committed.insert((group.clone(), *partition));
            }
            _ => {}
        }
    }
    let mut broken = Vec::new();
    for partition in end.records.keys() {
        if !written.contains(partition) || !read.contains(partition) {
            broken.push(format!("partition {partition} is not written or not read any more"));
        }
    }
    let idle = end.committed.keys().filter(|place| !committed.contains(*place));
    broken.extend(idle.map(|(group, p)| format!("group {group} commits partition {p} no more")));
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_or_a_group_that_stands_still_is_found_out() {
        let mut history = History::<String>::default();
        let acked = Event::Acked { partition: 0, base: 0, values: Vec::new() };
        let committed = Event::Committed { group: "g".to_owned(), partition: 0, offset: 1 };
        let mut end = FinalState::<String>::default();
        end.records.insert(0, Vec::new());
        end.committed.insert(("g".to_owned(), 0), 1);
        for event in [acked.clone(), committed.clone(), Event::Healed] {
            history.note(event);
        }
        assert_eq!(check(&history, &end).len(), 2);
        history.note(acked);
        history.note(Event::Read { partition: 0, offset: 0, value: String::new() });
        history.note(committed);
        assert!(check(&history, &end).is_empty());
    }
}
