//! Durable by a sync of the whole file system.

use std::sync::Arc;

use env::Disk;

use super::dirty::BeforeSync;
use super::journal::CommitJournal;
use crate::error::StorageError;
use crate::log_dir_state::LogDirState;
use crate::log_state::LogState;

/// Syncs the file system, and with it every log that is given and all that the journal holds.
pub(crate) fn sync_everything<D: Disk>(
    home: &LogDirState<D>,
    journal: &mut CommitJournal<D>,
    logs: Vec<Arc<LogState<D>>>,
) -> Result<(), StorageError> {
    let before = before_sync(logs.iter())?;
    home.sync_file_system(&home.sync_with_journal)?;
    for log in &before {
        log.note_synced();
    }
    journal.all_synced()
}

/// The same, beside commits and appends.
pub(crate) fn sync_beside<D: Disk>(
    home: &LogDirState<D>,
    logs: &[Arc<LogState<D>>],
) -> Result<(), StorageError> {
    let before = before_sync(logs.iter())?;
    home.sync_file_system(&home.sync_beside)?;
    // Against truncation: what was cut meanwhile is not noted.
    let _journal = home.lock_journal();
    for log in &before {
        log.note_synced();
    }
    Ok(())
}

/// Of the logs that are still there.
pub(super) fn before_sync<'a, D: Disk>(
    logs: impl Iterator<Item = &'a Arc<LogState<D>>>,
) -> Result<Vec<BeforeSync<D>>, StorageError> {
    let of_one = |log: &Arc<LogState<D>>| match BeforeSync::of(log) {
        // It is being deleted just now: its files are not missed.
        Err(_) if log.is_retired() => None,
        before => Some(before),
    };
    logs.filter(|log| !log.is_retired()).filter_map(of_one).collect()
}

/// Makes clean what keeps so many files open that others find no room.
pub(crate) fn sync_dirty_files<D: Disk>(home: &LogDirState<D>) {
    if let Err(error) = sync_beside(home, &home.logs_with_dirty_files()) {
        home.take_offline(&error);
    }
    home.dirty_files.were_synced();
}
