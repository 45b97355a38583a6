//! What a crash leaves lying about in a partition's directory.

use crate::error::StorageError;
use crate::file_names::{FileKind, FileStage, OffsetFile, TEMPORARY_SUFFIX};
use crate::frame::ScanError;
use crate::partition_dir::PartitionDir;
use crate::segment::Segment;
use env::Disk;
use std::sync::Arc;
use types::Offset;

/// The files of a partition's directory that are named by an offset, in its order. Listed once:
/// with many partitions that is most of what a start costs.
pub(super) struct Listing(Vec<OffsetFile>);

impl Listing {
    /// The offsets of the live files of this kind, in order.
    pub(super) fn offsets(&self, kind: FileKind) -> Vec<Offset> {
        self.live().filter(|file| file.kind == kind).map(|file| file.base).collect()
    }

    pub(super) fn has(&self, base: Offset, kind: FileKind) -> bool {
        let first = self.0.partition_point(|file| file.base < base);
        let mut of_base = self.0[first..].iter().take_while(|file| file.base == base);
        of_base.any(|file| file.kind == kind && file.stage == FileStage::Live)
    }

    fn live(&self) -> impl Iterator<Item = &OffsetFile> {
        self.0.iter().filter(|file| file.stage == FileStage::Live)
    }
}

/// Removes what was never finished, finishes what was decided, and says what is there then.
pub(super) fn tidy<D: Disk>(dir: &Arc<PartitionDir<D>>) -> Result<Listing, StorageError> {
    let entries = dir.disk().read_dir(&dir.path).map_err(StorageError::io("list", &dir.path))?;
    let names = entries.iter().filter(|entry| !entry.is_dir).map(|entry| entry.name.as_str());
    let mut files = Vec::new();
    for name in names {
        match OffsetFile::parse(name) {
            Some(file) => files.push(file),
            None if name.ends_with(TEMPORARY_SUFFIX) => remove(dir, name)?,
            None => {}
        }
    }
    let is_changed = remove_unfinished(dir, &mut files)? | finish_swaps(dir, &mut files)?;
    if is_changed {
        // What the log is without those files is believed from now on, so they must stay away.
        let failed = StorageError::io("sync directory", &dir.path);
        dir.disk().sync_dir(&dir.path).map_err(failed)?;
    }
    remove_orphans(dir, &mut files)?;
    Ok(Listing(files))
}

/// Indexes without a segment.
fn remove_orphans<D: Disk>(
    dir: &PartitionDir<D>,
    files: &mut Vec<OffsetFile>,
) -> Result<(), StorageError> {
    let logs = files.iter().filter(|file| file.kind == FileKind::Log);
    let bases: Vec<Offset> = logs.map(|file| file.base).collect();
    take_out(dir, files, |file| {
        let is_index = !matches!(file.kind, FileKind::Log | FileKind::ProducerSnapshot);
        is_index && bases.binary_search(&file.base).is_err()
    })
    .map(|_| ())
}

/// `.deleted` files were decided about, `.cleaned` and `.tmp` ones never finished.
fn remove_unfinished<D: Disk>(
    dir: &PartitionDir<D>,
    files: &mut Vec<OffsetFile>,
) -> Result<bool, StorageError> {
    let cleaned = files.iter().filter(|file| file.stage == FileStage::Cleaned);
    let first_cleaned = cleaned.map(|file| file.base).min();
    take_out(dir, files, |file| match file.stage {
        FileStage::Live => false,
        FileStage::Deleted | FileStage::Cleaned => true,
        // One half of a split whose other half was still being written. Source: KAFKA-6264.
        FileStage::Swap => first_cleaned.is_some_and(|cleaned| file.base >= cleaned),
    })
}

/// A compaction was putting its result in dir: the segments it replaces go, then it gets its
/// name.
fn finish_swaps<D: Disk>(
    dir: &Arc<PartitionDir<D>>,
    files: &mut Vec<OffsetFile>,
) -> Result<bool, StorageError> {
    let is_swap = |file: &OffsetFile| file.stage == FileStage::Swap;
    let swaps: Vec<_> = files.iter().filter(|file| is_swap(file)).copied().collect();
    for swap in swaps.iter().filter(|file| file.kind == FileKind::Log) {
        let end = swapped_end(dir, swap)?;
        take_out(dir, files, |old| {
            let is_segment = old.stage == FileStage::Live && old.kind != FileKind::ProducerSnapshot;
            is_segment && old.base >= swap.base && old.base < end
        })?;
    }
    if !swaps.is_empty() {
        // Before they get their names: power loss must not leave one beside what it replaces.
        let failed = StorageError::io("sync directory", &dir.path);
        dir.disk().sync_dir(&dir.path).map_err(failed)?;
    }
    // The log last: while it is a swap, all of this is done again after a crash.
    for is_log in [false, true] {
        for swap in swaps.iter().filter(|file| (file.kind == FileKind::Log) == is_log) {
            let live = OffsetFile { stage: FileStage::Live, ..*swap };
            let (from, to) = (dir.file(swap.name()), dir.file(live.name()));
            dir.disk().rename(&from, &to).map_err(StorageError::io("rename", &from))?;
            files.retain(|file| file != swap);
            files.push(live);
        }
    }
    files.sort_by_key(|file| file.base);
    Ok(!swaps.is_empty())
}

/// The offset after the last batch of a swapped-in segment.
fn swapped_end<D: Disk>(
    dir: &Arc<PartitionDir<D>>,
    swap: &OffsetFile,
) -> Result<Offset, StorageError> {
    match Segment::adopt(dir, swap.base, swap.stage).next_offset() {
        Ok(end) => Ok(end),
        Err(ScanError::Storage(error)) => Err(error),
        // Damaged: recovery will cut it; until then it stands for itself alone.
        Err(ScanError::Bad(_)) => Ok(swap.base.plus(1)),
    }
}

/// Removes the files for which `is_doomed` holds. Whether there were any.
fn take_out<D: Disk>(
    dir: &PartitionDir<D>,
    files: &mut Vec<OffsetFile>,
    is_doomed: impl Fn(&OffsetFile) -> bool,
) -> Result<bool, StorageError> {
    let doomed: Vec<_> = files.iter().filter(|file| is_doomed(file)).copied().collect();
    for file in &doomed {
        remove(dir, &file.name())?;
    }
    files.retain(|file| !doomed.contains(file));
    Ok(!doomed.is_empty())
}

fn remove<D: Disk>(dir: &PartitionDir<D>, name: &str) -> Result<(), StorageError> {
    let path = dir.file(name);
    dir.disk().remove_file(&path).map_err(StorageError::io("remove", &path))
}
