use crate::error::StorageError;
use crate::log_dir_state::LogDirState;
use env::{Disk, DiskFile, OpenMode};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// A file of a log: opened when first needed, closed by [`OpenFiles`](super::OpenFiles), opened
/// again.
pub(crate) struct LogFile<D: Disk> {
    home: Arc<LogDirState<D>>,
    path: Box<Path>,
    mode: OpenMode,
    handle: Mutex<Handle<D::File>>,
    /// Taken before the handle by whoever syncs: of two at the same time, one would not hear of an
    /// error that the kernel reports once.
    syncing: Mutex<()>,
}

struct Handle<F> {
    file: Option<Arc<F>>,
    /// Changes that have begun and not ended.
    changing: u32,
    /// Something was changed and not synced: the file stays open.
    changes: u32,
    synced: u32,
    /// The process before may have left something that is not on disk. No reason to stay open: its
    /// errors were its own, and what is read back is checked.
    is_inherited: bool,
    /// Used since the ring last looked.
    is_used: bool,
    /// A sync failed: nothing says what is on disk.
    is_lost: bool,
    /// It is among the [`DirtyFiles`](super::DirtyFiles) of its directory.
    is_counted: bool,
}

/// What became of a file that was to be closed.
pub(super) enum Closing {
    Done,
    /// It has something that was not synced, and was not used lately.
    Dirty,
    /// It was used lately, or is just being used.
    Busy,
}

impl<F> Handle<F> {
    fn is_dirty(&self) -> bool {
        self.changing > 0 || self.changes != self.synced
    }

    fn needs_sync(&self) -> bool {
        self.is_dirty() || self.is_inherited || self.is_lost
    }
}

impl<D: Disk> LogFile<D> {
    /// A file that is opened so when it is needed.
    pub(crate) fn unopened(
        home: Arc<LogDirState<D>>,
        path: PathBuf,
        mode: OpenMode,
    ) -> Arc<LogFile<D>> {
        let handle = Handle {
            file: None,
            changing: 0,
            changes: 0,
            synced: 0,
            is_inherited: false,
            is_used: false,
            is_lost: false,
            is_counted: false,
        };
        let (handle, syncing) = (Mutex::new(handle), Mutex::default());
        Arc::new(LogFile { home, path: path.into(), mode, handle, syncing })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is there may be in the page cache only.
    pub(crate) fn inherit(&self) {
        self.lock().is_inherited = true;
    }

    /// Whoever holds it may go on reading after it was closed here.
    pub(crate) fn get(self: &Arc<Self>) -> Result<Arc<D::File>, StorageError> {
        self.hold(self.mode, |_| ())
    }

    /// Makes the file, in place of whatever bears its name.
    pub(crate) fn create(self: &Arc<Self>) -> Result<(), StorageError> {
        // An empty file has nothing that could be lost, and its name is the directory's.
        self.hold(OpenMode::Truncate, |_| ()).map(|_| ())
    }

    /// Writes or cuts. The file stays open until that is synced.
    pub(crate) fn change<T>(
        self: &Arc<Self>,
        what: &'static str,
        act: impl FnOnce(&D::File) -> io::Result<T>,
    ) -> Result<T, StorageError> {
        let file = self.hold(self.mode, |handle| {
            handle.changing += 1;
            self.count(handle);
        })?;
        let (home, files) = (&self.home, self.home.open_files());
        if files.is_crowded_by(home.dirty_files.count()) {
            home.dirty_files.ask();
        }
        let done = act(&file);
        let mut handle = self.lock();
        handle.changing -= 1;
        handle.changes = handle.changes.wrapping_add(1);
        drop(handle);
        done.map_err(StorageError::io(what, &self.path))
    }

    /// What was written before the call survives power loss once it returns. Nothing is done for a
    /// file that is clean.
    pub(crate) fn sync(self: &Arc<Self>) -> Result<(), StorageError> {
        if !self.lock().needs_sync() {
            return Ok(());
        }
        // Before the others wait: to open one file may take the sync of another.
        let file = self.get()?;
        let _one_at_a_time = self.lock_syncing();
        let changes = {
            let handle = self.lock();
            if handle.is_lost {
                return Err(self.lost());
            }
            if !handle.needs_sync() {
                return Ok(());
            }
            handle.changes
        };
        let synced = file.sync().map_err(StorageError::io("sync segment", &self.path));
        self.note_sync(&mut self.lock(), changes, synced.is_ok());
        synced
    }

    /// Something was changed and not synced.
    pub(crate) fn is_dirty(&self) -> bool {
        self.lock().is_dirty()
    }

    /// How far it was changed: for [`note_synced`](Self::note_synced).
    pub(crate) fn changes(&self) -> u32 {
        self.lock().changes
    }

    /// Everything up to `changes` reached the disk by a sync of the whole file system.
    pub(crate) fn note_synced(&self, changes: u32) {
        let mut handle = self.lock();
        if !handle.is_lost {
            self.note_sync(&mut handle, changes, true);
        }
    }

    fn note_sync(&self, handle: &mut Handle<D::File>, changes: u32, is_synced: bool) {
        match is_synced {
            true => {
                // Of two syncs, the one that began earlier may end later, and takes nothing back.
                let ahead = changes.wrapping_sub(handle.synced);
                if ahead <= u32::MAX / 2 {
                    handle.synced = changes;
                }
                handle.is_inherited = false;
            }
            false => handle.is_lost = true,
        }
        self.count(handle);
    }

    fn count(&self, handle: &mut Handle<D::File>) {
        let is_dirty = handle.is_dirty();
        if std::mem::replace(&mut handle.is_counted, is_dirty) != is_dirty {
            self.home.dirty_files.note(is_dirty);
        }
    }

    fn hold(
        self: &Arc<Self>,
        mode: OpenMode,
        note: impl FnOnce(&mut Handle<D::File>),
    ) -> Result<Arc<D::File>, StorageError> {
        let mut handle = self.lock();
        if handle.is_lost {
            return Err(self.lost());
        }
        handle.is_used = true;
        if let Some(file) = handle.file.clone().filter(|_| mode == self.mode) {
            note(&mut handle);
            return Ok(file);
        }
        let file = self.home.disk().open(&self.path, mode);
        let file = Arc::new(file.map_err(StorageError::io("open segment", &self.path))?);
        handle.file = Some(file.clone());
        note(&mut handle);
        drop(handle);
        self.home.open_files().admit(self);
        Ok(file)
    }

    fn lost(&self) -> StorageError {
        let lost = io::Error::other("an earlier sync of it failed");
        StorageError::io("use segment", &self.path)(lost)
    }

    /// Closes the file if it is clean and was not used lately.
    pub(super) fn try_close(&self) -> Closing {
        let Some(mut handle) = self.try_lock() else { return Closing::Busy };
        if std::mem::take(&mut handle.is_used) || handle.changing > 0 {
            return Closing::Busy;
        }
        if handle.is_dirty() {
            return Closing::Dirty;
        }
        handle.file = None;
        Closing::Done
    }

    /// False if it must stay: somebody is just changing it.
    pub(super) fn sync_and_close(&self) -> bool {
        self.home.dirty_files.ask();
        let _one_at_a_time = self.lock_syncing();
        let mut handle = self.lock();
        if handle.changing > 0 {
            return false;
        }
        if handle.is_lost {
            return true;
        }
        if let Some(file) = handle.file.clone().filter(|_| handle.is_dirty()) {
            let changes = handle.changes;
            let synced = file.sync().map_err(StorageError::io("sync segment", &self.path));
            self.note_sync(&mut handle, changes, synced.is_ok());
            if let Err(error) = synced {
                // It stays open, outside the ring: whoever needs it next is told.
                drop(handle);
                self.home.take_offline(&error);
                return true;
            }
        }
        handle.file = None;
        true
    }

    #[cfg(test)]
    pub(super) fn is_open(&self) -> bool {
        self.lock().file.is_some()
    }

    fn lock_syncing(&self) -> MutexGuard<'_, ()> {
        self.syncing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Handle<D::File>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Handle<D::File>>> {
        match self.handle.try_lock() {
            Ok(handle) => Some(handle),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<D: Disk> Drop for LogFile<D> {
    fn drop(&mut self) {
        let handle = self.handle.get_mut().unwrap_or_else(PoisonError::into_inner);
        if handle.is_counted {
            self.home.dirty_files.note(false);
        }
    }
}
