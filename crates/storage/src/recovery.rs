//! Opening a log: what a clean or unclean end left behind becomes a log again.   ADR 0003

mod files;
mod heads;
mod producers;
mod segments;

use crate::commit::Place;
use crate::config::LogConfig;
use crate::error::StorageError;
use crate::file_names::FileKind;
use crate::frame::Frame;
use crate::leader_epoch_cache::LeaderEpochCache;
use crate::log::{Active, Beginnings, PartitionLog};
use crate::log_dir_state::LogDirState;
use crate::log_state::{LogBounds, LogState, active, floor_segment};
use crate::partition_dir::PartitionDir;
use crate::producer_state::ProducerStates;
use crate::segment::Segment;
use env::Disk;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use types::{Offset, TopicPartition, Uuid, WallTime};

pub(crate) use heads::HeadsSeen;
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
    /// Looked through: that of the recovery point, and those after it.
    pub scanned_segments: usize,
    /// Read whole, with their checksums: what lay above the recovery point.
    pub scanned_bytes: u64,
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
    open: OpenLog<D>,
) -> Result<(PartitionLog<D>, RecoveryReport), StorageError> {
    let mut report = RecoveryReport::default();
    let dir = PartitionDir::new(open.home.clone(), open.dir.clone());
    let listing = files::tidy(&dir)?;
    let mut loader = segments::Loader {
        dir: &dir,
        listing: &listing,
        open: &open,
        report: &mut report,
        epochs: LeaderEpochCache::default(),
        heads: HeadsSeen::none(),
    };
    let (segments, log_end) = loader.load()?;
    let (scanned_epochs, heads) = (loader.epochs, loader.heads);
    if report.cut.is_some() || report.dropped_segments > 0 {
        // Before anything takes the place of what was dropped: power loss must not bring it back.
        active(&segments).sync_log()?;
        let failed = StorageError::io("sync directory", &dir.path);
        dir.disk().sync_dir(&dir.path).map_err(failed)?;
    }
    let state = Arc::new(LogState::new(dir.clone(), (open.partition.clone(), open.topic_id)));
    let first_base = segments[0].base();
    let recovery_point = if open.is_clean { log_end } else { open.recovery_point.min(log_end) };
    let log_start = open.log_start.max(first_base);
    state.open_at(LogBounds { log_start, log_end, recovery_point });
    state.set_segments(segments.clone());
    mark_durable(&state, &open);
    let trusted_to = (!open.is_clean).then(|| {
        let first = segments[floor_segment(&segments, open.recovery_point)].base();
        open.recovery_point.max(first)
    });
    load_epochs(&state, scanned_epochs, trusted_to, &mut report)?;

    let last = active(&segments).clone();
    if last.bytes()? == 0 {
        last.publish_latest(crate::LatestTimestamp::NONE);
        // A log that nothing was written to is closed without a sync.
        last.names.note();
        state.names.note();
    }
    state.reset_committed(committed_place(&state)?);
    let snapshots = listing.offsets(FileKind::ProducerSnapshot);
    let is_as_closed = snapshots.last() == Some(&log_end) || last.bytes()? == 0;
    let is_untouched = match open.is_clean {
        true => is_as_closed && report == RecoveryReport::default(),
        // Nothing was in it.
        false => log_end == first_base && report.cut.is_none() && report.dropped_segments == 0,
    };
    let mut log = PartitionLog {
        state,
        active: Active::resume(last, &open.config, open.now)?,
        config: open.config,
        producers: ProducerStates::default(),
        beginnings: Beginnings::default(),
        next_offset: log_end,
        staged: Vec::new(),
        staged_bytes: 0,
        is_unsettled: !open.is_clean,
        jitter_seed: open.jitter_seed,
        deleted: Vec::new(),
        snapshots,
        is_untouched,
    };
    if !(open.is_clean && log.snapshots.is_empty()) {
        replay_producers(&mut log, &heads, trusted_to, open.now)?;
    }
    Ok((log, report))
}

/// Of what lies above the recovery point, the last process may have left all in the page cache.
fn committed_place<D: Disk>(state: &LogState<D>) -> Result<Place, StorageError> {
    let segments = state.segments();
    if state.recovery_point() == state.log_end() {
        let last = active(&segments);
        return Ok(Place { segment_base: last.base(), position: last.bytes()? });
    }
    let first = &segments[floor_segment(&segments, state.recovery_point())];
    Ok(Place { segment_base: first.base(), position: 0 })
}

/// Says of each segment whether its files, and their names, are on disk.
fn mark_durable<D: Disk>(state: &LogState<D>, open: &OpenLog<D>) {
    let segments = state.segments();
    let unsure_from = match open.is_clean {
        true => active(&segments).base(),
        false => {
            let first = &segments[floor_segment(&segments, open.recovery_point)];
            let ended = ended_at_point(&segments, open.recovery_point);
            // A killed process may have left names that power loss would still take.
            state.names.note();
            ended.unwrap_or(first).base()
        }
    };
    for segment in segments.iter() {
        let is_durable = segment.base() < unsure_from;
        segment.is_durable.store(is_durable, Ordering::Release);
        if !is_durable && !open.is_clean {
            segment.names.note();
        }
    }
}

/// Epochs come from the file below `trusted_to`, and from the batches after it.
fn load_epochs<D: Disk>(
    state: &LogState<D>,
    scanned: LeaderEpochCache,
    trusted_to: Option<Offset>,
    report: &mut RecoveryReport,
) -> Result<(), StorageError> {
    let stored = state.epoch_file().read()?;
    let trusted_to = trusted_to.unwrap_or(Offset(i64::MAX));
    let of_file = stored.as_ref().map(|entries| {
        let trusted = entries.iter().filter(|entry| entry.start_offset < trusted_to);
        LeaderEpochCache::from_entries(trusted.copied())
    });
    // A batch that was looked at below the recovery point bears the file out, or not.
    let known = state.log_start()..trusted_to;
    let looked_at = scanned.entries().first().filter(|first| known.contains(&first.start_offset));
    let bears_out = |epochs: &LeaderEpochCache| {
        looked_at.is_none_or(|batch| epochs.epoch_at(batch.start_offset) == Some(batch.epoch))
    };
    let mut epochs = match of_file.filter(bears_out) {
        Some(epochs) => epochs,
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

/// The segment that ends where the one of the recovery point begins, if that is at the point: the
/// point may have been written down while it was active.
fn ended_at_point<D: Disk>(
    segments: &[Arc<Segment<D>>],
    point: Offset,
) -> Option<&Arc<Segment<D>>> {
    let first = floor_segment(segments, point);
    let is_at_point = segments.get(first).is_some_and(|segment| segment.base() == point);
    segments.get(first.checked_sub(1)?).filter(|_| is_at_point)
}
