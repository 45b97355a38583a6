//! The highest offset that a group was told is committed is the one it finds again, or a later one.
//! Members here commit rising offsets only.

use std::collections::BTreeMap;

use crate::history::{Event, FinalState, History};

pub fn check(history: &History, end: &FinalState) -> Vec<String> {
    let mut told: BTreeMap<(String, i32), i64> = BTreeMap::new();
    for event in history.since_power_loss() {
        if let Event::Committed { group, partition, offset } = event {
            let told = told.entry((group.clone(), *partition)).or_insert(-1);
            *told = (*told).max(*offset);
        }
    }
    let broken = told
        .iter()
        .filter(|(place, offset)| end.committed.get(place).copied().unwrap_or(-1) < **offset);
    broken
        .map(|((group, partition), offset)| {
            let found = end.committed.get(&(group.clone(), *partition)).copied().unwrap_or(-1);
            format!("group {group} partition {partition}: {offset} was committed, {found} is there")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_went_back_is_found_out() {
        let mut history = History::default();
        let group = "g".to_owned();
        history.note(Event::Committed { group: group.clone(), partition: 0, offset: 7 });
        let mut end = FinalState::default();
        end.committed.insert((group.clone(), 0), 7);
        assert!(check(&history, &end).is_empty());
        end.committed.insert((group, 0), 6);
        assert_eq!(check(&history, &end).len(), 1);
    }
}
