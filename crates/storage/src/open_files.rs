//! Log files that are opened when needed and closed when others need the room.
//!
//! **The rule of these files:** a file that holds bytes which were not synced stays open until they
//! are. After a write-back error Linux tells whoever has the file open at its next `fsync`; to
//! whoever opens the file later it may say nothing, and a sync that reports success over lost pages
//! is the one error that nothing can find. So a file is closed only if it is clean. Before clean
//! ones become few, all of a directory are synced in the background; if none is left all the same,
//! one is synced first, and if that fails the log and its directory are out of use.
//!
//! Source: errseq_t in the kernel's documentation; "fsyncgate" (2018).

mod dirty_files;
mod log_file;

use crate::limits::{DIRTY_SKIPPED_MAX, log_files_open_max};
use env::Disk;
use log_file::Closing;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub(crate) use dirty_files::DirtyFiles;
pub(crate) use log_file::LogFile;

/// The log files that this process has open, at most so many.
///
/// **Invariant:** a file that is being read or written keeps its handle until that is done, so
/// there may be as many more as there are such calls.
pub struct OpenFiles<D: Disk> {
    /// Files and sockets that the process may have.
    process_max: usize,
    sockets: AtomicUsize,
    /// Of `process_max`, with so many sockets.
    share: fn(usize, usize) -> usize,
    /// The longest open in front. A second chance for those that were used since they were last
    /// looked at makes that nearly the order of use, at no cost to those who use them.
    ring: Mutex<VecDeque<Weak<LogFile<D>>>>,
}

impl<D: Disk> OpenFiles<D> {
    /// For all log directories of a process together.
    pub fn of_process(disk: &D) -> Arc<OpenFiles<D>> {
        OpenFiles::sharing(disk.open_files_max(), log_files_open_max)
    }

    #[cfg(test)]
    pub(crate) fn at_most(files_max: usize) -> Arc<OpenFiles<D>> {
        OpenFiles::sharing(files_max, |files_max, _| files_max)
    }

    fn sharing(process_max: usize, share: fn(usize, usize) -> usize) -> Arc<OpenFiles<D>> {
        Arc::new(OpenFiles {
            process_max,
            sockets: Default::default(),
            share,
            ring: Mutex::default(),
        })
    }

    /// Files that are open for want of a reason to close them.
    pub fn count(&self) -> usize {
        let is_open = |file: &&Weak<LogFile<D>>| file.upgrade().is_some();
        self.lock().iter().filter(is_open).count()
    }

    /// So many connections are open now: files that they need are closed.
    pub fn note_sockets(&self, sockets: usize) {
        self.sockets.store(sockets, Ordering::Relaxed);
        self.close_surplus();
    }

    fn files_max(&self) -> usize {
        (self.share)(self.process_max, self.sockets.load(Ordering::Relaxed))
    }

    /// Whether so many dirty files in one directory leave too little room for others.
    fn is_crowded_by(&self, dirty: usize) -> bool {
        dirty > self.files_max() / 4 * 3
    }

    /// Takes up a file that was just opened; another one goes for it if need be.
    fn admit(&self, file: &Arc<LogFile<D>>) {
        self.lock().push_back(Arc::downgrade(file));
        self.close_surplus();
    }

    fn close_surplus(&self) {
        while let Some(dirty) = self.make_room() {
            // Without the lock of the ring: it takes its time.
            if !dirty.sync_and_close() {
                self.lock().push_back(Arc::downgrade(&dirty));
                return;
            }
        }
    }

    /// Closes clean files until there are few enough. If there is no clean one, returns one to be
    /// synced, which is in the ring no more.
    fn make_room(&self) -> Option<Arc<LogFile<D>>> {
        let mut ring = self.lock();
        while ring.len() > self.files_max() {
            match sweep(&mut ring) {
                Swept::Room => {}
                Swept::OnlyDirty(file) => return Some(file),
                Swept::AllBusy => return None,
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Weak<LogFile<D>>>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of the ring could go.
enum Swept<D: Disk> {
    /// A clean file, or one that was gone already.
    Room,
    /// Nothing clean was found, within reason. This one is in the ring no more.
    OnlyDirty(Arc<LogFile<D>>),
    AllBusy,
}

fn sweep<D: Disk>(ring: &mut VecDeque<Weak<LogFile<D>>>) -> Swept<D> {
    let mut dirty = None;
    let mut skipped = 0;
    // The first round takes the second chances away.
    for _ in 0..2 * ring.len() {
        let Some(weak) = ring.pop_front() else { break };
        match weak.upgrade().map(|file| (file.try_close(), file)) {
            None | Some((Closing::Done, _)) => {
                ring.extend(dirty.as_ref().map(Arc::downgrade));
                return Swept::Room;
            }
            Some((Closing::Dirty, file)) if dirty.is_none() => dirty = Some(file),
            Some((Closing::Dirty, _)) => {
                skipped += 1;
                ring.push_back(weak);
            }
            Some((Closing::Busy, _)) => ring.push_back(weak),
        }
        if skipped > DIRTY_SKIPPED_MAX {
            break;
        }
    }
    dirty.map_or(Swept::AllBusy, Swept::OnlyDirty)
}

#[cfg(test)]
mod tests;
