use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use types::{BrokerId, MonoTime};

use crate::limits::{LEADER_JUST_LOST, LEADER_LOST_FOR_MAX};
use crate::metadata_wait::MetadataWait;

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
    /// Who would be told of a leader that is lost. They live until their deadline.
    waiting: Mutex<Vec<Weak<MetadataWait>>>,
}

impl LostLeaders {
    /// A connection to `leader` has ended, or nobody listens there.
    pub fn note_lost(&self, leader: BrokerId, now: MonoTime) {
        self.lock().entry(leader).or_insert(now);
        self.has_any.store(true, Ordering::Release);
    }

    /// `leader` has answered.
    pub fn note_heard(&self, leader: BrokerId, now: MonoTime) {
        if !self.has_any.load(Ordering::Acquire) {
            return;
        }
        let mut since = self.lock();
        let was_lost = since.remove(&leader).is_some();
        self.has_any.store(!since.is_empty(), Ordering::Release);
        drop(since);
        if was_lost {
            self.waiting().iter().for_each(|waiting| waiting.look(now));
        }
    }

    /// Others may lead now.
    pub fn handle_new_leaders(&self, now: MonoTime) {
        self.waiting().iter().for_each(|waiting| waiting.look(now));
    }

    pub fn add_waiting(&self, waiting: Weak<MetadataWait>) {
        lock(&self.waiting).push(waiting);
    }

    pub fn remove_waiting(&self, waiting: &Arc<MetadataWait>) {
        lock(&self.waiting).retain(|other| other.as_ptr() != Arc::as_ptr(waiting));
    }

    fn waiting(&self) -> Vec<Arc<MetadataWait>> {
        lock(&self.waiting).iter().filter_map(Weak::upgrade).collect()
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

    /// Those of whom clients have been told by `now`.
    pub fn lost_before(&self, now: MonoTime) -> BTreeSet<BrokerId> {
        let mut lost = self.at(now);
        if !lost.is_empty() {
            let since = self.lock();
            lost.retain(|id| since.get(id).is_some_and(|at| now.since(*at) >= LEADER_JUST_LOST));
        }
        lost
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BrokerId, MonoTime>> {
        lock(&self.since)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        lost.note_heard(BrokerId(3), THEN);
        assert_eq!(lost.at(THEN), BTreeSet::from([LEADER]));
        lost.note_heard(LEADER, THEN);
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
