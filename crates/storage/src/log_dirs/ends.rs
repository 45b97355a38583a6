//! The start and the end of a directory's use, and what survives power loss in between.

use super::LogDir;
use crate::commit::{CommitParts, GroupCommit, Replayed, sync_everything};
use crate::error::StorageError;
use crate::file_names::CLEAN_SHUTDOWN;
use crate::small_files::encode_clean_shutdown;
use env::Disk;
use std::sync::atomic::Ordering;
use types::TopicPartition;

impl<D: Disk> LogDir<D> {
    /// Every log of the directory was opened: from now on a clean shutdown is possible. What a
    /// crash left in the page cache is on disk before anybody is told of it.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline.
    pub fn finish_loading(&self) -> Result<(), StorageError> {
        if !self.was_clean {
            let mut journal = self.state.lock_journal();
            let logs = self.state.unsettled_logs();
            if !logs.is_empty() {
                self.guard(sync_everything(&self.state, &mut journal, logs))?;
            }
        }
        self.is_loaded.store(true, Ordering::Release);
        Ok(())
    }

    /// What the last process had committed and a crash had taken from the segments.
    pub fn replayed(&self) -> Replayed {
        self.replayed
    }

    /// Commits the logs of this directory together. There is one for each directory.
    pub fn group_commit(&self, parts: CommitParts) -> GroupCommit<D> {
        GroupCommit::new(self.state.clone(), parts)
    }

    /// Ends the use of the directory. If every log was loaded and closed, the next start scans
    /// nothing. Says why not otherwise.
    ///
    /// # Errors
    /// [`StorageError`]: then the next start recovers.
    pub fn close(self, broker_epoch: i64) -> Result<Result<(), NotClean>, StorageError> {
        self.check_online()?;
        let closing = self.state.take_closing();
        if !closing.is_empty() {
            let mut journal = self.state.lock_journal();
            self.guard(sync_everything(&self.state, &mut journal, closing.clone()))?;
        }
        closing.iter().for_each(|log| self.state.closed(log));
        self.state.before_replacing_files()?.give_back()?;
        self.state.checkpoint_recovery_points()?;
        let checkpoints = self.state.lock().clone();
        self.state.write_log_starts(&checkpoints)?;
        self.state.write_high_watermarks(&checkpoints)?;
        if !self.is_loaded.load(Ordering::Acquire) {
            return Ok(Err(NotClean::NotLoaded));
        }
        let open = self.state.open_logs();
        if !open.is_empty() {
            return Ok(Err(NotClean::LogsOpen(open)));
        }
        let path = self.path().join(CLEAN_SHUTDOWN);
        self.state
            .disk()
            .replace_file(&path, encode_clean_shutdown(broker_epoch).as_bytes())
            .map_err(StorageError::io("write", &path))?;
        Ok(Ok(()))
    }
}

/// Why no marker of a clean shutdown was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotClean {
    /// Loading never finished: logs that were not even looked at cannot be vouched for.
    NotLoaded,
    /// These were not closed.
    LogsOpen(Vec<TopicPartition>),
}
