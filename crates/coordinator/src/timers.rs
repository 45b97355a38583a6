use std::collections::{BTreeMap, BTreeSet};

use types::MonoTime;

/// Deadlines by key, earliest first. Scheduling a key again replaces its deadline.
///
/// **Invariant:** a key has at most one deadline, and both indexes hold the same pairs.
///
/// Source: Kafka `CoordinatorTimer`.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    by_key: BTreeMap<K, MonoTime>,
    by_deadline: BTreeSet<(MonoTime, K)>,
}

impl<K: Ord + Clone> Timers<K> {
    pub fn new() -> Timers<K> {
        Timers { by_key: BTreeMap::new(), by_deadline: BTreeSet::new() }
    }

    pub fn schedule(&mut self, key: K, at: MonoTime) {
        if let Some(old) = self.by_key.insert(key.clone(), at) {
            if old == at {
                return;
            }
            self.by_deadline.remove(&(old, key.clone()));
        }
        self.by_deadline.insert((at, key));
    }

    /// Forgets `key`; whether it was scheduled.
    pub fn cancel(&mut self, key: &K) -> bool {
        let Some(at) = self.by_key.remove(key) else { return false };
        self.by_deadline.remove(&(at, key.clone()))
    }

    /// When the earliest deadline is.
    pub fn next(&self) -> Option<MonoTime> {
        self.by_deadline.first().map(|(at, _)| *at)
    }

    /// Takes the earliest key whose deadline is not after `now`; equal deadlines in key order.
    pub fn pop_due(&mut self, now: MonoTime) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.by_deadline.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    pub fn deadline(&self, key: &K) -> Option<MonoTime> {
        self.by_key.get(key).copied()
    }

    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub fn clear(&mut self) {
        self.by_key.clear();
        self.by_deadline.clear();
    }
}

impl<K: Ord + Clone> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_keys_come_in_deadline_order_and_later_ones_stay() {
        let mut timers = Timers::new();
        timers.schedule("late", MonoTime(30));
        timers.schedule("b", MonoTime(10));
        timers.schedule("a", MonoTime(10));
        assert_eq!(timers.next(), Some(MonoTime(10)));
        assert_eq!(timers.pop_due(MonoTime(9)), None);
        assert_eq!(timers.pop_due(MonoTime(20)), Some("a"));
        assert_eq!(timers.pop_due(MonoTime(20)), Some("b"));
        assert_eq!(timers.pop_due(MonoTime(20)), None);
        assert_eq!(timers.len(), 1);
    }

    #[test]
    fn scheduling_again_replaces_the_deadline() {
        let mut timers = Timers::new();
        timers.schedule("session", MonoTime(10));
        timers.schedule("session", MonoTime(50));
        assert_eq!(timers.pop_due(MonoTime(10)), None);
        assert_eq!(timers.deadline(&"session"), Some(MonoTime(50)));
        timers.schedule("session", MonoTime(5));
        assert_eq!(timers.pop_due(MonoTime(10)), Some("session"));
        assert!(timers.is_empty());
    }

    #[test]
    fn a_cancelled_key_never_fires() {
        let mut timers = Timers::new();
        timers.schedule("sync", MonoTime(10));
        assert!(timers.cancel(&"sync"));
        assert!(!timers.cancel(&"sync"));
        assert_eq!(timers.pop_due(MonoTime(100)), None);
        assert_eq!(timers.next(), None);
    }
}
