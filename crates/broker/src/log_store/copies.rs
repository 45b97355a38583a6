//! Copies of logs that move from one directory to another.

use std::sync::Arc;

use env::{Env, Rng};
use storage::{LogReader, PartitionLog, StorageError};
use types::{ErrorCode, Uuid, WallTime};

use super::{DirIndex, LogStore};
use crate::settings::PartitionSettings;

impl<E: Env> LogStore<E> {
    /// The directory at `path`, as the configuration spells it.
    ///
    /// # Errors
    /// `LOG_DIR_NOT_FOUND`, `KAFKA_STORAGE_ERROR` if it is out of use.
    pub fn index_of(&self, path: &str) -> Result<DirIndex, ErrorCode> {
        let dirs = self.lock();
        let at = dirs.iter().position(|placed| placed.holds_topics && placed.path == path);
        let at = at.ok_or(ErrorCode::LogDirNotFound)?;
        match dirs[at].is_online() {
            true => Ok(DirIndex(at)),
            false => Err(ErrorCode::KafkaStorageError),
        }
    }

    /// Makes a copy that a log of another directory may move into.
    ///
    /// # Errors
    /// The directory fails, or has no room.
    pub fn create_copy(
        &self,
        target: DirIndex,
        original: &LogReader<E::Disk>,
        topic_id: Uuid,
        settings: &PartitionSettings,
        now: WallTime,
    ) -> Result<PartitionLog<E::Disk>, StorageError> {
        let settings = self.settings(Arc::clone(&settings.log), now);
        let mut dirs = self.lock();
        let placed = &mut dirs[target.0];
        let dir = placed.online().ok_or_else(|| placed.why_out())?;
        let copy = dir.create_copy(original, topic_id, self.env.rng().bytes16(), settings)?;
        placed.logs += 1;
        Ok(copy)
    }

    /// Puts a whole copy in the place of the log that it is one of.
    ///
    /// # Errors
    /// The directory fails; the original stays.
    pub fn promote_copy(
        &self,
        target: DirIndex,
        copy: PartitionLog<E::Disk>,
        original: &PartitionLog<E::Disk>,
        settings: &PartitionSettings,
        now: WallTime,
    ) -> Result<PartitionLog<E::Disk>, StorageError> {
        let settings = self.settings(Arc::clone(&settings.log), now);
        let dirs = self.lock();
        let placed = &dirs[target.0];
        let dir = placed.online().ok_or_else(|| placed.why_out())?;
        dir.promote_copy(copy, original, settings)
    }

    /// Gives a copy up. Unless it is removed, the next start begins the move anew.
    pub fn discard_copy(&self, target: DirIndex, copy: PartitionLog<E::Disk>, remove: bool) {
        let mut dirs = self.lock();
        let Some(placed) = dirs.get_mut(target.0) else { return };
        placed.logs = placed.logs.saturating_sub(1);
        if let Some(dir) = placed.online()
            && let Err(error) = dir.discard_copy(copy, remove)
        {
            log::error!(target: "kafka.log.LogManager", "{error}");
        }
    }
}
