use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use types::{BrokerId, MonoTime};

use crate::limits::LEADER_LOST_FOR_MAX;

/// Leaders whose connection to a follower here has just ended, while the metadata still names them.
///
/// A client that asks who leads, told the one it has just lost, believes it: librdkafka stops its
/// quick queries once every partition has a leader, and next looks after a second. Told that there
/// is no leader it asks again soon. So for a moment, until the controller has decided, there is
/// none.
///
/// This is advice for clients and nothing else. A leader that lives is heard of again with the next
/// fetch, or after [`LEADER_LOST_FOR_MAX`].
#[derive(Default)]
pub struct LostLeaders {
    since: Mutex<BTreeMap<BrokerId, MonoTime>>,
    has_any: AtomicBool,
}

impl LostLeaders {
    /// A connection to `leader` has ended, or nobody listens there.
    pub fn note_lost(&self, leader: BrokerId, now: MonoTime) {
        self.lock().entry(leader).or_insert(now);
        self.has_any.store(true, Ordering::Release);
    }

    /// `leader` has answered.
    pub fn note_heard(&self, leader: BrokerId) {
        if self.has_any.load(Ordering::Acquire) {
            let mut since = self.lock();
            since.remove(&leader);
            self.has_any.store(!since.is_empty(), Ordering::Release);
        }
    }

    /// Those lost a moment ago.
    pub fn at(&self, now: MonoTime) -> BTreeSet<BrokerId> {
        if !self.has_any.load(Ordering::Acquire) {
            return BTreeSet::new();
        }
        let since = self.lock();
        let fresh = since.iter().filter(|(_, lost)| now.since(**lost) < LEADER_LOST_FOR_MAX);
        fresh.map(|(leader, _)| *leader).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BrokerId, MonoTime>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LEADER: BrokerId = BrokerId(2);
    const THEN: MonoTime = MonoTime(1_000_000_000);

    #[test]
    fn a_leader_is_lost_until_it_is_heard_of_again() {
        let lost = LostLeaders::default();
        lost.note_lost(LEADER, THEN);
        assert_eq!(lost.at(THEN), BTreeSet::from([LEADER]));
        lost.note_heard(BrokerId(3));
        assert_eq!(lost.at(THEN), BTreeSet::from([LEADER]));
        lost.note_heard(LEADER);
        assert_eq!(lost.at(THEN), BTreeSet::new());
    }

    #[test]
    fn who_stays_lost_and_leads_is_named_again_after_a_moment_however_often_it_is_tried() {
        let lost = LostLeaders::default();
        lost.note_lost(LEADER, THEN);
        let later = THEN.plus(LEADER_LOST_FOR_MAX);
        lost.note_lost(LEADER, later);
        assert_eq!(lost.at(later), BTreeSet::new());
        let just_before = MonoTime(later.0 - Duration::from_millis(1).as_nanos() as u64);
        assert_eq!(lost.at(just_before), BTreeSet::from([LEADER]));
    }
}
