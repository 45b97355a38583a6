//! Room for what is appended: asked for before anything depends on it, given back if a write finds
//! none after all.

use super::{Active, PartitionLog};
use crate::error::{AppendError, StorageError};
use crate::file_names::{FileKind, OffsetFile};
use crate::limits::{RESERVE_BYTES_MAX, RESERVE_BYTES_MIN};
use crate::recovery::{HeadsSeen, replay_producers};
use crate::space::NoRoom;
use env::{Disk, DiskFile};
use types::{Offset, WallTime};

/// A segment's space is reserved ahead in steps of at most this part of what is to spare, so that
/// a thousand logs do not fill a disk with nothing.
const SPARE_PARTS: u64 = 16;

impl<D: Disk> PartitionLog<D> {
    /// Refuses clients' records before the disk is full. Deleting, offsets and metadata go on.
    pub(super) fn check_reserve(&self, bytes: u64, now: WallTime) -> Result<(), AppendError> {
        let home = &self.state.home;
        home.space.admit(&self.state.disk, home.path(), bytes, now).map_err(|no_room| {
            let NoRoom { usable, reserve } = no_room;
            home.metrics.refused_for_space.increment();
            AppendError::NoSpace { path: home.path().to_owned(), usable, reserve }
        })
    }

    /// Claims the space of what is staged and `bytes` more, so that neither the write nor the sync
    /// of a delayed one finds the disk full: at this point there is nothing to undo.
    ///
    /// # Errors
    /// A full disk; the log is as it was.
    pub(super) fn make_room(&mut self, bytes: u64) -> Result<(), StorageError> {
        let active = &mut self.active;
        let needed = active.bytes + self.staged_bytes + bytes;
        if needed <= active.reserved_bytes {
            return Ok(());
        }
        let step = active.reserved_bytes.clamp(RESERVE_BYTES_MIN, RESERVE_BYTES_MAX);
        let step = step.min(self.state.home.space.spare() / SPARE_PARTS);
        let ahead = (needed + step).min(self.config.segment_bytes.max(needed));
        let file = active.segment.file()?;
        let failed = || StorageError::io("reserve segment", active.segment.log_path());
        for bytes in [ahead, needed] {
            match file.reserve(bytes).map_err(failed()) {
                Err(error) if error.is_full() && bytes > needed => {}
                Err(error) if error.is_full() => {
                    self.state.home.space.note_full();
                    return Err(error);
                }
                // Advice: another error is the write's to find.
                _ => {
                    active.reserved_bytes = bytes;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Starts a segment at `base`. On a full disk the log goes on with the segment it has.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned, but for a full disk.
    pub(super) fn roll_or_stay(&mut self, base: Offset, now: WallTime) -> Result<(), StorageError> {
        let before = self.active.segment.clone();
        match self.roll_to(base, now) {
            Err(error) if error.is_full() && self.active.bytes > 0 => {
                let stayed = self.remove_unborn(base).and_then(|()| {
                    self.active = Active::resume(before, &self.config, now)?;
                    Ok(())
                });
                self.state.guard(stayed)?;
                self.state.guard_unless_full(Err(error))
            }
            rolled => self.state.guard(rolled),
        }
    }

    /// What was made of a segment that nothing is in.
    fn remove_unborn(&mut self, base: Offset) -> Result<(), StorageError> {
        for kind in FileKind::ALL {
            let path = self.state.file(OffsetFile::live(base, kind).name());
            match self.state.disk.remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StorageError::io("remove unfinished segment", &path)(error));
                }
                _ => {}
            }
        }
        self.snapshots.retain(|at| *at != base);
        Ok(())
    }

    /// After a write that found no room in spite of [`make_room`](Self::make_room): the file ends
    /// with its last whole batch again, and nobody remembers what was staged. Readers never saw it.
    pub(super) fn cut_back(&mut self, now: WallTime) -> Result<(), StorageError> {
        let Some(end) = self.staged.first().map(|one| one.frame.base_offset) else {
            return Ok(());
        };
        self.staged.clear();
        self.staged_bytes = 0;
        let segment = self.active.segment.clone();
        segment.cut(segment.bytes()?, end)?;
        self.active = Active::resume(segment, &self.config, now)?;
        self.next_offset = end;
        replay_producers(self, &HeadsSeen::none(), None, now)
    }
}
