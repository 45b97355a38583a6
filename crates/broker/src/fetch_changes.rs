//! What there is to tell a follower, without looking at all of its partitions.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::Uuid;

/// A topic's id and the partition's number.
pub type PartitionKey = (Uuid, i32);

/// A fetch that waits until there is more.
pub trait WakeFetch: Send + Sync {
    fn handle_appended(self: Arc<Self>, bytes: usize);
    fn complete(self: Arc<Self>);
}

/// The partitions of a follower's fetch session of which something has changed since it was last
/// told, as the partitions say, and the fetch of that session which waits for it.
///
/// A fetch of a session with thousands of partitions costs what has changed, not what there is.
///
/// **Invariant:** whoever changes a partition notes it here afterwards; whoever reads takes the
/// notes first. So a change is read, or noted for the next fetch.
#[derive(Default)]
pub struct FetchChanges(Mutex<State>);

#[derive(Default)]
struct State {
    changed: BTreeSet<PartitionKey>,
    /// All that was appended. Only for differences.
    appended_bytes: u64,
    waiting: Option<Arc<dyn WakeFetch>>,
}

impl std::fmt::Debug for FetchChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FetchChanges").finish_non_exhaustive()
    }
}

impl FetchChanges {
    /// There is something to tell of the partition, and perhaps bytes to send.
    pub fn note(&self, key: PartitionKey, appended_bytes: usize) {
        let mut state = self.lock();
        state.changed.insert(key);
        state.appended_bytes += appended_bytes as u64;
        let waiting = state.waiting.clone().filter(|_| appended_bytes > 0);
        drop(state);
        if let Some(waiting) = waiting {
            waiting.handle_appended(appended_bytes);
        }
    }

    /// There is something to tell of the partition that cannot wait.
    pub fn note_urgent(&self, key: PartitionKey) {
        let mut state = self.lock();
        state.changed.insert(key);
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waiting) = waiting {
            waiting.complete();
        }
    }

    /// What has changed since this was called last, and how many bytes had been appended by then.
    pub fn take(&self) -> (BTreeSet<PartitionKey>, u64) {
        let mut state = self.lock();
        (std::mem::take(&mut state.changed), state.appended_bytes)
    }

    pub fn appended_bytes(&self) -> u64 {
        self.lock().appended_bytes
    }

    /// From now on `fetch` waits; a session has one fetch at a time.
    pub fn set_waiting(&self, fetch: Arc<dyn WakeFetch>) {
        self.lock().waiting = Some(fetch);
    }

    /// `fetch` does not wait any more.
    pub fn clear_waiting(&self, fetch: &Arc<dyn WakeFetch>) {
        let mut state = self.lock();
        if state.waiting.as_ref().is_some_and(|waiting| Arc::ptr_eq(waiting, fetch)) {
            state.waiting = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
