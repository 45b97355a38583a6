//! Whether power loss would take a change.

use std::sync::atomic::{AtomicU64, Ordering};

/// Changes that power loss would take, until a sync that began after them has ended.
///
/// **Invariant:** none counts as synced before its sync has ended: whoever looks meanwhile must not
/// count on it.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    made: AtomicU64,
    synced: AtomicU64,
}

/// The changes that a sync takes along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SoFar(u64);

impl Unsynced {
    /// After the change itself.
    pub(crate) fn note(&self) {
        self.made.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn is_any(&self) -> bool {
        self.synced.load(Ordering::Acquire) < self.made.load(Ordering::Acquire)
    }

    /// Before a sync.
    pub(crate) fn so_far(&self) -> SoFar {
        SoFar(self.made.load(Ordering::Acquire))
    }

    /// The sync has ended.
    pub(crate) fn note_synced(&self, so_far: SoFar) {
        self.synced.fetch_max(so_far.0, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_until_a_sync_that_began_after_it_has_ended() {
        let changes = Unsynced::default();
        assert!(!changes.is_any());
        changes.note();
        let so_far = changes.so_far();
        assert!(changes.is_any(), "its sync runs");
        changes.note();
        changes.note_synced(so_far);
        assert!(changes.is_any(), "the second came during the sync");
        changes.note_synced(changes.so_far());
        assert!(!changes.is_any());
        changes.note_synced(so_far);
        assert!(!changes.is_any(), "a sync that ends late takes nothing back");
    }
}
