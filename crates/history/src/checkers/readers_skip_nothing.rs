//! A reader is told every record, once and in order, until it begins anew; and its place stays.
//!
//! Where records go rightly there may be gaps, and a place may be gone. A loss of power that takes
//! records takes places too.

use std::collections::BTreeMap;

use crate::gone::Gone;
use crate::{Cleanup, Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let gone = Gone::new(history, end);
    let may_skip = |p| end.cleanup == Cleanup::Compact || gone.has_moving_front(p);
    let mut next: BTreeMap<(&str, i32), i64> = BTreeMap::new();
    let mut broken = Vec::new();
    for event in history.events() {
        match event {
            Event::Began { reader, partition } => _ = next.remove(&(reader, *partition)),
            Event::PlaceLost { reader, partition } if !gone.has_moving_front(*partition) => {
                broken.push(format!("partition {partition}: the place of {reader} is gone"));
            }
            Event::Delivered { reader, partition, offset, .. } => {
                let wanted = next.insert((reader, *partition), offset + 1);
                let is_wrong = |at| if may_skip(*partition) { *offset < at } else { *offset != at };
                if let Some(wanted) = wanted.filter(|at| is_wrong(*at)) {
                    broken.push(format!(
                        "partition {partition}: {reader} wanted {wanted}, was told {offset}"
                    ));
                }
            }
            Event::PowerLost => break,
            _ => {}
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(offsets: &[i64]) -> History {
        let mut history = History::default();
        for offset in offsets {
            history.note(Event::Delivered {
                reader: "r".into(),
                partition: 0,
                offset: *offset,
                value: format!("a:{offset}"),
            });
        }
        history
    }

    #[test]
    fn a_skip_and_a_repeat_are_found_out_unless_the_reader_began_anew() {
        let broken = |history: &History| check(history, &FinalState::default()).len();
        assert_eq!(broken(&told(&[3, 4, 5])), 0);
        assert_eq!(broken(&told(&[3, 5])), 1);
        assert_eq!(broken(&told(&[3, 3])), 1);
        let mut anew = told(&[3]);
        anew.note(Event::Began { reader: "r".into(), partition: 0 });
        told(&[1]).events().iter().for_each(|event| anew.note(event.clone()));
        assert_eq!(broken(&anew), 0);
    }

    #[test]
    fn a_compacted_log_has_gaps_and_never_leads_back() {
        let end = FinalState { cleanup: Cleanup::Compact, ..Default::default() };
        assert_eq!(check(&told(&[3, 5]), &end).len(), 0);
        assert_eq!(check(&told(&[3, 2]), &end).len(), 1);
    }

    #[test]
    fn a_place_that_is_gone_is_found_out_where_nothing_goes() {
        let mut history = History::<String>::default();
        history.note(Event::PlaceLost { reader: "r".into(), partition: 0 });
        assert_eq!(check(&history, &FinalState::default()).len(), 1);
        let end = FinalState { cleanup: Cleanup::Retention, ..Default::default() };
        assert_eq!(check(&history, &end).len(), 0);
    }
}
