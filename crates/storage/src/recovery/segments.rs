//! Which segments there are, how far they are sound, and what their indexes say.

use super::{Cut, OpenLog, RecoveryReport, note_epoch};
use crate::error::StorageError;
use crate::frame::{Frame, ScanError};
use crate::index_rule::IndexRule;
use crate::leader_epoch_cache::LeaderEpochCache;
use crate::log_state::floor_segment;
use crate::segment::Segment;
use env::Disk;
use std::sync::Arc;
use types::Offset;

/// The segments to go on with, and the log end.
type Loaded<D> = (Vec<Arc<Segment<D>>>, Offset);

pub(super) struct Loader<'a, D: Disk> {
    pub(super) disk: &'a D,
    pub(super) open: &'a OpenLog<D>,
    pub(super) report: &'a mut RecoveryReport,
    /// Where epochs begin, as the scanned batches say.
    pub(super) epochs: LeaderEpochCache,
}

impl<D: Disk> Loader<'_, D> {
    /// The segments to go on with, and the log end.
    pub(super) fn load(&mut self, bases: &[Offset]) -> Result<Loaded<D>, StorageError> {
        let adopt =
            |base: &Offset| Arc::new(Segment::adopt(self.disk.clone(), &self.open.dir, *base));
        let mut segments: Vec<_> = bases.iter().map(adopt).collect();
        for leftover in segments.drain(..floor_segment(&segments, self.open.log_start)) {
            self.remove_files(&leftover)?;
        }
        let Some(last) = segments.len().checked_sub(1) else {
            return self.start_at(self.open.log_start);
        };
        let scan_from = match self.open.is_clean {
            true => segments.len(),
            false => floor_segment(&segments, self.open.recovery_point),
        };
        for (index, segment) in segments[..scan_from].iter().enumerate() {
            self.check_indexes(segment, !self.open.is_clean && index + 1 == scan_from)?;
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

    fn start_at(&self, base: Offset) -> Result<Loaded<D>, StorageError> {
        let fresh = Segment::create(self.disk.clone(), &self.open.dir, base, &self.open.config)?;
        Ok((vec![Arc::new(fresh)], base))
    }

    /// Of a closed log. If its last segment is not what a clean end leaves, it is scanned after
    /// all.
    fn trusted_end(&mut self, last: &Segment<D>) -> Result<Offset, StorageError> {
        if !last.index_bears_out()? {
            self.report.rebuilt_indexes += 1;
            self.index_anew(last, None)?;
        }
        match last.next_offset() {
            Ok(end) => Ok(end),
            Err(ScanError::Storage(error)) => Err(error),
            Err(ScanError::Bad(_)) => self.scan_segment(last).map(|(end, _)| end),
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
        for path in segment.paths() {
            if self.disk.exists(path) {
                self.disk.remove_file(path).map_err(StorageError::io("remove", path))?;
            }
        }
        Ok(())
    }

    /// Of a segment that is not scanned. `is_last` if those after it are: its batches were flushed
    /// while it was active, its indexes perhaps not.
    fn check_indexes(&mut self, segment: &Segment<D>, is_last: bool) -> Result<(), StorageError> {
        let paths = [segment.offset_index.path(), segment.time_index.path()];
        let is_there = paths.iter().all(|path| self.disk.exists(path));
        if is_there && (!is_last || segment.index_is_complete(&self.open.config)?) {
            return Ok(());
        }
        self.report.rebuilt_indexes += 1;
        self.index_anew(segment, None).map(|_| ())
    }

    /// Reads a segment through, checks everything, and keeps the sound part. Says where that ends
    /// and whether it is all.
    fn scan_segment(&mut self, segment: &Segment<D>) -> Result<(Offset, bool), StorageError> {
        self.report.scanned_segments += 1;
        let mut epochs = std::mem::take(&mut self.epochs);
        let indexed = self.index_anew(segment, Some(&mut epochs))?;
        self.epochs = epochs;
        let lost = segment.bytes()? - indexed.bytes;
        let Some(why) = indexed.trouble else { return Ok((indexed.end, true)) };
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

    /// Makes the indexes of a segment from its batches. With `epochs` every checksum is checked,
    /// and that each batch may follow on the one before; they learn what the batches say.
    fn index_anew(
        &self,
        segment: &Segment<D>,
        mut epochs: Option<&mut LeaderEpochCache>,
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
            let next = match epochs.is_some() {
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
            indexed.trouble =
                self.misplaced(segment.base(), indexed.end, &frame, epochs.as_deref());
            if indexed.trouble.is_some() {
                break;
            }
            rule.note(segment, position, &frame)?;
            if let Some(epochs) = &mut epochs {
                note_epoch(epochs, &frame);
            }
            indexed.end = frame.next_offset();
            indexed.bytes = position + frame.bytes;
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
        // The tail of a lineage that lost, behind what took its place.
        let is_older = header.leader_epoch.0 >= 0 && header.leader_epoch < known;
        is_older.then(|| format!("leader epoch {} comes after {known}", header.leader_epoch))
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
