//! Soon after the faults every partition takes writes and gives what was written since, and every
//! group commits again.

use std::collections::BTreeSet;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let (mut sent, mut written) = (BTreeSet::new(), BTreeSet::new());
    let (mut read, mut committed) = (BTreeSet::new(), BTreeSet::new());
    for event in history.soon_after_healed() {
        match event {
            Event::Sent { values, .. } => sent.extend(values),
            Event::Acked { partition, .. } | Event::AckedSomewhere { partition, .. } => {
                written.insert(*partition);
            }
            // What was there before a client may have kept.
            Event::Read { partition, value, .. } | Event::Delivered { partition, value, .. }
                if sent.contains(value) =>
            {
                read.insert(*partition);
            }
            Event::Committed { group, partition, .. } | Event::CommitTaken { group, partition } => {
                committed.insert((group.clone(), *partition));
            }
            _ => {}
        }
    }
    let partitions: BTreeSet<i32> = end.bounds.keys().chain(end.records.keys()).copied().collect();
    let mut broken = Vec::new();
    for partition in partitions {
        if !written.contains(&partition) {
            broken.push(format!("partition {partition} takes no write"));
        }
        if !read.contains(&partition) {
            broken.push(format!("partition {partition} gives no record that was written since"));
        }
    }
    let idle = end.committed.keys().filter(|place| !committed.contains(*place));
    broken.extend(idle.map(|(group, p)| format!("group {group} commits partition {p} no more")));
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: &str = "a:1";

    fn acked() -> Event {
        Event::Acked { partition: 0, base: 0, values: Vec::new() }
    }

    fn sent() -> Event {
        Event::Sent { partition: 0, values: vec![FRESH.to_owned()] }
    }

    fn read(value: &str) -> Event {
        Event::Read { partition: 0, offset: 0, value: value.to_owned() }
    }

    fn committed() -> Event {
        Event::Committed { group: "g".to_owned(), partition: 0, offset: 1 }
    }

    /// What is broken of one partition and one group.
    fn broken(events: Vec<Event>) -> usize {
        let mut history = History::<String>::default();
        events.into_iter().for_each(|event| history.note(event));
        let mut end = FinalState::<String>::default();
        end.bounds.insert(0, (0, 0));
        end.committed.insert(("g".to_owned(), 0), 1);
        check(&history, &end).len()
    }

    #[test]
    fn a_partition_or_a_group_that_stands_still_is_found_out() {
        assert_eq!(broken(vec![sent(), acked(), read(FRESH), committed(), Event::Healed]), 3);
        assert_eq!(broken(vec![Event::Healed, sent(), acked(), read(FRESH), committed()]), 0);
    }

    #[test]
    fn what_comes_too_late_does_not_count() {
        let late = vec![Event::Healed, sent(), acked(), Event::TooLate, read(FRESH), committed()];
        assert_eq!(broken(late), 2);
    }

    #[test]
    fn a_record_of_before_the_end_of_the_faults_shows_nothing() {
        assert_eq!(broken(vec![sent(), Event::Healed, acked(), read(FRESH), committed()]), 1);
    }

    #[test]
    fn a_commit_that_is_owed_nothing_and_an_acknowledgement_without_an_offset_are_service() {
        let somewhere = Event::AckedSomewhere { partition: 0, values: Vec::new() };
        let taken = Event::CommitTaken { group: "g".to_owned(), partition: 0 };
        assert_eq!(broken(vec![Event::Healed, sent(), somewhere, read(FRESH), taken]), 0);
    }
}
