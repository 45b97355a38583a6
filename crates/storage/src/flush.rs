use crate::commit::{Place, sync_beside};
use crate::error::StorageError;
use crate::file_names::PARTITION_METADATA;
use crate::limits::FLUSH_APART_MAX;
use crate::log::FlushDue;
use crate::log_state::{LogState, first_unsure};
use crate::segment::Segment;
use env::{Disk, DiskFile, OpenMode};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use types::Offset;

/// Makes a log survive power loss, beside its writer. Cheap to clone.
///
/// When to flush is not decided here: the broker's durability policy asks.
pub struct LogFlusher<D: Disk> {
    pub(crate) state: Arc<LogState<D>>,
}

impl<D: Disk> Clone for LogFlusher<D> {
    fn clone(&self) -> LogFlusher<D> {
        LogFlusher { state: self.state.clone() }
    }
}

/// Flushes logs, those of a directory with one sync if they are more than a few.
///
/// # Errors
/// [`StorageError`]; the log, or the directory, is out of use. Other directories are flushed all
/// the same.
pub fn flush_together<D: Disk>(due: Vec<FlushDue<D>>) -> Result<(), StorageError> {
    let mut outcome = Ok(());
    let mut rest = due;
    while let Some((first, _)) = rest.first() {
        let home = first.state.home.clone();
        let is_here = |due: &FlushDue<D>| Arc::ptr_eq(&due.0.state.home, &home);
        let (here, elsewhere): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_here);
        rest = elsewhere;
        let flushed = match here.len() > FLUSH_APART_MAX {
            true => {
                let logs: Vec<_> = here.iter().map(|(log, _)| log.state.clone()).collect();
                sync_beside(&home, &logs).inspect_err(|error| home.take_offline(error))
            }
            false => here.iter().try_for_each(|(log, to)| log.flush_to(*to).map(|_| ())),
        };
        outcome = outcome.and(flushed);
    }
    outcome
}

impl<D: Disk> LogFlusher<D> {
    /// Syncs all batches below `offset`, then moves the recovery point there; says where it is.
    /// Flushes of one log run one at a time; a second one finds its work done.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned: after a failed sync nothing says what is on disk.
    pub fn flush_to(&self, offset: Offset) -> Result<Offset, StorageError> {
        self.state.check_alive()?;
        let synced = self.sync_to(offset);
        // Leader epochs that found no room: the recovery point stays, the next flush tries again.
        self.state.guard_unless_full(synced)
    }

    pub(crate) fn sync_to(&self, offset: Offset) -> Result<Offset, StorageError> {
        let state = &self.state;
        let _flushing = state.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        // What comes in from here on is for the next flush.
        let to = offset.min(state.log_end());
        let from = state.recovery_point();
        if to <= from {
            return Ok(from);
        }
        let segments = state.segments();
        let mut named = Vec::new();
        let mut place = None;
        // One that was flushed while it was active comes again once it is closed, for its indexes.
        for (index, segment) in segments.iter().enumerate().skip(first_unsure(&segments)) {
            if segment.base() >= to {
                break;
            }
            let is_sealed = index + 1 < segments.len();
            // Measured before: what comes in during the sync may miss it.
            place = Some(Place { segment_base: segment.base(), position: segment.bytes()? });
            match segment.sync_log() {
                // Removed meanwhile: nothing of it needs to last.
                Err(error) if error.is_not_found() && !state.holds(segment) => continue,
                synced => synced?,
            }
            // Unlike the other two, it is not made anew below the recovery point.
            segment.txn_index.sync()?;
            if is_sealed {
                segment.sync_indexes()?;
                segment.is_durable.store(true, Ordering::Release);
            }
            named.push(segment);
        }
        self.sync_names(named)?;
        // Epochs of what now counts as durable must not depend on a scan that will not happen.
        state.sync_epochs()?;
        state.advance_recovery_point(to);
        if let Some(place) = place {
            state.note_committed(place);
        }
        let holes_below = Offset(state.holes_below.load(Ordering::Acquire));
        if from < holes_below && holes_below < to {
            state.home.keep_recovery_point(state, holes_below)?;
        }
        Ok(state.recovery_point())
    }

    /// Of the log itself, and of these segments. Of two at the same time, one would not hear of an
    /// error that the kernel reports once.
    pub(crate) fn sync_names<'a>(
        &self,
        segments: impl IntoIterator<Item = &'a Arc<Segment<D>>>,
    ) -> Result<(), StorageError> {
        let state = &self.state;
        let _one_at_a_time = state.naming.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.home.failure() {
            return Err(error.clone());
        }
        // Before the next one is let in.
        self.sync_names_alone(segments).inspect_err(|error| _ = state.fail(error))
    }

    fn sync_names_alone<'a>(
        &self,
        segments: impl IntoIterator<Item = &'a Arc<Segment<D>>>,
    ) -> Result<(), StorageError> {
        let state = &self.state;
        let own = state.names.so_far();
        let with_names = segments.into_iter().filter(|segment| segment.names.is_any());
        let names: Vec<_> = with_names.map(|segment| (segment, segment.names.so_far())).collect();
        if state.names.is_any() {
            let path = state.file(PARTITION_METADATA);
            if state.disk.exists(&path) {
                (|| state.disk.open(&path, OpenMode::ReadWrite)?.sync())()
                    .map_err(StorageError::io("sync", &path))?;
            }
            state.sync_dir()?;
            let home = state.home.path();
            state.disk.sync_dir(home).map_err(StorageError::io("sync directory", home))?;
        } else if !names.is_empty() {
            state.sync_dir()?;
        }
        state.names.note_synced(own);
        names.into_iter().for_each(|(segment, so_far)| segment.names.note_synced(so_far));
        Ok(())
    }
}
