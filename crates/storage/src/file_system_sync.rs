//! Syncs of the whole file system, none of which misses an error.   ADR 0009

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use env::{Disk, DiskFile, OpenMode};

use crate::error::StorageError;
use crate::log_dir_state::LogDirState;

/// An open file through which syncs of the file system go one after another. Those who must not
/// wait for each other have one each.
///
/// **Invariant:** it is open since before anything was written that such a sync is to make durable,
/// and whoever uses it after an error finds the directory out of use. Linux reports an error of
/// write-back once through each open file: to one of two syncs that are under way at the same time,
/// and to none if the file was opened after somebody else was told.
pub(crate) struct FileSystemSync<D: Disk> {
    dir: Mutex<D::File>,
}

impl<D: Disk> FileSystemSync<D> {
    pub(crate) fn open(disk: &D, dir: &Path) -> Result<FileSystemSync<D>, StorageError> {
        let file =
            disk.open(dir, OpenMode::Read).map_err(StorageError::io("open directory", dir))?;
        Ok(FileSystemSync { dir: Mutex::new(file) })
    }
}

impl<D: Disk> LogDirState<D> {
    /// All that was written before survives power loss once this returns. After an error the
    /// directory is out of use before the next one is let in.
    pub(crate) fn sync_file_system(&self, through: &FileSystemSync<D>) -> Result<(), StorageError> {
        let dir = through.dir.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = self.failure() {
            return Err(error.clone());
        }
        let failed = StorageError::io("sync file system of", self.path());
        dir.sync_file_system().map_err(failed).inspect_err(|error| self.fail(error))
    }
}
