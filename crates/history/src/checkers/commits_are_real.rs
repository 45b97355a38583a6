//! What a group finds as its offset, one of its members committed, even after the loss of power.

use std::collections::BTreeSet;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut sent: BTreeSet<(&str, i32, i64)> = BTreeSet::new();
    let mut unreal = Vec::new();
    for event in history.events() {
        match event {
            Event::CommitSent { group, partition, offset } => {
                sent.insert((group, *partition, *offset));
            }
            Event::Resumed { group, partition, offset, .. } => {
                let told = (group.as_str(), *partition, *offset);
                unreal.extend((!sent.contains(&told)).then_some(told));
            }
            _ => {}
        }
    }
    let found = end.committed.iter().map(|((group, p), offset)| (group.as_str(), *p, *offset));
    unreal.extend(found.filter(|found| !sent.contains(found)));
    let unreal = unreal.into_iter().filter(|(_, _, offset)| *offset != -1);
    unreal
        .map(|(group, p, offset)| format!("group {group} partition {p}: nobody sent {offset}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_that_nobody_committed_is_found_out() {
        let mut history = History::<String>::default();
        let group = "g".to_owned();
        history.note(Event::CommitSent { group: group.clone(), partition: 0, offset: 7 });
        let mut end = FinalState::<String>::default();
        end.committed.insert((group.clone(), 0), 7);
        end.committed.insert((group.clone(), 1), -1);
        assert!(check(&history, &end).is_empty());
        end.committed.insert((group, 1), 7);
        assert_eq!(check(&history, &end).len(), 1);
    }
}
