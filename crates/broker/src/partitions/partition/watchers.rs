//! Who is told that there is more to fetch: fetches that wait, and sessions of followers, which are
//! told of changes instead of looking for them.

use std::sync::{Arc, Weak};

use env::Disk;

use super::{Partition, lock};
use crate::fetch_changes::{FetchChanges, PartitionKey};
use crate::fetch_wait::FetchWait;

impl<D: Disk> Partition<D> {
    pub(crate) fn add_fetch_wait(&self, wait: Arc<FetchWait<D>>) {
        lock(&self.fetch_waits).push(wait);
    }

    pub(crate) fn remove_fetch_wait(&self, wait: &Arc<FetchWait<D>>) {
        lock(&self.fetch_waits).retain(|other| !Arc::ptr_eq(other, wait));
    }

    /// From now on `changes` hears of everything that a follower is told of, for as long as it is
    /// there.
    pub(crate) fn tell_of_changes(&self, changes: &Arc<FetchChanges>) {
        let mut watchers = lock(&self.watchers);
        let is_told = |watcher: &Weak<FetchChanges>| watcher.as_ptr() == Arc::as_ptr(changes);
        if !watchers.iter().any(is_told) {
            watchers.retain(|watcher| watcher.strong_count() > 0);
            watchers.push(Arc::downgrade(changes));
        }
    }

    /// There is something to tell, and perhaps bytes to send. Called without any lock held.
    pub(super) fn note_changed(&self, appended_bytes: usize) {
        for watcher in self.watchers() {
            watcher.note(self.key(), appended_bytes);
        }
    }

    /// There is something to tell that cannot wait. Called without any lock held.
    pub(super) fn note_changed_urgently(&self) {
        for watcher in self.watchers() {
            watcher.note_urgent(self.key());
        }
    }

    fn watchers(&self) -> Vec<Arc<FetchChanges>> {
        lock(&self.watchers).iter().filter_map(Weak::upgrade).collect()
    }

    fn key(&self) -> PartitionKey {
        (self.topic_id, self.id.partition)
    }
}
