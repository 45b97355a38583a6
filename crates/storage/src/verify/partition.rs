//! A partition's directory: which files there are, and those that stand beside the segments.

use super::finding::{Severity, todo};
use super::segment::{Expected, check_segment};
use super::transactions::OpenTransactions;
use super::{Check, Finding};
use crate::checkpoints::{EpochEntry, MalformedCheckpoint, decode_epochs};
use crate::error::StorageError;
use crate::file_names::{
    FileKind, FileStage, LEADER_EPOCHS, OffsetFile, PARTITION_METADATA, TEMPORARY_SUFFIX,
};
use crate::leader_epoch_cache::LeaderEpochCache;
use crate::limits::{CHECKPOINT_BYTES_MAX, SMALL_FILE_BYTES_MAX, SNAPSHOT_BYTES_MAX};
use crate::producer_snapshot;
use crate::small_files::decode_partition_metadata;
use env::Disk;
use std::path::Path;
use types::{Offset, TopicPartition};

/// Topics that Kafka always compacts: offsets may be missing in them.
const COMPACTED: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// What the log directory knows of a partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    pub(super) is_clean: bool,
    pub(super) recovery_point: Offset,
    pub(super) log_start: Offset,
    /// The cleaner has been here.
    pub(super) was_compacted: bool,
    /// A start has moved it out of the way: it has its `-stray` name.
    pub(super) is_set_aside: bool,
}

/// Where the log was found to begin and end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) log_end: Offset,
}

/// Whether `path` is the directory of a partition itself.
pub(super) fn holds_segments<D: Disk>(disk: &D, path: &Path) -> Result<bool, StorageError> {
    let entries = disk.read_dir(path).map_err(StorageError::io("list", path))?;
    Ok(entries
        .iter()
        .any(|entry| entry.name == PARTITION_METADATA || OffsetFile::parse(&entry.name).is_some()))
}

pub(super) fn check_partition<D: Disk>(
    check: &mut Check<'_, D>,
    dir: &Path,
    partition: &TopicPartition,
    home: Home,
) -> Result<Bounds, StorageError> {
    check.totals.partitions += 1;
    let entries = match check.disk.read_dir(dir) {
        Ok(entries) => entries,
        // Deleted while we looked.
        Err(error) if check.options.is_live && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Bounds { log_end: home.recovery_point });
        }
        Err(error) => return Err(StorageError::io("list", dir)(error)),
    };
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let files: Vec<OffsetFile> = names.iter().filter_map(|name| OffsetFile::parse(name)).collect();
    check_leftovers(check, dir, &names, &files);
    check_metadata(check, dir, home)?;
    let epochs = read_epochs(check, dir, home)?;
    let log_end = check_segments(check, dir, partition, home, &files, &epochs)?;
    check_epochs_end(check, dir, &epochs, log_end);
    for snapshot in live(&files, FileKind::ProducerSnapshot) {
        check_snapshot(check, dir, snapshot, log_end, home)?;
    }
    Ok(Bounds { log_end })
}

fn live(files: &[OffsetFile], kind: FileKind) -> impl Iterator<Item = OffsetFile> {
    files.iter().copied().filter(move |f| f.kind == kind && f.stage == FileStage::Live)
}

fn check_segments<D: Disk>(
    check: &mut Check<'_, D>,
    dir: &Path,
    partition: &TopicPartition,
    home: Home,
    files: &[OffsetFile],
    epochs: &[EpochEntry],
) -> Result<Offset, StorageError> {
    let bases: Vec<Offset> = live(files, FileKind::Log).map(|file| file.base).collect();
    for file in files.iter().filter(|file| file.stage == FileStage::Live) {
        let is_index = !matches!(file.kind, FileKind::Log | FileKind::ProducerSnapshot);
        if is_index && !bases.contains(&file.base) {
            let (path, what) = (dir.join(file.name()), "an index without its segment");
            check.found(Finding::new(Severity::Repair, "ORPHAN_INDEX", &path, what, todo::START));
        }
    }
    let scanned_from = bases.partition_point(|base| *base <= home.recovery_point).max(1) - 1;
    let cache = LeaderEpochCache::from_entries(epochs.iter().copied());
    let mut expected = Expected {
        end: bases.first().copied().unwrap_or(home.log_start),
        epoch: None,
        is_dense: !home.was_compacted && !COMPACTED.contains(&&*partition.topic),
        transactions: OpenTransactions::default(),
    };
    for (index, base) in bases.iter().enumerate() {
        let place = super::segment::Place {
            dir,
            base: *base,
            next_base: bases.get(index + 1).copied(),
            home,
            is_scanned: !home.is_clean && index >= scanned_from,
            epochs: &cache,
        };
        check_segment(check, &place, &mut expected)?;
    }
    Ok(expected.end.max(home.log_start.min(expected.end)))
}

fn check_leftovers<D: Disk>(
    check: &mut Check<'_, D>,
    dir: &Path,
    names: &[&str],
    files: &[OffsetFile],
) {
    if check.options.is_live {
        return;
    }
    let note = |name: &str, code, what: &str| {
        Finding::new(Severity::Note, code, &dir.join(name), what, todo::CLEARED)
    };
    for file in files {
        let what = match file.stage {
            FileStage::Live => continue,
            FileStage::Deleted => "it waits to be removed",
            FileStage::Cleaned => "a compaction that was never finished was writing it",
            FileStage::Swap => "a compaction was putting it in place",
        };
        check.found(note(&file.name(), "LEFTOVER", what));
    }
    for name in names.iter().filter(|name| name.ends_with(TEMPORARY_SUFFIX)) {
        check.found(note(name, "LEFTOVER", "a file that was never finished"));
    }
}

fn check_metadata<D: Disk>(
    check: &mut Check<'_, D>,
    dir: &Path,
    home: Home,
) -> Result<(), StorageError> {
    let path = dir.join(PARTITION_METADATA);
    let what = match check.read(&path, SMALL_FILE_BYTES_MAX)? {
        None => "it is missing: nobody knows which topic's records these are",
        Some(bytes) => match decode_partition_metadata(&String::from_utf8_lossy(&bytes)) {
            Some(_) => return Ok(()),
            None => "it does not name a topic id",
        },
    };
    // Why it was set aside is no damage any more: what there was to do is done.
    let (severity, todo) = match home.is_set_aside {
        true => (Severity::Note, todo::NOTHING),
        false => (Severity::Damage, todo::STRAY),
    };
    check.found(Finding::new(severity, "PARTITION_METADATA", &path, what, todo));
    Ok(())
}

fn read_epochs<D: Disk>(
    check: &mut Check<'_, D>,
    dir: &Path,
    home: Home,
) -> Result<Vec<EpochEntry>, StorageError> {
    let path = dir.join(LEADER_EPOCHS);
    // What is scanned anyway is read from the batches.
    let severity = if home.is_clean { Severity::Damage } else { Severity::Repair };
    let Some(bytes) = check.read(&path, CHECKPOINT_BYTES_MAX)? else { return Ok(Vec::new()) };
    let entries = match decode_epochs(&String::from_utf8_lossy(&bytes)) {
        Ok(entries) => entries,
        Err(MalformedCheckpoint(why)) => {
            let what = format!("it does not parse: {why}");
            let code = "EPOCHS_MALFORMED";
            check.found(Finding::new(Severity::Repair, code, &path, what, todo::START));
            return Ok(Vec::new());
        }
    };
    for pair in entries.windows(2) {
        let [one, next] = [pair[0], pair[1]];
        if one.epoch >= next.epoch || one.start_offset >= next.start_offset {
            let what = format!(
                "epoch {} from {} is followed by epoch {} from {}",
                one.epoch, one.start_offset, next.epoch, next.start_offset
            );
            let finding = Finding::new(severity, "EPOCHS_CROSSED", &path, what, todo::INDEX);
            check.found(finding.offset(next.start_offset));
        }
    }
    Ok(entries)
}

fn check_epochs_end<D: Disk>(
    check: &mut Check<'_, D>,
    dir: &Path,
    epochs: &[EpochEntry],
    log_end: Offset,
) {
    let Some(last) = epochs.last().filter(|last| last.start_offset > log_end) else { return };
    if check.options.is_live {
        return;
    }
    let what =
        format!("epoch {} begins at {}, the log ends at {log_end}", last.epoch, last.start_offset);
    let finding = Finding::new(
        Severity::Repair,
        "EPOCHS_BEYOND_LOG_END",
        &dir.join(LEADER_EPOCHS),
        what,
        todo::START,
    );
    check.found(finding.offset(last.start_offset));
}

fn check_snapshot<D: Disk>(
    check: &mut Check<'_, D>,
    dir: &Path,
    snapshot: OffsetFile,
    log_end: Offset,
    home: Home,
) -> Result<(), StorageError> {
    let path = dir.join(snapshot.name());
    let Some(bytes) = check.read(&path, SNAPSHOT_BYTES_MAX)? else { return Ok(()) };
    let states = match producer_snapshot::decode(&bytes) {
        Ok(states) => states,
        // Not synced: a crash may leave the newest one torn, and the log is read instead.
        Err(_) if check.options.is_live => return Ok(()),
        Err(why) => {
            let severity = if home.is_clean { Severity::Damage } else { Severity::Repair };
            let what = format!("no producer state can be read from it: {why}");
            check.found(Finding::new(severity, "SNAPSHOT_DAMAGED", &path, what, todo::INDEX));
            return Ok(());
        }
    };
    if snapshot.base > log_end && !check.options.is_live {
        let what = format!("it is of offset {}, the log ends at {log_end}", snapshot.base);
        let code = "SNAPSHOT_BEYOND_LOG_END";
        let finding = Finding::new(Severity::Repair, code, &path, what, todo::START);
        check.found(finding.offset(snapshot.base));
    }
    for (producer, state) in states.iter() {
        let beyond = state.batches.iter().find(|batch| batch.last_offset >= snapshot.base);
        if let Some(batch) = beyond {
            let what = format!("producer {producer} wrote {} in it", batch.last_offset);
            let code = "SNAPSHOT_CROSSED";
            let finding = Finding::new(Severity::Damage, code, &path, what, todo::INDEX);
            check.found(finding.offset(batch.last_offset));
        }
    }
    Ok(())
}
