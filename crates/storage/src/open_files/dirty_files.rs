use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many of a directory's log files are open and not synced, and who syncs them when that are
/// so many that clean ones, which alone can make room, become few.
#[derive(Default)]
pub(crate) struct DirtyFiles {
    count: AtomicUsize,
    sync: OnceLock<Box<dyn Fn() + Send + Sync>>,
    is_asked: AtomicBool,
}

impl DirtyFiles {
    /// `sync` is called by whoever changes a file, with locks of its log held: must not wait, and
    /// is followed by [`were_synced`](Self::were_synced) once that is done.
    pub(crate) fn on_crowded(&self, sync: Box<dyn Fn() + Send + Sync>) {
        let _ = self.sync.set(sync);
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, is_dirty: bool) {
        match is_dirty {
            true => self.count.fetch_add(1, Ordering::Relaxed),
            false => self.count.fetch_sub(1, Ordering::Relaxed),
        };
    }

    pub(super) fn ask(&self) {
        if let Some(sync) = self.sync.get()
            && !self.is_asked.swap(true, Ordering::AcqRel)
        {
            sync();
        }
    }

    pub(crate) fn were_synced(&self) {
        self.is_asked.store(false, Ordering::Release);
    }
}
