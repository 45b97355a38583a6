use crate::error::StorageError;
use crate::log_dir_state::LogDirState;
use crate::metrics::LogDirMetrics;
use env::Disk;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Removes what a log directory has renamed out of the way: on whatever thread may block, and
/// without the directory's owner.
///
/// **Invariant:** what it is given bears a name that the next start removes too, so that a crash
/// in between leaves nothing behind for ever.
pub struct Remover<D: Disk> {
    pub(super) state: Arc<LogDirState<D>>,
}

impl<D: Disk> Remover<D> {
    pub fn metrics(&self) -> &LogDirMetrics {
        &self.state.metrics
    }

    /// Records are refused to keep the disk from filling up: what is to go should go at once.
    pub fn is_short_of_space(&self) -> bool {
        self.state.space.is_short()
    }

    /// Removes a directory that was moved out of the way; one that is gone is no error.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn remove_dir(&self, path: &Path) -> Result<(), StorageError> {
        match self.state.disk().remove_dir_all(path) {
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
            match self.state.disk().remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StorageError::io("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
