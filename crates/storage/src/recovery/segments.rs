//! Which segments there are, how far they are sound, and what their indexes say.
//!
//! After an unclean end the recovery point divides the log. What lies below is durable and trusted:
//! the index entries are kept as far as they are in order and their batches bear them out, and from
//! there on the batches are hopped over, head by head, to complete the indexes. What lies at the
//! point or above is read whole and every checksum is checked.

use super::files::Listing;
use super::heads::HeadsSeen;
use super::{Cut, OpenLog, RecoveryReport, ended_at_point, note_epoch};
use crate::error::StorageError;
use crate::file_names::{FileKind, FileStage};
use crate::frame::{Frame, ScanError};
use crate::index_rule::IndexRule;
use crate::leader_epoch_cache::LeaderEpochCache;
use crate::limits::LOOKUP_CHUNK_BYTES;
use crate::log_state::floor_segment;
use crate::partition_dir::PartitionDir;
use crate::segment::{LatestTimestamp, Segment};
use env::{Disk, DiskFile};
use std::sync::Arc;
use types::Offset;

/// The segments to go on with, and the log end.
type Loaded<D> = (Vec<Arc<Segment<D>>>, Offset);

pub(super) struct Loader<'a, D: Disk> {
    pub(super) dir: &'a Arc<PartitionDir<D>>,
    pub(super) listing: &'a Listing,
    pub(super) open: &'a OpenLog<D>,
    pub(super) report: &'a mut RecoveryReport,
    /// Where epochs begin, as the batches say that were looked at.
    pub(super) epochs: LeaderEpochCache,
    pub(super) heads: HeadsSeen,
}

/// How far the indexes of a segment reach.
struct Start {
    position: u64,
    /// The offset after the last batch before.
    end: Offset,
    rule: IndexRule,
    /// The last batch before.
    before: Option<Frame>,
}

/// How far a segment could be indexed.
struct Indexed {
    /// The offset after the last sound batch.
    end: Offset,
    bytes: u64,
    /// Read whole, with their checksums.
    checked_bytes: u64,
    /// What follows is no batch.
    trouble: Option<String>,
}

impl<D: Disk> Loader<'_, D> {
    /// The segments to go on with, and the log end.
    pub(super) fn load(&mut self) -> Result<Loaded<D>, StorageError> {
        let bases = self.listing.offsets(FileKind::Log);
        let adopt = |base: &Offset| {
            let segment = Segment::adopt(self.dir, *base, FileStage::Live);
            if !self.listing.has(*base, FileKind::TxnIndex) {
                segment.txn_index.note_missing();
            }
            Arc::new(segment)
        };
        let mut segments: Vec<_> = bases.iter().map(adopt).collect();
        for leftover in segments.drain(..floor_segment(&segments, self.open.log_start)) {
            self.remove_files(&leftover)?;
        }
        let Some(last) = segments.len().checked_sub(1) else {
            return self.start_at(self.open.log_start);
        };
        let log_end = match self.open.is_clean {
            true => {
                segments[..last].iter().try_for_each(|segment| self.check_indexes(segment))?;
                self.trusted_end(&segments[last])?
            }
            false => self.recover(&mut segments)?,
        };
        if log_end < self.open.log_start {
            // Somebody removed files: what is left lies below what may be read.
            self.drop_segments(segments.drain(..))?;
            return self.start_at(self.open.log_start);
        }
        Ok((segments, log_end))
    }

    /// After an unclean end: from the segment of the recovery point on. Says where the log ends.
    fn recover(&mut self, segments: &mut Vec<Arc<Segment<D>>>) -> Result<Offset, StorageError> {
        let point = self.open.recovery_point;
        let first = floor_segment(segments, point);
        segments[..first].iter().try_for_each(|segment| self.check_indexes(segment))?;
        if let Some(ended) = ended_at_point(segments, point) {
            self.complete_indexes(ended)?;
        }
        let mut log_end = segments[first].base();
        for index in first..segments.len() {
            segments[index].inherit()?;
            let is_whole;
            (log_end, is_whole) = self.recover_segment(&segments[index], point)?;
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
        Ok(log_end)
    }

    fn start_at(&self, base: Offset) -> Result<Loaded<D>, StorageError> {
        Ok((vec![Arc::new(Segment::create(self.dir, base)?)], base))
    }

    /// Of a closed log. If its last segment is not what a clean end leaves, it is scanned after
    /// all.
    fn trusted_end(&mut self, last: &Segment<D>) -> Result<Offset, StorageError> {
        let bytes = last.bytes()?;
        if bytes == 0 {
            return Ok(last.base());
        }
        let by_index = match self.has_indexes(last) && last.offset_index.is_usable()? {
            true => last.next_offset_by_index(),
            false => Ok(None),
        };
        match by_index {
            Ok(Some(end)) => return Ok(end),
            Ok(None) => self.report.rebuilt_indexes += 1,
            Err(ScanError::Storage(error)) => return Err(error),
            Err(ScanError::Bad(_)) => {}
        }
        let start = self.index_anew(last)?;
        let indexed =
            self.index(last, start, Offset(i64::MAX), &mut LeaderEpochCache::default())?;
        match indexed.trouble {
            None => Ok(indexed.end),
            Some(_) => self.scan_segment(last).map(|(end, _)| end),
        }
    }

    /// Newest first, so that a crash in between leaves no hole.
    fn drop_segments(
        &mut self,
        segments: impl DoubleEndedIterator<Item = Arc<Segment<D>>>,
    ) -> Result<(), StorageError> {
        for segment in segments.rev() {
            self.report.dropped_segments += 1;
            self.remove_files(&segment)?;
        }
        Ok(())
    }

    fn remove_files(&self, segment: &Segment<D>) -> Result<(), StorageError> {
        let disk = self.dir.disk();
        for path in segment.paths() {
            if disk.exists(&path) {
                disk.remove_file(&path).map_err(StorageError::io("remove", &path))?;
            }
        }
        Ok(())
    }

    fn has_indexes(&self, segment: &Segment<D>) -> bool {
        let kinds = [FileKind::OffsetIndex, FileKind::TimeIndex];
        kinds.into_iter().all(|kind| self.listing.has(segment.base(), kind))
    }

    /// Of a segment that is not looked into.
    fn check_indexes(&mut self, segment: &Segment<D>) -> Result<(), StorageError> {
        if self.has_indexes(segment) {
            return Ok(());
        }
        self.report.rebuilt_indexes += 1;
        let start = self.index_anew(segment)?;
        self.index(segment, start, Offset(i64::MAX), &mut LeaderEpochCache::default()).map(|_| ())
    }

    /// Of a segment whose batches are durable, which was active when that was written down.
    fn complete_indexes(&mut self, segment: &Segment<D>) -> Result<(), StorageError> {
        segment.inherit()?;
        let start = self.sound_start(segment, Offset(i64::MAX))?;
        self.index(segment, start, Offset(i64::MAX), &mut LeaderEpochCache::default()).map(|_| ())
    }

    /// Keeps the sound part of a segment, of which what lies below `point` is trusted. Says where
    /// that ends and whether it is all.
    fn recover_segment(
        &mut self,
        segment: &Segment<D>,
        point: Offset,
    ) -> Result<(Offset, bool), StorageError> {
        if segment.bytes()? == 0 && point <= segment.base() {
            self.report.scanned_segments += 1;
            return Ok((segment.base(), true));
        }
        if point <= segment.base() {
            return self.scan_segment(segment);
        }
        let start = self.sound_start(segment, point)?;
        let mut epochs = self.epochs.clone();
        let indexed = self.index(segment, start, point, &mut epochs)?;
        let is_short = indexed.end < point && !self.open.config.compacts;
        let is_damaged = indexed.trouble.is_some() && indexed.end < point;
        if !is_damaged && !is_short {
            self.epochs = epochs;
            return self.keep(segment, indexed);
        }
        // What was durable is not: nothing in here is trusted any more.
        let (end, is_whole) = self.scan_segment(segment)?;
        if is_whole && end < point {
            self.note_cut(end, 0, format!("offsets {end} to {point} were durable and are gone"));
            return Ok((end, false));
        }
        Ok((end, is_whole))
    }

    /// Reads a segment through, checks everything, and keeps the sound part.
    fn scan_segment(&mut self, segment: &Segment<D>) -> Result<(Offset, bool), StorageError> {
        let start = self.index_anew(segment)?;
        let mut epochs = std::mem::take(&mut self.epochs);
        let indexed = self.index(segment, start, segment.base(), &mut epochs)?;
        self.epochs = epochs;
        self.keep(segment, indexed)
    }

    fn keep(
        &mut self,
        segment: &Segment<D>,
        indexed: Indexed,
    ) -> Result<(Offset, bool), StorageError> {
        self.report.scanned_segments += 1;
        self.report.scanned_bytes += indexed.checked_bytes;
        let lost = segment.bytes()? - indexed.bytes;
        let Some(why) = indexed.trouble else { return Ok((indexed.end, true)) };
        // What is missing may be what could not be written back, of which nobody was told.
        _ = segment.file()?.sync();
        segment.cut_tail(indexed.bytes)?;
        self.note_cut(indexed.end, lost, why);
        Ok((indexed.end, false))
    }

    fn note_cut(&mut self, at: Offset, bytes: u64, why: String) {
        let below_recovery_point = at < self.open.recovery_point;
        self.report.cut = Some(Cut { at, bytes, why, below_recovery_point });
    }

    /// Whether batches are missing before `next`. Power loss may take the end of one segment and
    /// leave the next; only compaction takes offsets out rightly, and only below the recovery
    /// point as it was written down before. The checksum does not cover a batch's offset, so this
    /// is also what tells that it is wrong.
    fn is_hole(&self, end: Offset, next: Offset) -> bool {
        next > end && !(self.open.config.compacts && end < self.open.recovery_point)
    }

    fn index_anew(&self, segment: &Segment<D>) -> Result<Start, StorageError> {
        let config = &self.open.config;
        segment.offset_index.start(config.segment_index_bytes)?;
        segment.time_index.start(config.segment_index_bytes)?;
        segment.publish_latest(LatestTimestamp::NONE);
        let rule = IndexRule::new(config);
        Ok(Start { position: 0, end: segment.base(), rule, before: None })
    }

    /// Keeps the index entries of batches below `point` that are sound, and says how far they
    /// reach. That is up to the batch of the last time entry: whether the time grew after it, or
    /// power loss took the entry that said so, only the batches know.
    fn sound_start(&self, segment: &Segment<D>, point: Offset) -> Result<Start, StorageError> {
        let (config, base, bytes) = (&self.open.config, segment.base(), segment.bytes()?);
        let is_below = |relative: u32| base.plus(i64::from(relative)) < point;
        segment.offset_index.resume_sound(config.segment_index_bytes, |entry| {
            is_below(entry.relative_offset) && u64::from(entry.position) < bytes
        })?;
        segment
            .time_index
            .resume_sound(config.segment_index_bytes, |entry| is_below(entry.relative_offset))?;
        let Some(last) = segment.time_index.last()? else { return self.index_anew(segment) };
        let offset = base.plus(i64::from(last.relative_offset));
        let found = match segment.find(offset) {
            Ok(found) => found,
            Err(StorageError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let Some((position, frame)) = found.filter(|(_, frame)| {
            frame.last_offset == offset && frame.max_timestamp == last.timestamp
        }) else {
            return self.index_anew(segment);
        };
        segment.offset_index.truncate(|entry| u64::from(entry.position) <= position)?;
        let latest = LatestTimestamp { timestamp: last.timestamp, offset };
        segment.publish_latest(latest);
        let position = position + frame.bytes;
        let rule = IndexRule::resume(segment, position, latest, config)?;
        Ok(Start { position, end: frame.next_offset(), rule, before: Some(frame) })
    }

    /// Completes the indexes of a segment from its batches. Those that end at `checked_from` or
    /// after are read whole: every checksum is checked, and that each batch may follow on the one
    /// before. `epochs` learn what the batches say.
    fn index(
        &mut self,
        segment: &Segment<D>,
        start: Start,
        checked_from: Offset,
        epochs: &mut LeaderEpochCache,
    ) -> Result<Indexed, StorageError> {
        let Start { position, end, mut rule, before } = start;
        before.iter().for_each(|frame| note_epoch(epochs, frame));
        self.heads = HeadsSeen::of(segment.base(), end);
        let file = segment.file()?;
        let mut is_checked = checked_from <= end;
        if is_checked {
            read_anew(segment, &file, position)?;
        }
        let mut scan = segment.scan(&file, position)?;
        if !is_checked {
            scan = scan.with_chunk(LOOKUP_CHUNK_BYTES);
        }
        let mut indexed = Indexed { end, bytes: position, checked_bytes: 0, trouble: None };
        loop {
            let next = match is_checked {
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
            if !is_checked && frame.last_offset >= checked_from {
                is_checked = true;
                read_anew(segment, &file, position)?;
                scan = segment.scan(&file, position)?;
                continue;
            }
            let known = is_checked.then_some(&*epochs);
            indexed.trouble = self.misplaced(segment.base(), indexed.end, &frame, known);
            if indexed.trouble.is_some() {
                break;
            }
            rule.note(segment, position, &frame)?;
            note_epoch(epochs, &frame);
            self.heads.note(position, &frame);
            indexed.end = frame.next_offset();
            indexed.bytes = position + frame.bytes;
            indexed.checked_bytes += if is_checked { frame.bytes } else { 0 };
        }
        if indexed.trouble.is_some() {
            self.heads = HeadsSeen::none();
        }
        segment.seal_indexes()?;
        Ok(indexed)
    }

    /// Why a sound batch cannot stand where it stands.
    fn misplaced(
        &self,
        base: Offset,
        end: Offset,
        frame: &Frame,
        epochs: Option<&LeaderEpochCache>,
    ) -> Option<String> {
        let span = frame.last_offset.since(base);
        if frame.base_offset < end || span > i64::from(i32::MAX) {
            return Some(format!("offset {} does not follow on {end}", frame.base_offset));
        }
        let (epochs, header) = (epochs?, frame.header.as_ref()?);
        if self.is_hole(end, header.base_offset) {
            return Some(format!("offsets {end} to {} are missing", header.base_offset));
        }
        let known = epochs.latest()?.epoch;
        // The tail of a lineage that lost, behind what took its dir.
        let is_older = header.leader_epoch.0 >= 0 && header.leader_epoch < known;
        is_older.then(|| format!("leader epoch {} comes after {known}", header.leader_epoch))
    }
}

/// From here on what is read is what the disk has, whatever the last process left in memory.
fn read_anew<D: Disk>(
    segment: &Segment<D>,
    file: &D::File,
    position: u64,
) -> Result<(), StorageError> {
    file.forget_cached(position).map_err(StorageError::io("read anew", segment.log_path()))
}
