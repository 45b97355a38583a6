//! The moment in which a log gets cleaned segments for those they replace.
//!
//! Kafka's names and order, with a sync of the directory after each step that the next one builds
//! on (`recovery/files.rs` is the other half):
//!
//! 1. `.cleaned` files, whole and synced, become `.swap`. From here on the result counts: recovery
//!    finishes what a crash leaves undone.
//! 2. The replaced files become `.deleted`.
//! 3. The `.swap` files get the names of a live segment, the log last.
//!
//! **Source:** Kafka `LocalLog.replaceSegments`.

use super::{Cleaning, Phase};
use crate::error::StorageError;
use crate::file_names::{FileKind, FileStage};
use crate::log::PartitionLog;
use crate::log_state::LogState;
use crate::segment::Segment;
use env::Disk;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use types::Offset;

use super::passes::ReadyGroup;

/// What came of putting a cleaned segment in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    InPlace,
    /// The log had been truncated or trimmed meanwhile: the cleaning must be given up.
    Moved,
}

impl<D: Disk> PartitionLog<D> {
    /// Replaces segments by the cleaned one that `cleaning` has ready; nothing if none is.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn put_in_place(&mut self, cleaning: &mut Cleaning<D>) -> Result<Placed, StorageError> {
        self.state.check_alive()?;
        let Phase::Filter(pass) = &mut cleaning.phase else { return Ok(Placed::InPlace) };
        let Some(group) = &pass.ready else { return Ok(Placed::InPlace) };
        let is_ours = Arc::ptr_eq(&cleaning.state, &self.state);
        let at = self.place_of(&group.replaces);
        let (true, Some(at)) = (is_ours && self.state.is_unmoved(cleaning.truncations), at) else {
            return Ok(Placed::Moved);
        };
        let Some(group) = pass.ready.take() else { return Ok(Placed::InPlace) };
        let replaced = self.replace(at, &group);
        self.state.guard(replaced)?;
        cleaning.truncations = self.state.snapshot().0;
        Ok(Placed::InPlace)
    }

    /// Writes down that the log is clean as far as `cleaning` went. Nothing if it was truncated, or
    /// moved to another directory, meanwhile.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn finish_cleaning(&mut self, cleaning: &Cleaning<D>) -> Result<(), StorageError> {
        self.state.check_alive()?;
        let is_ours = Arc::ptr_eq(&cleaning.state, &self.state);
        if !is_ours || !self.state.is_unmoved(cleaning.truncations) {
            return Ok(());
        }
        let (partition, to) = (&self.state.partition, cleaning.cleaned_to());
        let kept = self.state.home.keep_cleaner_offset(partition, to);
        self.state.guard_unless_full(kept)
    }

    /// Where these segments stand in the log, one after another; `None` if they do not.
    fn place_of(&self, wanted: &[Arc<Segment<D>>]) -> Option<usize> {
        let segments = self.state.segments();
        let base = wanted.first()?.base();
        let at = segments.iter().position(|segment| segment.base() == base)?;
        let there = segments.get(at..at + wanted.len())?;
        let same = there.iter().zip(wanted).all(|(there, wanted)| Arc::ptr_eq(there, wanted));
        (same && at + wanted.len() < segments.len()).then_some(at)
    }

    fn replace(&mut self, at: usize, group: &ReadyGroup<D>) -> Result<(), StorageError> {
        let state = self.state.clone();
        let (base, count) = (group.cleaned.base(), group.replaces.len());
        rename_stage(&state, base, FileStage::Cleaned, FileStage::Swap)?;
        state.sync_dir()?;
        // Readers go over to the cleaned segment before the names of the others change; those that
        // are in the middle of a read find out and read again.
        state.cut(|list| {
            list.splice(at..at + count, [durable(&state, base, FileStage::Swap)]);
            Ok(())
        })?;
        for replaced in &group.replaces {
            self.rename_deleted(replaced)?;
        }
        let gone: Vec<Offset> = group.replaces[1..].iter().map(|one| one.base()).collect();
        self.remove_snapshots(|base| gone.contains(&base))?;
        state.sync_dir()?;
        state.cut(|list| {
            rename_stage(&state, base, FileStage::Swap, FileStage::Live)?;
            list[at] = durable(&state, base, FileStage::Live);
            Ok(())
        })?;
        state.sync_dir()
    }
}

fn durable<D: Disk>(state: &LogState<D>, base: Offset, stage: FileStage) -> Arc<Segment<D>> {
    let segment = Segment::adopt(&state.dir, base, stage);
    segment.is_durable.store(true, Ordering::Release);
    Arc::new(segment)
}

fn rename_stage<D: Disk>(
    state: &LogState<D>,
    base: Offset,
    from: FileStage,
    to: FileStage,
) -> Result<(), StorageError> {
    // The log last: recovery goes by it.
    let kinds = [FileKind::OffsetIndex, FileKind::TimeIndex, FileKind::TxnIndex, FileKind::Log];
    for kind in kinds {
        let (from, to) =
            (state.dir.offset_file(base, kind, from), state.dir.offset_file(base, kind, to));
        match state.disk.rename(&from, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed.map_err(StorageError::io("rename", &from))?,
        }
    }
    Ok(())
}
