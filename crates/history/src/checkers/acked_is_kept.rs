//! A record whose offset a producer was told is there at the end, at that offset.
//!
//! Through any loss of power where acknowledged means on disk. In the page cache a power loss may
//! take the end of a log; what was acknowledged after it must still be there.

use std::collections::BTreeMap;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let found: BTreeMap<(i32, i64), &V> = end
        .records
        .iter()
        .flat_map(|(p, records)| records.iter().map(|(o, v)| ((*p, *o), v)))
        .collect();
    let mut broken = Vec::new();
    for event in history.since_power_loss() {
        let Event::Acked { partition, base, values } = event else { continue };
        // Every acknowledgement by itself: a log that was emptied and filled anew promises the
        // same offsets twice.
        for (offset, value) in (*base..).zip(values) {
            let there = found.get(&(*partition, offset)).copied();
            if there != Some(value) {
                let there = there.map_or("nothing".to_owned(), V::to_string);
                broken.push(format!(
                    "partition {partition} offset {offset}: {value} was acknowledged, {there} is \
                     there"
                ));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_or_moved_record_is_found_out() {
        let mut history = History::<String>::default();
        let values = vec!["a".to_owned(), "b".to_owned()];
        history.note(Event::Acked { partition: 0, base: 4, values });
        let mut end = FinalState::<String>::default();
        end.records.insert(0, vec![(4, "a".to_owned()), (5, "b".to_owned())]);
        assert!(check(&history, &end).is_empty());
        end.records.insert(0, vec![(4, "a".to_owned()), (6, "b".to_owned())]);
        assert_eq!(check(&history, &end).len(), 1);
    }

    #[test]
    fn an_offset_that_was_promised_to_two_records_is_found_out() {
        let mut history = History::<String>::default();
        for value in ["a", "b"] {
            let values = vec![value.to_owned()];
            history.note(Event::Acked { partition: 0, base: 0, values });
        }
        let mut end = FinalState::<String>::default();
        end.records.insert(0, vec![(0, "b".to_owned())]);
        assert_eq!(check(&history, &end).len(), 1);
    }
}
