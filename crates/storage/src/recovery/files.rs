//! What a crash leaves lying about in a partition's directory.

use crate::error::StorageError;
use crate::file_names::{FileKind, FileStage, OffsetFile, TEMPORARY_SUFFIX};
use crate::frame::ScanError;
use crate::segment::Segment;
use env::Disk;
use std::path::Path;
use types::Offset;

/// Removes what was never finished, finishes what was decided, and returns the segments' base
/// offsets in order.
pub(super) fn tidy<D: Disk>(disk: &D, dir: &Path) -> Result<Vec<Offset>, StorageError> {
    let is_changed = remove_unfinished(disk, dir)? | finish_swaps(disk, dir)?;
    if is_changed {
        // What the log is without those files is believed from now on, so they must stay away.
        disk.sync_dir(dir).map_err(StorageError::io("sync directory", dir))?;
    }
    let files = list(disk, dir)?;
    let is_log = |file: &&OffsetFile| file.kind == FileKind::Log && file.stage == FileStage::Live;
    let bases: Vec<Offset> = files.iter().filter(is_log).map(|file| file.base).collect();
    for orphan in &files {
        let is_index = !matches!(orphan.kind, FileKind::Log | FileKind::ProducerSnapshot);
        if is_index && bases.binary_search(&orphan.base).is_err() {
            remove(disk, dir, &orphan.name())?;
        }
    }
    Ok(bases)
}

/// `.deleted` files were decided about, `.cleaned` and `.tmp` ones never finished.
fn remove_unfinished<D: Disk>(disk: &D, dir: &Path) -> Result<bool, StorageError> {
    let files = list(disk, dir)?;
    let cleaned = files.iter().filter(|file| file.stage == FileStage::Cleaned);
    let first_cleaned = cleaned.map(|file| file.base).min();
    let mut is_changed = false;
    for file in &files {
        let is_doomed = match file.stage {
            FileStage::Live => false,
            FileStage::Deleted | FileStage::Cleaned => true,
            // One half of a split whose other half was still being written. Source: KAFKA-6264.
            FileStage::Swap => first_cleaned.is_some_and(|cleaned| file.base >= cleaned),
        };
        if is_doomed {
            remove(disk, dir, &file.name())?;
            is_changed = true;
        }
    }
    let entries = disk.read_dir(dir).map_err(StorageError::io("list", dir))?;
    for entry in entries.iter().filter(|entry| !entry.is_dir) {
        if entry.name.ends_with(TEMPORARY_SUFFIX) {
            remove(disk, dir, &entry.name)?;
        }
    }
    Ok(is_changed)
}

/// A compaction was putting its result in place: the segments it replaces go, then it gets its
/// name.
fn finish_swaps<D: Disk>(disk: &D, dir: &Path) -> Result<bool, StorageError> {
    let files = list(disk, dir)?;
    let swaps: Vec<_> = files.iter().filter(|file| file.stage == FileStage::Swap).collect();
    for swap in swaps.iter().filter(|file| file.kind == FileKind::Log) {
        let end = swapped_end(disk, dir, swap)?;
        for old in files.iter().filter(|file| file.stage == FileStage::Live) {
            let is_segment = old.kind != FileKind::ProducerSnapshot;
            if is_segment && old.base >= swap.base && old.base < end {
                remove(disk, dir, &old.name())?;
            }
        }
    }
    // The log last: while it is a swap, all of this is done again after a crash.
    for is_log in [false, true] {
        for swap in swaps.iter().filter(|file| (file.kind == FileKind::Log) == is_log) {
            let live = OffsetFile { stage: FileStage::Live, ..**swap };
            let (from, to) = (dir.join(swap.name()), dir.join(live.name()));
            disk.rename(&from, &to).map_err(StorageError::io("rename", &from))?;
        }
    }
    Ok(!swaps.is_empty())
}

/// The offset after the last batch of a swapped-in segment.
fn swapped_end<D: Disk>(disk: &D, dir: &Path, swap: &OffsetFile) -> Result<Offset, StorageError> {
    let segment = Segment::adopt_log(disk.clone(), dir, swap.base, &swap.name());
    match segment.next_offset() {
        Ok(end) => Ok(end),
        Err(ScanError::Storage(error)) => Err(error),
        // Damaged: recovery will cut it; until then it stands for itself alone.
        Err(ScanError::Bad(_)) => Ok(swap.base.plus(1)),
    }
}

fn list<D: Disk>(disk: &D, dir: &Path) -> Result<Vec<OffsetFile>, StorageError> {
    let entries = disk.read_dir(dir).map_err(StorageError::io("list", dir))?;
    let files = entries.iter().filter(|entry| !entry.is_dir);
    Ok(files.filter_map(|entry| OffsetFile::parse(&entry.name)).collect())
}

fn remove<D: Disk>(disk: &D, dir: &Path, name: &str) -> Result<(), StorageError> {
    let path = dir.join(name);
    disk.remove_file(&path).map_err(StorageError::io("remove", &path))
}
