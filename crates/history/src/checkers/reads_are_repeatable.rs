//! Whoever reads an offset, whenever, finds the same record: nobody was shown what never was.
//!
//! A record that a consumer's client handed out may have been fetched long before: it is judged
//! only where no power failed before it either.

use std::collections::BTreeMap;

use crate::gone::Gone;
use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let records = end.records.iter().flat_map(|(p, found)| found.iter().map(|f| (*p, f)));
    let there: BTreeMap<(i32, i64), &V> =
        records.map(|(partition, (offset, value))| ((partition, *offset), value)).collect();
    let gone = Gone::new(history, end);
    let (mut power_failed, mut memory_lost) = (false, false);
    let mut broken = Vec::new();
    for (event, losses) in history.with_losses() {
        let (partition, offset, value, may_be_old) = match event {
            Event::Read { partition, offset, value } => (*partition, *offset, value, false),
            Event::Delivered { partition, offset, value, .. } => {
                let may_be_old = power_failed || (memory_lost && value.is_weak());
                (*partition, *offset, value, may_be_old)
            }
            Event::PowerLost => {
                power_failed = true;
                continue;
            }
            Event::MemoryLost => {
                memory_lost = true;
                continue;
            }
            _ => continue,
        };
        let found = there.get(&(partition, offset)).copied();
        let is_excused = may_be_old || losses.excuse_read(value);
        let is_gone = found.is_none() && gone.rightly(partition, offset, value);
        if found != Some(value) && !is_excused && !is_gone {
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
    use crate::value::Told;

    #[test]
    fn a_record_that_changed_after_it_was_read_is_found_out() {
        let mut history = History::<String>::default();
        history.note(Event::Read { partition: 0, offset: 3, value: "a".to_owned() });
        let mut end = FinalState::<String>::default();
        end.records.insert(0, vec![(3, "b".to_owned())]);
        assert_eq!(check(&history, &end).len(), 1);
        assert_eq!(check(&history, &FinalState::<String>::default()).len(), 1);
    }

    /// A client hands something out between two events, and it is not there in the end.
    fn gone(value: Told, before: Event<Told>, after: Event<Told>) -> usize {
        let mut history = History::default();
        let read = Event::Delivered { reader: "r".into(), partition: 0, offset: 0, value };
        [before, read, after].into_iter().for_each(|event| history.note(event));
        check(&history, &FinalState::default()).len()
    }

    #[test]
    fn what_a_client_may_have_fetched_before_the_power_failed_is_not_owed() {
        let strong = || Told::keyed("a:1", "k");
        assert_eq!(gone(strong(), Event::Healed, Event::Healed), 1);
        assert_eq!(gone(strong(), Event::PowerLost, Event::Healed), 0);
        assert_eq!(gone(strong(), Event::Healed, Event::PowerLost), 0);
        assert_eq!(gone(strong(), Event::MemoryLost, Event::MemoryLost), 1);
    }

    #[test]
    fn what_one_broker_acknowledged_and_showed_to_a_consumer_outlives_its_leader() {
        let weak = || Told::weak("w:1");
        assert_eq!(gone(weak(), Event::LeaderLost, Event::LeaderLost), 1);
        assert_eq!(gone(weak(), Event::MemoryLost, Event::Healed), 0);
        assert_eq!(gone(weak(), Event::Healed, Event::MemoryLost), 0);
    }
}
