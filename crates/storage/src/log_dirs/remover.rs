use crate::error::StorageError;
use crate::metrics::LogDirMetrics;
use env::Disk;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Removes what a log directory has renamed out of the way: on whatever thread may block, and
/// without the directory's owner.
///
/// **Invariant:** what it is given bears a name that the next start removes too, so that a crash
/// in between leaves nothing behind for ever. It keeps nothing of the directory's alive.
pub struct Remover<D: Disk> {
    pub(super) disk: D,
    pub(super) metrics: Arc<LogDirMetrics>,
    pub(super) is_short_of_space: bool,
}

impl<D: Disk> Remover<D> {
    pub fn metrics(&self) -> &LogDirMetrics {
        &self.metrics
    }

    /// Records were being refused to keep the disk from filling up when this was made: what is to
    /// go should go at once.
    pub fn is_short_of_space(&self) -> bool {
        self.is_short_of_space
    }

    /// Removes a directory that was moved out of the way; one that is gone is no error.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn remove_dir(&self, path: &Path) -> Result<(), StorageError> {
        match self.disk.remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StorageError::io("remove directory", path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Removes files that [`PartitionLog::take_deleted`](crate::PartitionLog::take_deleted) handed
    /// out; one that is gone, perhaps with its directory, is no error.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn remove_files(&self, paths: &[PathBuf]) -> Result<(), StorageError> {
        for path in paths {
            match self.disk.remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StorageError::io("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
