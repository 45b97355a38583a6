//! A record whose offset a producer was told is there at the end, at that offset.
//!
//! Through any loss of power where acknowledged means on disk. In the page cache a power loss may
//! take the end of a log; what was acknowledged after it must still be there.

use std::collections::{BTreeMap, BTreeSet};

use crate::gone::Gone;
use crate::{Cleanup, Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let found: BTreeMap<(i32, i64), &V> = end
        .records
        .iter()
        .flat_map(|(p, records)| records.iter().map(|(o, v)| ((*p, *o), v)))
        .collect();
    let gone = Gone::new(history, end);
    // What was promised of an offset that holds nothing any more.
    let mut promised: BTreeMap<(i32, i64), &V> = BTreeMap::new();
    let mut broken = Vec::new();
    for (event, losses) in history.with_losses() {
        let Event::Acked { partition, base, values } = event else { continue };
        // Every acknowledgement by itself: a log that was emptied and filled anew promises the
        // same offsets twice.
        for (offset, value) in (*base..).zip(values) {
            let there = found.get(&(*partition, offset)).copied();
            if there == Some(value) || losses.excuse_ack(value) {
                continue;
            }
            if there.is_none() && gone.rightly(*partition, offset, value) {
                let first = *promised.entry((*partition, offset)).or_insert(value);
                if first != value {
                    broken.push(format!(
                        "partition {partition} offset {offset}: {first} and {value} were \
                         acknowledged"
                    ));
                }
                continue;
            }
            let there = there.map_or("nothing".to_owned(), V::to_string);
            broken.push(format!(
                "partition {partition} offset {offset}: {value} was acknowledged, {there} is there"
            ));
        }
    }
    broken.extend(lost_somewhere(history, end));
    broken
}

/// Of what was acknowledged without an offset, what is nowhere in its partition. Where records go
/// rightly nobody can say, for nobody knows where it was.
fn lost_somewhere<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let gone = Gone::new(history, end);
    let mut unplaced: BTreeSet<(i32, &V)> = BTreeSet::new();
    for (event, losses) in history.with_losses() {
        let Event::AckedSomewhere { partition, values } = event else { continue };
        if end.cleanup != Cleanup::Compact && !gone.has_moving_front(*partition) {
            let owed = values.iter().filter(|value| !losses.excuse_ack(*value));
            unplaced.extend(owed.map(|value| (*partition, value)));
        }
    }
    if unplaced.is_empty() {
        return Vec::new();
    }
    for (partition, records) in &end.records {
        for (_, value) in records {
            unplaced.remove(&(*partition, value));
        }
    }
    let lost = unplaced.into_iter();
    lost.map(|(p, value)| format!("partition {p}: {value} was acknowledged and is nowhere there"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Told;

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

    fn lost(value: &Told, after: &[Event<Told>]) -> usize {
        let mut history = History::default();
        let values = vec![value.clone()];
        history.note(Event::Acked { partition: 0, base: 0, values });
        after.iter().for_each(|event| history.note(event.clone()));
        check(&history, &FinalState::default()).len()
    }

    #[test]
    fn what_one_broker_alone_acknowledged_may_go_with_its_leader_and_its_memory() {
        let (strong, weak) = (Told::keyed("a:1", "k"), Told::weak("w:1"));
        for loss in [Event::LeaderLost, Event::MemoryLost] {
            let after = [loss];
            assert_eq!((lost(&strong, &after), lost(&weak, &after)), (1, 0));
        }
        assert_eq!(lost(&strong, &[Event::PowerLost]), 0);
    }

    #[test]
    fn what_was_synced_before_the_power_failed_is_owed() {
        let (strong, weak) = (Told::keyed("a:1", "k"), Told::weak("w:1"));
        assert_eq!(lost(&strong, &[Event::Synced, Event::PowerLost]), 1);
        assert_eq!(lost(&weak, &[Event::Synced, Event::MemoryLost]), 1);
        assert_eq!(lost(&strong, &[Event::PowerLost, Event::Synced]), 0);
    }

    #[test]
    fn a_compacted_log_owes_the_last_record_of_each_key() {
        let mut history = History::default();
        let [old, last] = ["a:1", "a:2"].map(|name| Told::keyed(name, "k"));
        let values = vec![old, last.clone()];
        history.note(Event::Acked { partition: 0, base: 0, values });
        let mut end = FinalState { cleanup: Cleanup::Compact, ..Default::default() };
        end.records.insert(0, vec![(1, last)]);
        assert_eq!(check(&history, &end).len(), 0);
        end.records.clear();
        assert_eq!(check(&history, &end).len(), 2);
    }

    #[test]
    fn a_record_below_a_start_that_was_asked_for_is_not_owed() {
        let mut history = History::default();
        let values = vec!["a:1".to_owned()];
        history.note(Event::Acked { partition: 0, base: 3, values });
        let mut end = FinalState::default();
        end.bounds.insert(0, (4, 4));
        assert_eq!(check(&history, &end).len(), 1);
        history.note(Event::TrimSent { partition: 0, offset: 4 });
        assert_eq!(check(&history, &end).len(), 0);
    }
}
