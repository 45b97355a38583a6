//! Log files that are opened when needed and closed when others need the room.
//!
//! **The rule of this file:** a file that holds bytes which were not synced stays open until they
//! are. After a write-back error Linux tells whoever has the file open at its next `fsync`; to
//! whoever opens the file later it may say nothing, and a sync that reports success over lost pages
//! is the one error that nothing can find. So a file is closed only if it is clean; if there is no
//! clean one, it is synced first, and if that fails the log and its directory are out of use.
//!
//! Source: errseq_t in the kernel's documentation; "fsyncgate" (2018).

use crate::error::StorageError;
use crate::limits::log_files_open_max;
use crate::log_dir_state::LogDirState;
use env::{Disk, DiskFile, OpenMode};
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};

/// The log files that this process has open, at most so many.
///
/// **Invariant:** a file that is being read or written keeps its handle until that is done, so
/// there may be as many more as there are such calls.
pub struct OpenFiles<D: Disk> {
    files_max: usize,
    /// The longest open in front. A second chance for those that were used since they were last
    /// looked at makes that nearly the order of use, at no cost to those who use them.
    ring: Mutex<VecDeque<Weak<LogFile<D>>>>,
}

impl<D: Disk> OpenFiles<D> {
    /// For all log directories of a process together.
    pub fn of_process(disk: &D) -> Arc<OpenFiles<D>> {
        OpenFiles::at_most(log_files_open_max(disk.open_files_max()))
    }

    pub(crate) fn at_most(files_max: usize) -> Arc<OpenFiles<D>> {
        Arc::new(OpenFiles { files_max, ring: Mutex::default() })
    }

    /// Files that are open for want of a reason to close them.
    pub fn count(&self) -> usize {
        let is_open = |file: &&Weak<LogFile<D>>| file.upgrade().is_some();
        self.lock().iter().filter(is_open).count()
    }

    /// Takes up a file that was just opened; another one goes for it if need be.
    fn admit(&self, file: &Arc<LogFile<D>>) {
        self.lock().push_back(Arc::downgrade(file));
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
        while ring.len() > self.files_max {
            // The first round takes the second chances away.
            if (0..2).any(|_| sweep(&mut ring, LogFile::try_close).is_some()) {
                continue;
            }
            match sweep(&mut ring, LogFile::is_idle) {
                Some(None) => {}
                dirty_or_none => return dirty_or_none.flatten(),
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Weak<LogFile<D>>>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out the first file for which `is_taken` holds: `Some(None)` if it was gone already.
fn sweep<D: Disk>(
    ring: &mut VecDeque<Weak<LogFile<D>>>,
    is_taken: impl Fn(&LogFile<D>) -> bool,
) -> Option<Option<Arc<LogFile<D>>>> {
    for _ in 0..ring.len() {
        let weak = ring.pop_front()?;
        let Some(file) = weak.upgrade() else { return Some(None) };
        if is_taken(&file) {
            return Some(Some(file));
        }
        ring.push_back(weak);
    }
    None
}

/// A file of a log: opened when first needed, closed by [`OpenFiles`], opened again.
pub(crate) struct LogFile<D: Disk> {
    home: Arc<LogDirState<D>>,
    path: Box<Path>,
    mode: OpenMode,
    handle: Mutex<Handle<D::File>>,
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
}

impl<F> Handle<F> {
    fn is_dirty(&self) -> bool {
        self.changing > 0 || self.changes != self.synced
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
        };
        Arc::new(LogFile { home, path: path.into(), mode, handle: Mutex::new(handle) })
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
        let file = self.hold(self.mode, |handle| handle.changing += 1)?;
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
        let changes = {
            let handle = self.lock();
            if !handle.is_dirty() && !handle.is_inherited && !handle.is_lost {
                return Ok(());
            }
            handle.changes
        };
        let file = self.get()?;
        let synced = file.sync().map_err(StorageError::io("sync segment", &self.path));
        LogFile::<D>::note_sync(&mut self.lock(), changes, synced.is_ok());
        synced
    }

    /// How far it was changed: for [`note_synced`](Self::note_synced).
    pub(crate) fn changes(&self) -> u32 {
        self.lock().changes
    }

    /// Everything up to `changes` reached the disk by a sync of the whole file system.
    pub(crate) fn note_synced(&self, changes: u32) {
        let mut handle = self.lock();
        if !handle.is_lost {
            LogFile::<D>::note_sync(&mut handle, changes, true);
        }
    }

    fn note_sync(handle: &mut Handle<D::File>, changes: u32, is_synced: bool) {
        match is_synced {
            true => {
                handle.synced = changes;
                handle.is_inherited = false;
            }
            false => handle.is_lost = true,
        }
    }

    fn hold(
        self: &Arc<Self>,
        mode: OpenMode,
        note: impl FnOnce(&mut Handle<D::File>),
    ) -> Result<Arc<D::File>, StorageError> {
        let mut handle = self.lock();
        if handle.is_lost {
            let lost = io::Error::other("an earlier sync of it failed");
            return Err(StorageError::io("use segment", &self.path)(lost));
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

    /// Closes the file if it is clean and was not used lately.
    fn try_close(&self) -> bool {
        let Some(mut handle) = self.try_lock() else { return false };
        let is_idle = !std::mem::take(&mut handle.is_used) && !handle.is_dirty();
        if is_idle {
            handle.file = None;
        }
        is_idle
    }

    fn is_idle(&self) -> bool {
        self.try_lock().is_some_and(|handle| !handle.is_used && handle.changing == 0)
    }

    /// False if it must stay: somebody is just changing it.
    fn sync_and_close(&self) -> bool {
        let mut handle = self.lock();
        if handle.changing > 0 {
            return false;
        }
        if let Some(file) = handle.file.clone().filter(|_| handle.is_dirty()) {
            let changes = handle.changes;
            let synced = file.sync().map_err(StorageError::io("sync segment", &self.path));
            LogFile::<D>::note_sync(&mut handle, changes, synced.is_ok());
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

#[cfg(test)]
mod tests {
    use super::*;
    use env_sim::{Crash, SimDisk};

    struct World {
        disk: SimDisk,
        home: Arc<LogDirState<SimDisk>>,
        files: Vec<Arc<LogFile<SimDisk>>>,
    }

    /// So many files by turns, of which `at_most` are open; each has its number in it, synced.
    fn world(count: u8, at_most: usize) -> World {
        let disk = SimDisk::new(1);
        let files = OpenFiles::at_most(at_most);
        let home = LogDirState::new(disk.clone(), "/".into(), Default::default(), files);
        let home = Arc::new(home);
        let file = |number: u8| {
            let path = PathBuf::from(format!("/{number}.log"));
            let file = LogFile::unopened(home.clone(), path, OpenMode::ReadWrite);
            file.create().unwrap();
            write(&file, &[number]).unwrap();
            file.sync().unwrap();
            file
        };
        let files = (0..count).map(file).collect();
        disk.sync_dir(Path::new("/")).unwrap();
        World { disk, home, files }
    }

    fn write(file: &Arc<LogFile<SimDisk>>, bytes: &[u8]) -> Result<(), StorageError> {
        file.change("write", |file| file.write_at(bytes, 0))
    }

    fn is_open(file: &LogFile<SimDisk>) -> bool {
        file.lock().file.is_some()
    }

    fn open(world: &World) -> Vec<usize> {
        (0..world.files.len()).filter(|at| is_open(&world.files[*at])).collect()
    }

    #[test]
    fn the_longest_unused_files_make_room_and_come_back_when_asked_for() {
        let world = world(6, 3);
        assert_eq!((open(&world), world.home.open_files().count()), (vec![3, 4, 5], 3));
        for number in [0, 4, 1, 0, 5, 2, 0] {
            let mut byte = [9];
            world.files[number].get().unwrap().read_at(&mut byte, 0).unwrap();
            assert_eq!(byte, [number as u8]);
            assert_eq!(open(&world).len(), 3);
        }
        assert!(is_open(&world.files[0]), "it was used again and again");
    }

    #[test]
    fn a_file_with_unsynced_bytes_stays_open_as_long_as_a_clean_one_can_go() {
        let world = world(6, 3);
        write(&world.files[0], b"x").unwrap();
        for number in [1, 2, 3, 4, 5, 1, 2, 3] {
            world.files[number].get().unwrap();
            assert!(is_open(&world.files[0]));
        }
        let syncs = world.disk.syncs();
        world.files[0].sync().unwrap();
        world.files[0].sync().unwrap();
        assert_eq!(world.disk.syncs() - syncs, 1, "a clean file is not synced");
        [4, 5, 1, 2].iter().for_each(|number| _ = world.files[*number].get().unwrap());
        assert!(!is_open(&world.files[0]));
    }

    #[test]
    fn where_all_are_dirty_one_is_synced_before_it_is_closed() {
        let world = world(6, 3);
        world.files.iter().for_each(|file| write(file, b"y").unwrap());
        let closed: Vec<usize> = (0..6).filter(|at| !is_open(&world.files[*at])).collect();
        assert_eq!(closed.len(), 3);
        world.disk.crash(Crash::PowerLoss);
        for number in closed {
            let path = PathBuf::from(format!("/{number}.log"));
            assert_eq!(world.disk.read_file(&path, 9).unwrap(), b"y");
        }
    }

    #[test]
    fn a_failed_sync_is_never_forgotten_by_closing_the_file() {
        let world = world(4, 2);
        write(&world.files[0], b"z").unwrap();
        world.disk.fail_next_sync("0.log");
        // No clean file is left, so one of the dirty ones must be synced.
        [1, 2].iter().for_each(|number| write(&world.files[*number], b"z").unwrap());
        assert!(world.home.is_offline());
        assert!(is_open(&world.files[0]));
        assert!(world.files[0].get().is_err() && world.files[0].sync().is_err());
        assert!(write(&world.files[0], b"z").is_err());
    }
}
