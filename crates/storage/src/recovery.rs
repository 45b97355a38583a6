//! Opening a log: what a clean or unclean end left behind becomes a log again.   ADR 0003

mod files;

use crate::config::LogConfig;
use crate::error::StorageError;
use crate::file_names::{FileKind, LEADER_EPOCHS, OffsetFile};
use crate::frame::{Frame, ScanError};
use crate::leader_epoch_cache::{EpochFile, LeaderEpochCache};
use crate::log::append::{marker_of, note_producer};
use crate::log::cut::snapshots;
use crate::log::{Active, PartitionLog};
use crate::log_dir_state::LogDirState;
use crate::log_state::{LogBounds, LogState, floor_segment};
use crate::producer_snapshot;
use crate::producer_state::ProducerStates;
use crate::segment::{IndexRule, Segment};
use env::Disk;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use types::{Offset, TopicPartition, WallTime};

/// Which log to open, and what its directory knows of it.
pub(crate) struct OpenLog<D: Disk> {
    pub(crate) dir: PathBuf,
    pub(crate) partition: TopicPartition,
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
    let mut loader = Loader { disk: &disk, open: &open, report: &mut report, epochs: Vec::new() };
    let (segments, log_end) = loader.load_segments(&bases)?;
    let scanned_epochs = std::mem::take(&mut loader.epochs);

    let epoch_file = EpochFile::new(disk.clone(), open.dir.join(LEADER_EPOCHS));
    let (dir, partition) = (open.dir.clone(), open.partition.clone());
    let state = Arc::new(LogState::new(disk, dir, partition, open.home.clone(), epoch_file));
    let first_base = segments[0].base();
    let recovery_point = if open.is_clean { log_end } else { open.recovery_point.min(log_end) };
    let log_start = open.log_start.max(first_base);
    state.set_bounds(LogBounds { log_start, log_end, recovery_point });
    state.set_segments(segments.clone());
    let scan_from = first_scanned(&segments, &open);
    load_epochs(&state, scanned_epochs, scan_from, &mut report)?;
    if let Some(from) = scan_from {
        // A killed process may have left names that power loss would still take.
        state.is_new.store(true, Ordering::Release);
        let unsure = segments.iter().filter(|segment| segment.base() >= from);
        unsure.for_each(|segment| segment.is_new.store(true, Ordering::Release));
    }

    let last = segments.last().expect("a log has at least its active segment").clone();
    let active = match last.bytes()? {
        0 => start_over(last, &open)?,
        _ => Active::resume(last, &open.config, open.now)?,
    };
    let mut log = PartitionLog {
        state,
        config: open.config,
        producers: ProducerStates::default(),
        active,
        next_offset: log_end,
        staged: Vec::new(),
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

struct Loader<'a, D: Disk> {
    disk: &'a D,
    open: &'a OpenLog<D>,
    report: &'a mut RecoveryReport,
    /// Where epochs begin, as the scanned batches say.
    epochs: Vec<crate::checkpoints::EpochEntry>,
}

impl<D: Disk> Loader<'_, D> {
    /// The segments to go on with, and the log end.
    fn load_segments(
        &mut self,
        bases: &[Offset],
    ) -> Result<(Vec<Arc<Segment<D>>>, Offset), StorageError> {
        let adopt =
            |base: &Offset| Arc::new(Segment::adopt(self.disk.clone(), &self.open.dir, *base));
        let mut segments: Vec<_> = bases.iter().map(adopt).collect();
        let Some(last) = segments.len().checked_sub(1) else {
            return self.start_at(self.open.log_start);
        };
        let scan_from = match self.open.is_clean {
            true => segments.len(),
            false => floor_segment(&segments, self.open.recovery_point),
        };
        for segment in &segments[..scan_from] {
            self.check_indexes(segment)?;
        }
        let mut log_end = match scan_from > last {
            true => self.trusted_end(&segments[last])?,
            false => segments[last].base(),
        };
        for index in scan_from..segments.len() {
            let is_whole;
            (log_end, is_whole) = self.scan_segment(&segments[index])?;
            let next = segments.get(index + 1).map(|next| next.base());
            let hole = next.filter(|next| is_whole && self.is_hole(log_end, *next));
            if let Some(next) = hole {
                self.note_cut(log_end, 0, format!("the next segment begins at {next}"));
            }
            if !is_whole || hole.is_some() {
                self.drop_segments(segments.drain(index + 1..))?;
                break;
            }
        }
        if log_end < self.open.log_start {
            // Somebody removed files: what is left lies below what may be read.
            self.drop_segments(segments.drain(..))?;
            return self.start_at(self.open.log_start);
        }
        Ok((segments, log_end))
    }

    fn start_at(&self, base: Offset) -> Result<(Vec<Arc<Segment<D>>>, Offset), StorageError> {
        let fresh = Segment::create(self.disk.clone(), &self.open.dir, base, &self.open.config)?;
        Ok((vec![Arc::new(fresh)], base))
    }

    /// Of a closed log. If its last segment is not what a clean end leaves, it is scanned after all.
    fn trusted_end(&mut self, last: &Segment<D>) -> Result<Offset, StorageError> {
        if !last.index_bears_out()? {
            self.report.rebuilt_indexes += 1;
            self.index_anew(last, |_, _| {}, false)?;
        }
        match last.next_offset() {
            Ok(end) => Ok(end),
            Err(ScanError::Storage(error)) => Err(error),
            Err(ScanError::Bad(_)) => self.scan_segment(last).map(|(end, _)| end),
        }
    }

    fn drop_segments(
        &mut self,
        segments: impl DoubleEndedIterator<Item = Arc<Segment<D>>>,
    ) -> Result<(), StorageError> {
        for segment in segments.rev() {
            self.report.dropped_segments += 1;
            for path in segment.paths() {
                if self.disk.exists(path) {
                    self.disk.remove_file(path).map_err(StorageError::io("remove", path))?;
                }
            }
        }
        Ok(())
    }

    fn check_indexes(&mut self, segment: &Segment<D>) -> Result<(), StorageError> {
        let paths = [segment.offset_index.path(), segment.time_index.path()];
        if paths.iter().all(|path| self.disk.exists(path)) {
            return Ok(());
        }
        self.report.rebuilt_indexes += 1;
        self.index_anew(segment, |_, _| {}, false).map(|_| ())
    }

    /// Reads a segment through, checks everything, and keeps the sound part. Says where that ends and
    /// whether it is all.
    fn scan_segment(&mut self, segment: &Segment<D>) -> Result<(Offset, bool), StorageError> {
        self.report.scanned_segments += 1;
        let mut epochs = LeaderEpochCache::from_entries(std::mem::take(&mut self.epochs));
        let note_epoch = |frame: &Frame, _| {
            if let Some(header) = &frame.header {
                let known = epochs.latest().map(|latest| latest.epoch);
                if known.is_none_or(|known| header.leader_epoch > known) {
                    epochs.assign(header.leader_epoch, header.base_offset);
                }
            }
        };
        let indexed = self.index_anew(segment, note_epoch, true)?;
        self.epochs = epochs.entries().to_vec();
        let lost = segment.bytes()? - indexed.bytes;
        let Some(why) = indexed.trouble else { return Ok((indexed.end, true)) };
        segment.publish_bytes(indexed.bytes);
        segment.cut_tail(indexed.bytes)?;
        self.note_cut(indexed.end, lost, why);
        Ok((indexed.end, false))
    }

    fn note_cut(&mut self, at: Offset, bytes: u64, why: String) {
        let below_recovery_point = at < self.open.recovery_point;
        self.report.cut = Some(Cut { at, bytes, why, below_recovery_point });
    }

    /// Whether batches are missing before `next`. Power loss may take the end of one segment and
    /// leave the next; only compaction takes offsets out rightly. The checksum does not cover a
    /// batch's offset, so this is also what tells that it is wrong.
    fn is_hole(&self, end: Offset, next: Offset) -> bool {
        next > end && !self.open.config.compacts
    }

    /// Makes the indexes of a segment from its batches.
    fn index_anew(
        &self,
        segment: &Segment<D>,
        mut note: impl FnMut(&Frame, u64),
        check: bool,
    ) -> Result<Indexed, StorageError> {
        let config = &self.open.config;
        segment.offset_index.start(Vec::new(), config.segment_index_bytes)?;
        segment.time_index.start(Vec::new(), config.segment_index_bytes)?;
        segment.publish_latest(crate::LatestTimestamp::NONE);
        let mut rule = IndexRule::new(config);
        let file = segment.file()?;
        let mut scan = segment.scan(&file, 0)?;
        let mut indexed = Indexed { end: segment.base(), bytes: 0, trouble: None };
        loop {
            let next = match check {
                true => scan.next_checked().map(|next| next.map(|(at, frame, _)| (at, frame))),
                false => scan.next_frame(),
            };
            let (position, frame) = match next {
                Ok(None) => break,
                Ok(Some(next)) => next,
                Err(ScanError::Storage(error)) => return Err(error),
                Err(ScanError::Bad(why)) => {
                    indexed.trouble = Some(why);
                    break;
                }
            };
            let span = frame.last_offset.since(segment.base());
            // The old formats say only where a compressed entry ends.
            let hole = check && frame.header.is_some() && self.is_hole(indexed.end, frame.base_offset);
            if frame.base_offset < indexed.end || hole || span > i64::from(i32::MAX) {
                let why =
                    format!("offset {} does not follow on {}", frame.base_offset, indexed.end);
                indexed.trouble = Some(why);
                break;
            }
            rule.note(segment, position, &frame)?;
            note(&frame, position);
            indexed.end = frame.next_offset();
            indexed.bytes = position + frame.bytes;
        }
        segment.seal_indexes()?;
        Ok(indexed)
    }
}

/// How far a segment could be indexed.
struct Indexed {
    /// The offset after the last sound batch.
    end: Offset,
    bytes: u64,
    /// What follows is no batch.
    trouble: Option<String>,
}

/// Epochs come from the file below `scan_from`, and from the batches after it.
fn load_epochs<D: Disk>(
    state: &LogState<D>,
    scanned: Vec<crate::checkpoints::EpochEntry>,
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
    for entry in scanned {
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
            let Some(header) = frame.header else { continue };
            if epochs.latest().is_none_or(|latest| header.leader_epoch > latest.epoch) {
                epochs.assign(header.leader_epoch, header.base_offset);
            }
        }
    }
    Ok(epochs)
}

/// Makes producer state from the newest sound snapshot and the batches after it.
///
/// With `rebuild_from`, the transaction indexes of the segments from there on, and the snapshots
/// between them, are made anew.
pub(crate) fn replay_producers<D: Disk>(
    log: &mut PartitionLog<D>,
    rebuild_from: Option<Offset>,
    now: WallTime,
) -> Result<(), StorageError> {
    let state = log.state.clone();
    let newest = rebuild_from.unwrap_or(log.next_offset);
    log.remove_snapshots(|base| base > newest)?;
    let (mut producers, known_to) = newest_snapshot(&state, log)?;
    producers.expire(now, log.config.producer_id_expiration_ms);
    let from = known_to.max(state.log_start());
    let segments = state.segments();
    for segment in &segments[floor_segment(&segments, from)..] {
        let is_rebuilt = rebuild_from.is_some_and(|from| segment.base() >= from);
        if is_rebuilt {
            segment.txn_index.truncate_to(segment.base())?;
            if segment.base() > known_to {
                log.producers = producers;
                log.take_snapshot(segment.base())?;
                producers = std::mem::take(&mut log.producers);
            }
        }
        let aborted = replay_segment(segment, from, &mut producers);
        for aborted in aborted.map_err(|error| segment.damage(error))? {
            if is_rebuilt {
                segment.txn_index.append(aborted)?;
            }
        }
    }
    producers.expire(now, log.config.producer_id_expiration_ms);
    log.producers = producers;
    state.publish_unstable(log.producers.first_unstable());
    Ok(())
}

/// The state of the newest snapshot that is sound, and the offset up to which it knows; damaged ones go.
fn newest_snapshot<D: Disk>(
    state: &LogState<D>,
    log: &PartitionLog<D>,
) -> Result<(ProducerStates, Offset), StorageError> {
    let mut known = snapshots(&state.disk, &state.dir)?;
    while let Some(base) = known.pop() {
        let path = state.file(OffsetFile::live(base, FileKind::ProducerSnapshot).name());
        match producer_snapshot::read(&state.disk, &path)? {
            Some(producers) => return Ok((producers, base)),
            None => log.remove_snapshots(|damaged| damaged == base)?,
        }
    }
    Ok((ProducerStates::default(), Offset::ZERO))
}

/// Notes the producers of all batches from `from` on; returns the transactions aborted on the way.
fn replay_segment<D: Disk>(
    segment: &Segment<D>,
    from: Offset,
    producers: &mut ProducerStates,
) -> Result<Vec<crate::AbortedTransaction>, ScanError> {
    let mut aborted = Vec::new();
    let start = segment.find(from).map_err(ScanError::Storage)?;
    let Some((start, _)) = start else { return Ok(aborted) };
    let file = segment.file().map_err(ScanError::Storage)?;
    let mut scan = segment.scan(&file, start).map_err(ScanError::Storage)?;
    while let Some((position, frame)) = scan.next_frame()? {
        let Some(header) = frame.header.as_ref().filter(|header| header.has_producer()) else {
            continue;
        };
        let marker = match header.is_control() {
            true => marker_of(header, &scan.body(position, &frame)?),
            false => None,
        };
        aborted.extend(note_producer(producers, header, marker));
    }
    Ok(aborted)
}
