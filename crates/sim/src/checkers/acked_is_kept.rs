//! A record whose offset a producer was told is there at the end, at that offset.
//!
//! With durability in the page cache a power loss may take the end of a log; what was acknowledged
//! after it must still be there.

use std::collections::BTreeMap;

use crate::history::{FinalState, History};

pub fn check(history: &History, end: &FinalState) -> Vec<String> {
    let found: BTreeMap<(i32, i64), &str> = end
        .records
        .iter()
        .flat_map(|(p, records)| records.iter().map(|(o, v)| ((*p, *o), v.as_str())))
        .collect();
    let acked = History::acked(history.since_power_loss());
    let broken = acked.iter().filter(|(place, value)| found.get(place) != Some(&value.as_str()));
    broken
        .map(|((p, o), value)| {
            let there = found.get(&(*p, *o)).copied().unwrap_or("nothing");
            format!("partition {p} offset {o}: {value} was acknowledged, {there} is there")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Event;

    #[test]
    fn a_lost_or_moved_record_is_found_out() {
        let mut history = History::default();
        let values = vec!["a".to_owned(), "b".to_owned()];
        history.note(Event::Acked { partition: 0, base: 4, values });
        let mut end = FinalState::default();
        end.records.insert(0, vec![(4, "a".to_owned()), (5, "b".to_owned())]);
        assert!(check(&history, &end).is_empty());
        end.records.insert(0, vec![(4, "a".to_owned()), (6, "b".to_owned())]);
        assert_eq!(check(&history, &end).len(), 1);
    }
}
