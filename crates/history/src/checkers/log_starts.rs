//! A log starts where somebody asked for it, and what a broker said is gone stays gone.
//!
//! Retention moves the start without being asked. Nobody's power brings records back.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Cleanup, Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let asked: BTreeSet<(i32, i64)> = history
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::TrimSent { partition, offset } => Some((*partition, *offset)),
            _ => None,
        })
        .collect();
    let mut least: BTreeMap<i32, i64> = BTreeMap::new();
    let mut broken = Vec::new();
    let mut judge = |least: i64, partition: i32, start: i64| {
        if start < least {
            broken.push(format!("partition {partition}: {least} is gone, it starts at {start}"));
        } else if start > 0
            && end.cleanup != Cleanup::Retention
            && !asked.contains(&(partition, start))
        {
            broken.push(format!("partition {partition}: nobody asked for a start at {start}"));
        }
    };
    for event in history.events() {
        match event {
            Event::Trimmed { partition, offset } => {
                let owed = least.entry(*partition).or_default();
                *owed = (*owed).max(*offset);
            }
            Event::LogStart { partition, offset } => {
                judge(least.get(partition).copied().unwrap_or(0), *partition, *offset);
            }
            _ => {}
        }
    }
    for (partition, (start, _)) in &end.bounds {
        judge(least.get(partition).copied().unwrap_or(0), *partition, *start);
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(events: &[Event], start: i64, cleanup: Cleanup) -> usize {
        let mut history = History::<String>::default();
        events.iter().for_each(|event| history.note(event.clone()));
        let mut end = FinalState { cleanup, ..Default::default() };
        end.bounds.insert(0, (start, 9));
        check(&history, &end).len()
    }

    #[test]
    fn a_start_that_goes_back_is_found_out() {
        let events = [
            Event::TrimSent { partition: 0, offset: 4 },
            Event::Trimmed { partition: 0, offset: 4 },
        ];
        assert_eq!(broken(&events, 4, Cleanup::None), 0);
        assert_eq!(broken(&events, 3, Cleanup::Retention), 1);
        let told = [&events[..], &[Event::LogStart { partition: 0, offset: 0 }]].concat();
        assert_eq!(broken(&told, 4, Cleanup::None), 1);
    }

    #[test]
    fn a_start_that_nobody_asked_for_is_found_out() {
        let events = [Event::TrimSent { partition: 0, offset: 4 }];
        assert_eq!(broken(&events, 0, Cleanup::None), 0);
        assert_eq!(broken(&events, 5, Cleanup::None), 1);
        assert_eq!(broken(&events, 5, Cleanup::Retention), 0);
    }
}
