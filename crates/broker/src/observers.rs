//! Who fetches the metadata log without voting.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use types::{BrokerId, MonoTime, Offset, Uuid, WallTime};

use crate::limits::{OBSERVER_SESSION, OBSERVERS_MAX};

/// The observers of one reign, as the active controller sees them. Soft: another controller learns
/// of them from their next fetch.
///
/// Source: Kafka `LeaderState.observerStates`.
#[doc(alias = "LeaderState")]
#[derive(Debug, Default)]
pub struct Observers(Mutex<Reign>);

#[derive(Debug, Default)]
struct Reign {
    epoch: i32,
    seen: BTreeMap<(BrokerId, Uuid), Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Observer,
    heard: MonoTime,
    /// Where the log ended when it fetched last.
    end: Offset,
}

/// A replica of the metadata log that does not vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observer {
    pub id: BrokerId,
    /// Of its metadata log; zero if it did not say.
    pub directory: Uuid,
    /// Everything below was fetched.
    pub log_end: Offset,
    pub fetched_at: WallTime,
    /// When it last had everything that was committed, if it ever had.
    pub caught_up_at: Option<WallTime>,
}

/// One fetch of the metadata log.
#[derive(Clone, Copy, Debug)]
pub struct ObserverFetch {
    pub id: BrokerId,
    pub directory: Uuid,
    /// From where on it asks: it has all below.
    pub offset: Offset,
    /// What is committed.
    pub end: Offset,
}

impl Observers {
    /// An observer has fetched in the reign of `epoch`.
    ///
    /// Who asks for everything there is has caught up now; who asks for all there was at its last
    /// fetch had caught up then. Source: Kafka `LeaderState.ReplicaState.updateFollowerState`.
    pub fn note_fetch(&self, epoch: i32, fetch: ObserverFetch, now: MonoTime, wall: WallTime) {
        let ObserverFetch { id, directory, offset, end } = fetch;
        let mut reign = self.of(epoch, now);
        if reign.seen.len() >= OBSERVERS_MAX && !reign.seen.contains_key(&(id, directory)) {
            return;
        }
        let before = reign.seen.get(&(id, directory)).copied();
        let caught_up_at = match before {
            _ if offset >= end => Some(wall),
            Some(before) if offset >= before.end => {
                before.at.caught_up_at.max(Some(before.at.fetched_at))
            }
            before => before.and_then(|before| before.at.caught_up_at),
        };
        let at = Observer { id, directory, log_end: offset, fetched_at: wall, caught_up_at };
        reign.seen.insert((id, directory), Seen { at, heard: now, end });
    }

    /// Those that were heard of lately, by id.
    pub fn all(&self, epoch: i32, now: MonoTime) -> Vec<Observer> {
        self.of(epoch, now).seen.values().map(|seen| seen.at).collect()
    }

    /// What is known in this reign and not too old.
    fn of(&self, epoch: i32, now: MonoTime) -> MutexGuard<'_, Reign> {
        let mut reign = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reign.epoch != epoch {
            *reign = Reign { epoch, seen: BTreeMap::new() };
        }
        reign.seen.retain(|_, seen| now.since(seen.heard) < OBSERVER_SESSION);
        reign
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fetch(id: i32, offset: i64, end: i64) -> ObserverFetch {
        let (id, directory) = (BrokerId(id), Uuid([1; 16]));
        ObserverFetch { id, directory, offset: Offset(offset), end: Offset(end) }
    }

    fn at_ms(ms: u64) -> (MonoTime, WallTime) {
        (MonoTime::default().plus(Duration::from_millis(ms)), WallTime(1_000_000 + ms as i64))
    }

    #[test]
    fn an_observer_that_has_what_there_was_at_its_last_fetch_had_caught_up_then() {
        let observers = Observers::default();
        let caught_up = |offset, end, ms| {
            let (now, wall) = at_ms(ms);
            observers.note_fetch(3, fetch(4, offset, end), now, wall);
            observers.all(3, now)[0].caught_up_at.map(|at| at.0 - 1_000_000)
        };
        assert_eq!(caught_up(0, 10, 1), None);
        assert_eq!(caught_up(5, 20, 2), None, "it has not what there was");
        assert_eq!(caught_up(20, 30, 3), Some(2));
        assert_eq!(caught_up(30, 30, 4), Some(4));
        assert_eq!(caught_up(30, 40, 5), Some(4));
        assert_eq!(caught_up(35, 50, 6), Some(4));
    }

    #[test]
    fn observers_are_forgotten_with_the_reign_and_after_five_silent_minutes() {
        let observers = Observers::default();
        let ((now, wall), (later, _)) = (at_ms(0), at_ms(300_000));
        observers.note_fetch(3, fetch(4, 0, 0), now, wall);
        assert_eq!(observers.all(3, now).len(), 1);
        assert_eq!(observers.all(3, later), []);
        observers.note_fetch(3, fetch(4, 0, 0), now, wall);
        assert_eq!(observers.all(4, now), []);
    }
}
