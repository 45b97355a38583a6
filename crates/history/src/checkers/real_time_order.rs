//! A batch that was sent after another one had been acknowledged lies after it.
//!
//! Of a record that its producer may repeat, the first is meant.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Event, FinalState, History, Value};

/// When a value was first sent and when it was acknowledged, as places in the history.
#[derive(Clone, Copy, Default)]
struct Times {
    sent: Option<usize>,
    acked: Option<usize>,
}

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut times: BTreeMap<(i32, &V), Times> = BTreeMap::new();
    for (now, event) in history.events().iter().enumerate() {
        match event {
            Event::Sent { partition, values } => {
                for value in values {
                    times.entry((*partition, value)).or_default().sent.get_or_insert(now);
                }
            }
            Event::Acked { partition, values, .. } => {
                for value in values {
                    times.entry((*partition, value)).or_default().acked.get_or_insert(now);
                }
            }
            _ => {}
        }
    }
    let mut broken = Vec::new();
    for (partition, records) in &end.records {
        let mut last_sent = None;
        let mut repeatable = BTreeSet::new();
        for (offset, value) in records {
            if value.may_repeat() && !repeatable.insert(value) {
                continue;
            }
            let Times { sent, acked } =
                times.get(&(*partition, value)).copied().unwrap_or_default();
            if acked.is_some() && acked < last_sent {
                broken.push(format!(
                    "partition {partition} offset {offset}: {value} was acknowledged before a \
                     record in front of it was sent"
                ));
            }
            last_sent = last_sent.max(sent);
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Told;

    #[test]
    fn a_later_record_in_front_of_an_acknowledged_one_is_found_out() {
        let mut history = History::default();
        let values = |value: &str| vec![value.to_owned()];
        history.note(Event::Sent { partition: 0, values: values("a:1") });
        history.note(Event::Acked { partition: 0, base: 0, values: values("a:1") });
        history.note(Event::Sent { partition: 0, values: values("b:1") });
        let mut end = FinalState::default();
        end.records.insert(0, vec![(0, "a:1".to_owned()), (1, "b:1".to_owned())]);
        assert!(check(&history, &end).is_empty());
        end.records.insert(0, vec![(0, "b:1".to_owned()), (1, "a:1".to_owned())]);
        assert_eq!(check(&history, &end).len(), 1);
    }

    #[test]
    fn a_repeat_may_lie_behind_what_was_sent_later() {
        let mut history = History::default();
        let [first, later] = ["w:1", "v:1"].map(Told::weak);
        for event in [
            Event::Sent { partition: 0, values: vec![first.clone()] },
            Event::Acked { partition: 0, base: 0, values: vec![first.clone()] },
            Event::Sent { partition: 0, values: vec![later.clone()] },
        ] {
            history.note(event);
        }
        let mut end = FinalState::default();
        end.records.insert(0, vec![(0, first.clone()), (1, later.clone()), (2, first.clone())]);
        assert!(check(&history, &end).is_empty());
        end.records.insert(0, vec![(1, later), (2, first)]);
        assert_eq!(check(&history, &end).len(), 1);
    }
}
