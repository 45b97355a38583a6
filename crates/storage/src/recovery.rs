//! Opening a log: what a clean or unclean end left behind becomes a log again.   ADR 0003

mod files;
mod producers;
mod segments;

use crate::commit::Place;
use crate::config::LogConfig;
use crate::error::StorageError;
use crate::file_names::LEADER_EPOCHS;
use crate::frame::Frame;
use crate::leader_epoch_cache::{EpochFile, LeaderEpochCache};
use crate::log::cut::snapshots;
use crate::log::{Active, PartitionLog};
use crate::log_dir_state::LogDirState;
use crate::log_state::{LogBounds, LogState, active, floor_segment};
use crate::producer_state::ProducerStates;
use crate::segment::Segment;
use env::Disk;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use types::{Offset, TopicPartition, Uuid, WallTime};

pub(crate) use producers::replay_producers;

/// Which log to open, and what its directory knows of it.
pub(crate) struct OpenLog<D: Disk> {
    pub(crate) dir: PathBuf,
    pub(crate) partition: TopicPartition,
    pub(crate) topic_id: Uuid,
    pub(crate) home: Arc<LogDirState<D>>,
    pub(crate) config: Arc<LogConfig>,
    pub(crate) now: WallTime,
    pub(crate) jitter_seed: u64,
    /// The last process closed it: trust indexes and snapshots, scan nothing.
    pub(crate) is_clean: bool,
    pub(crate) recovery_point: Offset,
    pub(crate) log_start: Offset,
}

/// What opening a log had to repair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "LogLoader")]
pub struct RecoveryReport {
    /// Read through, every checksum checked.
    pub scanned_segments: usize,
    /// Missing or inconsistent indexes that were made anew.
    pub rebuilt_indexes: usize,
    /// What was no batch any more, and everything after it.
    pub cut: Option<Cut>,
    /// Segments after a cut, or all of them if they end below the log start.
    pub dropped_segments: usize,
    /// The leader epochs were missing or torn, and read from the batches.
    pub rebuilt_epochs: bool,
}

/// The end of what could be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub at: Offset,
    pub bytes: u64,
    pub why: String,
    /// The cut goes below the recovery point: not a torn tail but damage to what was durable. The
    /// replica has lost records it may have acknowledged.
    pub below_recovery_point: bool,
}

/// Opens the log in a directory that exists, an empty one included.
pub(crate) fn open<D: Disk>(
    disk: D,
    open: OpenLog<D>,
) -> Result<(PartitionLog<D>, RecoveryReport), StorageError> {
    let mut report = RecoveryReport::default();
    let bases = files::tidy(&disk, &open.dir)?;
    let mut loader = segments::Loader {
        disk: &disk,
        open: &open,
        report: &mut report,
        epochs: LeaderEpochCache::default(),
    };
    let (segments, log_end) = loader.load(&bases)?;
    let scanned_epochs = std::mem::take(&mut loader.epochs);
    if report.cut.is_some() || report.dropped_segments > 0 {
        // Before anything takes the place of what was dropped: power loss must not bring it back.
        active(&segments).sync_log()?;
        disk.sync_dir(&open.dir).map_err(StorageError::io("sync directory", &open.dir))?;
    }

    let epoch_file = EpochFile::new(disk.clone(), open.dir.join(LEADER_EPOCHS));
    let (dir, named) = (open.dir.clone(), (open.partition.clone(), open.topic_id));
    let state = Arc::new(LogState::new(disk, dir, named, open.home.clone(), epoch_file));
    let first_base = segments[0].base();
    let recovery_point = if open.is_clean { log_end } else { open.recovery_point.min(log_end) };
    let log_start = open.log_start.max(first_base);
    state.set_bounds(LogBounds { log_start, log_end, recovery_point });
    state.set_segments(segments.clone());
    let scan_from = first_scanned(&segments, &open);
    let last_base = active(&segments).base();
    for segment in segments.iter().take_while(|s| s.base() < scan_from.unwrap_or(last_base)) {
        segment.is_durable.store(true, Ordering::Release);
    }
    load_epochs(&state, scanned_epochs, scan_from, &mut report)?;
    if let Some(from) = scan_from {
        // A killed process may have left names that power loss would still take.
        state.is_new.store(true, Ordering::Release);
        let unsure = segments.iter().filter(|segment| segment.base() >= from);
        unsure.for_each(|segment| segment.is_new.store(true, Ordering::Release));
    }

    let last = active(&segments).clone();
    let resumed = match last.bytes()? {
        0 => start_over(last, &open)?,
        _ => Active::resume(last, &open.config, open.now)?,
    };
    let committed = match open.is_clean {
        true => Place { segment_base: resumed.segment.base(), position: resumed.bytes },
        // What the last process left may be in the page cache only.
        false => Place { segment_base: scan_from.unwrap_or(first_base), position: 0 },
    };
    state.reset_committed(committed);
    let mut log = PartitionLog {
        state,
        config: open.config,
        producers: ProducerStates::default(),
        active: resumed,
        next_offset: log_end,
        staged: Vec::new(),
        staged_bytes: 0,
        is_unsettled: !open.is_clean,
        jitter_seed: open.jitter_seed,
        deleted: Vec::new(),
    };
    if !(open.is_clean && snapshots(&log.state.disk, &log.state.dir)?.is_empty()) {
        replay_producers(&mut log, scan_from, open.now)?;
    }
    Ok((log, report))
}

/// The base of the first segment whose every checksum was checked. `None` if all were trusted.
fn first_scanned<D: Disk>(segments: &[Arc<Segment<D>>], open: &OpenLog<D>) -> Option<Offset> {
    let index = floor_segment(segments, open.recovery_point);
    (!open.is_clean).then(|| segments[index].base())
}

fn start_over<D: Disk>(
    segment: Arc<Segment<D>>,
    open: &OpenLog<D>,
) -> Result<Active<D>, StorageError> {
    segment.offset_index.start(Vec::new(), open.config.segment_index_bytes)?;
    segment.time_index.start(Vec::new(), open.config.segment_index_bytes)?;
    segment.publish_latest(crate::LatestTimestamp::NONE);
    Ok(Active::empty(segment, &open.config, open.now))
}

/// Epochs come from the file below `scan_from`, and from the batches after it.
fn load_epochs<D: Disk>(
    state: &LogState<D>,
    scanned: LeaderEpochCache,
    scan_from: Option<Offset>,
    report: &mut RecoveryReport,
) -> Result<(), StorageError> {
    let stored = state.epoch_file().read()?;
    let mut epochs = match &stored {
        Some(entries) => {
            let trusted = scan_from.unwrap_or(Offset(i64::MAX));
            let trusted = entries.iter().filter(|entry| entry.start_offset < trusted);
            LeaderEpochCache::from_entries(trusted.copied())
        }
        None => {
            report.rebuilt_epochs = state.log_end() > state.log_start();
            epochs_of_batches(state)?
        }
    };
    for entry in scanned.entries() {
        if epochs.latest().is_none_or(|latest| entry.epoch > latest.epoch) {
            epochs.assign(entry.epoch, entry.start_offset);
        }
    }
    epochs.truncate_from_end(state.log_end());
    epochs.truncate_from_start(state.log_start());
    let is_stored = stored.is_some_and(|stored| stored == epochs.entries());
    state.change_epochs(|held| {
        *held = epochs;
        !is_stored && !held.entries().is_empty()
    })
}

fn epochs_of_batches<D: Disk>(state: &LogState<D>) -> Result<LeaderEpochCache, StorageError> {
    let mut epochs = LeaderEpochCache::default();
    for segment in state.segments().iter() {
        let file = segment.file()?;
        let mut scan = segment.scan(&file, 0)?;
        while let Some((_, frame)) = scan.next_frame().map_err(|error| segment.damage(error))? {
            note_epoch(&mut epochs, &frame);
        }
    }
    Ok(epochs)
}

/// An epoch begins with the first batch that bears it.
fn note_epoch(epochs: &mut LeaderEpochCache, frame: &Frame) {
    if let Some(header) = &frame.header
        && epochs.latest().is_none_or(|latest| header.leader_epoch > latest.epoch)
    {
        epochs.assign(header.leader_epoch, header.base_offset);
    }
}
