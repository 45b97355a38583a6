use std::collections::BTreeMap;

use crate::{Cleanup, Event, FinalState, History, Value};

/// Which records may be gone at the end although nothing was lost.
pub struct Gone<'a> {
    cleanup: Cleanup,
    /// Partition → below it somebody asked for deletion.
    asked: BTreeMap<i32, i64>,
    bounds: &'a BTreeMap<i32, (i64, i64)>,
    /// (partition, key) → where its last record is.
    last: BTreeMap<(i32, &'a str), i64>,
}

impl<'a> Gone<'a> {
    pub fn new<V: Value>(history: &History<V>, end: &'a FinalState<V>) -> Self {
        let mut asked = BTreeMap::new();
        for event in history.events() {
            if let Event::TrimSent { partition, offset } = event {
                let below = asked.entry(*partition).or_insert(*offset);
                *below = (*below).max(*offset);
            }
        }
        let mut last = BTreeMap::new();
        if end.cleanup == Cleanup::Compact {
            for (partition, records) in &end.records {
                for (offset, value) in records {
                    if let Some(key) = value.key() {
                        last.insert((*partition, key), *offset);
                    }
                }
            }
        }
        Gone { cleanup: end.cleanup, asked, bounds: &end.bounds, last }
    }

    /// Whether the front of this log goes, by age, size or because somebody asked.
    pub fn has_moving_front(&self, partition: i32) -> bool {
        self.cleanup == Cleanup::Retention || self.asked.contains_key(&partition)
    }

    /// Whether this record need not be there.
    pub fn rightly<V: Value>(&self, partition: i32, offset: i64, value: &V) -> bool {
        let start = self.bounds.get(&partition).map_or(0, |(start, _)| *start);
        let asked = self.asked.get(&partition).copied().unwrap_or(0);
        let front = if self.cleanup == Cleanup::Retention { start } else { start.min(asked) };
        let is_older = || {
            let last = value.key().and_then(|key| self.last.get(&(partition, key)));
            last.is_some_and(|last| *last > offset)
        };
        offset < front || (self.cleanup == Cleanup::Compact && is_older())
    }
}
