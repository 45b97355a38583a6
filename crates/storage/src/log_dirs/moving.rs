//! Taking logs out of a directory.

use super::{FoundPartition, LogDir, Remover};
use crate::error::StorageError;
use crate::file_names::{DirKind, FileKind, OffsetFile, moved_dir};
use crate::log::PartitionLog;
use env::{Disk, DiskFile, OpenMode};
use std::path::{Path, PathBuf};
use types::TopicPartition;

/// A batch says its length and format within so many bytes.
const MAGIC_END: usize = 17;

impl<D: Disk> LogDir<D> {
    /// Takes a log out of the directory: renames it to `…-delete` and returns the path, to be given
    /// to [`remove_dir`](Self::remove_dir) once `file.delete.delay.ms` has passed.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline.
    pub fn delete_log(
        &self,
        log: PartitionLog<D>,
        unique: [u8; 16],
    ) -> Result<PathBuf, StorageError> {
        let (partition, path) = (log.partition().clone(), log.state.dir.path.clone());
        // Readers that are left must not mistake a vanished file for a failing disk, nor must a
        // commit that has taken the log along.
        let _journal = self.state.lock_journal();
        log.state.retire();
        drop(log);
        self.move_dir(&partition, &path, unique, DirKind::Deleted)
    }

    /// Sets a directory aside as `…-stray`: it belongs to no topic, or to one of another id.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline.
    pub fn set_aside(
        &self,
        found: &FoundPartition,
        unique: [u8; 16],
    ) -> Result<PathBuf, StorageError> {
        self.move_dir(&found.partition, &found.path, unique, DirKind::Stray)
    }

    /// Whether a crash came while the partition was made: its directory does not say which topic's
    /// it is, and no segment in it begins with a batch.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn is_unborn(&self, found: &FoundPartition) -> Result<bool, StorageError> {
        if found.topic_id.is_some() {
            return Ok(false);
        }
        let disk = self.state.disk();
        let entries = disk.read_dir(&found.path).map_err(StorageError::io("list", &found.path))?;
        for entry in entries {
            let file = OffsetFile::parse(&entry.name);
            if file.is_some_and(|file| file.kind == FileKind::Log) {
                let path = found.path.join(&entry.name);
                let file = disk.open(&path, OpenMode::Read);
                let mut head = [0; MAGIC_END];
                let got = file.and_then(|file| file.read_at(&mut head, 0));
                let got = got.map_err(StorageError::io("read segment", &path))?;
                // Space that is reserved ahead reads as zeros.
                if head[..got].iter().any(|byte| *byte != 0) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn move_dir(
        &self,
        partition: &TopicPartition,
        from: &Path,
        unique: [u8; 16],
        kind: DirKind,
    ) -> Result<PathBuf, StorageError> {
        self.check_online()?;
        let to = self.path().join(moved_dir(partition, unique, kind));
        let disk = self.state.disk();
        let moved = disk.rename(from, &to).and_then(|()| disk.sync_dir(self.path()));
        let moved = moved.map_err(StorageError::io("rename", from));
        // A log of the same name must not begin with this one's offsets.
        self.guard(moved.and_then(|()| self.state.forget(partition)))?;
        Ok(to)
    }

    /// Removes what was moved or renamed out of the way, without this directory's owner.
    pub fn remover(&self) -> Remover<D> {
        Remover {
            disk: self.state.disk().clone(),
            metrics: self.state.metrics.clone(),
            is_short_of_space: self.state.space.is_short(),
        }
    }

    /// Removes a directory that was moved out of the way.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn remove_dir(&self, path: &Path) -> Result<(), StorageError> {
        self.remover().remove_dir(path)
    }

    /// Removes files that [`PartitionLog::take_deleted`] handed out; one that is gone is no error.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn remove_files(&self, paths: &[PathBuf]) -> Result<(), StorageError> {
        self.remover().remove_files(paths)
    }
}
