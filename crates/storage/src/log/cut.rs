//! Shortening a log, at either end.

use super::{Active, PartitionLog};
use crate::commit::Place;
use crate::error::StorageError;
use crate::log_state::{LogBounds, floor_segment};
use crate::recovery::{HeadsSeen, replay_producers};
use crate::segment::Segment;
use env::Disk;
use std::sync::{Arc, PoisonError};
use types::{Offset, WallTime};

impl<D: Disk> PartitionLog<D> {
    /// Removes everything at `offset` and after; of a batch that holds it, all of it. Then indexes,
    /// epochs and producers are as if it had never been written. Durable once this returns.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn truncate_to(&mut self, offset: Offset, now: WallTime) -> Result<(), StorageError> {
        self.state.check_alive()?;
        self.is_untouched = false;
        let home = self.state.home.clone();
        let truncated = if offset >= self.next_offset {
            // A leader that was deposed before it wrote anything left an epoch behind.
            let end = self.next_offset;
            self.state.change_epochs(|epochs| epochs.truncate_from_end(end))
        } else {
            home.before_replacing_files().and_then(|_journal| {
                match offset < self.state.segments()[0].base() {
                    true => self.restart_at(offset, now),
                    false => self.cut_at(offset, now),
                }
            })
        };
        self.state.guard(truncated)
    }

    /// Removes everything and begins again at `offset`: a follower whose leader's log starts later.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    #[doc(alias = "truncateFullyAndStartAt")]
    pub fn reset_to(&mut self, offset: Offset, now: WallTime) -> Result<(), StorageError> {
        self.state.check_alive()?;
        self.is_untouched = false;
        let home = self.state.home.clone();
        let restarted =
            home.before_replacing_files().and_then(|_journal| self.restart_at(offset, now));
        self.state.guard(restarted)
    }

    /// Moves the first offset that may be read up to `to`, for good, and removes the segments that
    /// lie wholly below. Says where the log starts now.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned, but for a full disk.
    ///
    /// # Panics
    /// If `to` is past the log end.
    pub fn advance_log_start(&mut self, to: Offset) -> Result<Offset, StorageError> {
        self.state.check_alive()?;
        self.is_untouched = false;
        assert!(to <= self.next_offset, "log start {to} is past the log end {}", self.next_offset);
        let to = to.max(self.log_start());
        let advanced = match floor_segment(&self.state.segments(), to) {
            0 if to == self.log_start() => Ok(()),
            gone => self.drop_below(to, gone),
        };
        // Whatever had no room: what is gone is gone in order, what is not goes the next time.
        self.state.guard_unless_full(advanced)?;
        Ok(self.log_start())
    }

    /// The first `gone` segments lie wholly below `to`.
    fn drop_below(&mut self, to: Offset, gone: usize) -> Result<(), StorageError> {
        let segments = self.state.segments();
        let first_base = segments[gone].base();
        // With the log's own name power loss would take what was said of it, and a new one of the
        // same name would begin at 0.
        self.flusher().sync_names([])?;
        // First for good, then visible: what a client was told is gone stays gone. And if power
        // loss takes some of the names below, recovery knows them for leftovers, not for a log with
        // a hole.
        let is_kept = match self.state.home.keep_log_start(&self.state.partition, Some(to)) {
            // Deleting must be possible on a full disk. Then the names go one by one, oldest first,
            // so that at no time there is a hole.
            Err(error) if error.is_full() && to == first_base => false,
            kept => kept.map(|()| true)?,
        };
        self.state.publish_start(to);
        if gone > 0 {
            self.state.set_segments(segments[gone..].to_vec());
            let metrics = Arc::clone(&self.state.home.metrics);
            metrics.deleted_segments.add(gone as u64);
            for segment in &segments[..gone] {
                metrics.deleted_bytes.add(segment.bytes()?);
                self.rename_deleted(segment)?;
                if !is_kept {
                    self.state.sync_dir()?;
                }
            }
            self.remove_snapshots(|base| base < first_base)?;
            self.state.sync_dir()?;
        }
        // Not before the segments: after a crash the log starts with whatever is still there.
        match self.state.change_epochs(|epochs| epochs.truncate_from_start(to)) {
            // The file may say more than there is: what lies before the log start is not looked at.
            Err(error) if error.is_full() => self.state.home.metrics.errors.count(&error),
            changed => changed?,
        }
        if to == first_base {
            // Only now that the first segment says it.
            self.state.home.forget_log_start(&self.state.partition);
        }
        Ok(())
    }

    fn cut_at(&mut self, offset: Offset, now: WallTime) -> Result<(), StorageError> {
        let state = self.state.clone();
        let _flushing = state.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        let segments = state.segments();
        let last = floor_segment(&segments, offset);
        let segment = &segments[last];
        // The batch that holds the offset goes whole.
        let (bytes, end) = match segment.find(offset)? {
            Some((position, frame)) => (position, frame.base_offset.min(offset)),
            None => (segment.bytes()?, offset),
        };
        // First in memory, so that no checkpoint written meanwhile brings it back.
        state.lower_recovery_point(end);
        state.home.lower_recovery_point(&state.partition, end)?;
        state.home.lower_cleaner_offset(&state.partition, end)?;
        state.cut(|list| {
            for dropped in list.drain(last + 1..).rev() {
                self.rename_deleted(&dropped)?;
            }
            segment.cut(bytes, end)?;
            self.next_offset = end;
            self.active = Active::resume(segment.clone(), &self.config, now)?;
            Ok(())
        })?;
        let log_start = self.log_start().min(end);
        let recovery_point = self.recovery_point().min(end);
        state.set_bounds(LogBounds { log_start, log_end: end, recovery_point });
        let cut_at = Place { segment_base: segment.base(), position: bytes };
        // What lies before may be uncommitted still.
        state.reset_committed(cut_at.min(state.committed()));
        let first_base = state.segments()[0].base();
        let kept = (log_start > first_base).then_some(log_start);
        state.home.keep_log_start(&state.partition, kept)?;
        state.change_epochs(|epochs| epochs.truncate_from_end(end))?;
        self.remove_snapshots(|base| base > end)?;
        self.active.segment.sync_log()?;
        // Below the recovery point it is taken as it is, and that is the end of the log now.
        self.active.segment.txn_index.sync()?;
        state.sync_dir()?;
        replay_producers(self, &HeadsSeen::none(), None, now)
    }

    fn restart_at(&mut self, base: Offset, now: WallTime) -> Result<(), StorageError> {
        let state = self.state.clone();
        let _flushing = state.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        state.lower_recovery_point(base);
        state.home.lower_recovery_point(&state.partition, base)?;
        state.home.lower_cleaner_offset(&state.partition, base)?;
        state.home.keep_log_start(&state.partition, None)?;
        state.cut(|list| {
            for dropped in list.drain(..).rev() {
                self.rename_deleted(&dropped)?;
            }
            let fresh = Arc::new(Segment::create(&state.dir, base)?);
            list.push(fresh.clone());
            self.active = Active::empty(fresh, &self.config, now);
            Ok(())
        })?;
        self.next_offset = base;
        state.set_bounds(LogBounds { log_start: base, log_end: base, recovery_point: base });
        state.reset_committed(Place { segment_base: base, position: 0 });
        state.change_epochs(|epochs| {
            let changed = epochs.latest().is_some();
            *epochs = Default::default();
            changed
        })?;
        self.producers = Default::default();
        if base > Offset(0) {
            self.beginnings.note_forgotten();
        }
        state.publish_unstable(None);
        self.remove_snapshots(|_| true)?;
        state.sync_dir()
    }

    /// The log file goes first: an index without one is removed when the log is opened.
    pub(crate) fn rename_deleted(&mut self, segment: &Segment<D>) -> Result<(), StorageError> {
        for path in segment.paths() {
            let mut gone = path.clone().into_os_string();
            gone.push(".deleted");
            match self.state.disk.rename(&path, gone.as_ref()) {
                Ok(()) => self.deleted.push(gone.into()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(StorageError::io("rename", &path)(error)),
            }
        }
        Ok(())
    }

    pub(crate) fn remove_snapshots(
        &mut self,
        is_stale: impl Fn(Offset) -> bool,
    ) -> Result<(), StorageError> {
        let (stale, kept): (Vec<Offset>, Vec<Offset>) =
            self.snapshots.iter().partition(|base| is_stale(**base));
        for base in stale {
            let path = self.snapshot_path(base);
            match self.state.disk.remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StorageError::io("remove producer snapshot", &path)(error));
                }
                _ => {}
            }
        }
        self.snapshots = kept;
        Ok(())
    }
}
