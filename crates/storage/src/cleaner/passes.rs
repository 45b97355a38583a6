//! The two passes of a cleaning: one notes where keys are, one writes what stays.

use super::filter::Outcome;
use super::grouping::{Next, fits};
use super::output::remove_files;
use super::{Cleaning, CleaningError, Output, Phase, Step};
use crate::error::StorageError;
use crate::frame::{Frame, ScanError};
use crate::log_state::floor_segment;
use crate::segment::Segment;
use env::Disk;
use records::legacy::Stored;
use records::{BatchError, RecordBatch};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use types::Offset;

/// A place in the segments of a cleaning.
#[derive(Clone, Copy)]
struct Place {
    segment: usize,
    position: u64,
    /// Every offset from here on comes later.
    after: Offset,
}

impl Place {
    fn start_of(segment: usize) -> Place {
        Place { segment, position: 0, after: Offset::ZERO }
    }

    /// Goes past a batch, which must lie where its offsets may: the checksum does not cover them.
    fn pass(&mut self, frame: &Frame, position: u64, end: Offset) -> Result<(), ScanError> {
        if frame.base_offset < self.after || frame.next_offset() > end {
            let (base, last) = (frame.base_offset, frame.last_offset);
            let why = format!("offsets {base} to {last} do not lie from {} to {end}", self.after);
            return Err(ScanError::Bad(why));
        }
        self.position = position + frame.bytes;
        self.after = frame.next_offset();
        Ok(())
    }
}

pub(super) struct MapPass {
    at: Place,
    /// Aborted transactions are looked up by the first step, which may block.
    is_begun: bool,
    has_keys: bool,
}

impl MapPass {
    pub(super) fn from<D: Disk>(segments: &[Arc<Segment<D>>], first_dirty: Offset) -> MapPass {
        let at = Place::start_of(floor_segment(segments, first_dirty));
        MapPass { at, is_begun: false, has_keys: false }
    }
}

pub(super) struct FilterPass<D: Disk> {
    at: Place,
    is_begun: bool,
    /// The first segment that goes into `output`.
    group_from: usize,
    output: Option<Output<D>>,
    has_changed: bool,
    pub(super) ready: Option<ReadyGroup<D>>,
}

/// A cleaned segment that waits to take the place of others.
pub(super) struct ReadyGroup<D: Disk> {
    pub(super) cleaned: Arc<Segment<D>>,
    /// Those it replaces, oldest first.
    pub(super) replaces: Vec<Arc<Segment<D>>>,
}

impl<D: Disk> FilterPass<D> {
    fn begin() -> FilterPass<D> {
        FilterPass {
            at: Place::start_of(0),
            is_begun: false,
            group_from: 0,
            output: None,
            has_changed: false,
            ready: None,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    pub(super) fn discard(self, disk: &D) -> Result<(), StorageError> {
        self.output.map_or(Ok(()), |output| output.discard(disk))?;
        self.ready.map_or(Ok(()), |ready| remove_files(disk, &ready.cleaned))
    }
}

impl<D: Disk> Cleaning<D> {
    pub(super) fn map(&mut self, bytes_max: u64) -> Result<Step, CleaningError> {
        let Phase::Map(pass) = &self.phase else { return Ok(Step::Done) };
        let (mut at, is_begun, mut has_keys) = (pass.at, pass.is_begun, pass.has_keys);
        if !is_begun {
            self.prepare()?;
            let from = self.segments[at.segment].base();
            self.filter.transactions = self.aborted_from(from)?;
        }
        let segment = self.segments[at.segment].clone();
        // Offsets that are missing before it are covered too.
        let end = self.end_of(at.segment);
        let file = segment.file()?;
        let mut scan = segment.scan(&file, at.position)?;
        let mut worked = 0;
        let mut is_full = false;
        while worked < bytes_max && !is_full {
            let next = scan.next_checked().map_err(|error| segment.damage(error))?;
            let Some((position, frame, stored)) = next else {
                self.filter.covered = self.filter.covered.max(end);
                at = Place::start_of(at.segment + 1);
                break;
            };
            worked += frame.bytes;
            at.pass(&frame, position, end).map_err(|error| segment.damage(error))?;
            is_full = !self.note_keys(&frame, &stored, &mut has_keys).map_err(bad(&segment))?;
        }
        self.report.bytes_read += worked;
        self.state.home.metrics.cleaner_read_bytes.add(worked);
        self.phase = match is_full || at.segment == self.segments.len() {
            true => Phase::Filter(Box::new(FilterPass::begin())),
            false => Phase::Map(MapPass { at, is_begun: true, has_keys }),
        };
        Ok(Step::Worked(worked))
    }

    /// Before anything of the log may be replaced.
    fn prepare(&self) -> Result<(), CleaningError> {
        let home = &self.state.home;
        let settled = self.settle_segments();
        self.state.guard_unless_full(settled)?;
        home.keep_recovery_point(&self.state, self.end)?;
        // What the journal holds is replayed into files by position. What is cleaned is durable, so
        // no frame will speak of it after this.
        let is_journaled =
            home.lock_journal().logs().iter().any(|log| Arc::ptr_eq(log, &self.state));
        if is_journaled {
            self.state.guard_unless_full(home.before_replacing_files().map(drop))?;
        }
        Ok(())
    }

    /// A segment that was flushed while it was active, and closed since, has indexes that are not.
    /// Nothing unsure may be left before a segment that is new and durable.
    fn settle_segments(&self) -> Result<(), StorageError> {
        let _flushing = self.state.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        for segment in &self.segments {
            if !segment.is_durable.load(Ordering::Acquire) {
                match segment.sync_log() {
                    // Removed meanwhile; the next step finds out.
                    Err(error) if error.is_not_found() && !self.state.holds(segment) => continue,
                    synced => synced?,
                }
                segment.txn_index.sync()?;
                segment.sync_indexes()?;
                segment.is_durable.store(true, Ordering::Release);
            }
        }
        Ok(())
    }

    /// Says whether the batch's keys had room.
    fn note_keys(
        &mut self,
        frame: &Frame,
        stored: &Stored,
        has_keys: &mut bool,
    ) -> Result<bool, BatchError> {
        let filter = &mut self.filter;
        let converted;
        let batch: &RecordBatch = match stored {
            Stored::Batch(batch) => batch,
            Stored::Legacy(entry) => {
                converted = entry.to_format_2()?;
                &converted
            }
        };
        let header = batch.header();
        let is_dirty = frame.last_offset >= self.first_dirty;
        if header.is_control() {
            let marker = crate::log::append::marker_of(header, batch.bytes());
            filter.transactions.see_marker(header.producer_id, marker, header.last_offset());
            filter.producers.see_marker(header);
        } else {
            let is_transactional = header.is_transactional() && header.has_producer();
            let last = header.last_offset();
            let is_aborted =
                filter.transactions.see_batch(header.producer_id, is_transactional, last);
            if is_dirty && !is_aborted {
                let keys = header.records_count.max(0) as usize;
                if filter.map.room() < keys {
                    if *has_keys {
                        return Ok(false);
                    }
                    filter.map.make_room(keys);
                }
                for record in batch.records()? {
                    let record = record?;
                    self.report.records_read += 1;
                    if let Some(key) = record.key.filter(|_| record.offset >= self.first_dirty) {
                        filter.map.put(&key, record.offset);
                        *has_keys = true;
                    }
                }
            }
        }
        filter.covered = filter.covered.max(frame.next_offset());
        Ok(true)
    }

    pub(super) fn filter(&mut self, bytes_max: u64) -> Result<Step, CleaningError> {
        let done = std::mem::replace(&mut self.phase, Phase::Done);
        let Phase::Filter(mut pass) = done else { return Ok(Step::Done) };
        if !pass.is_begun {
            self.filter.transactions = self.aborted_from(self.segments[0].base())?;
            pass.is_begun = true;
        }
        let in_reach = |segment: &&Arc<Segment<D>>| segment.base() < self.filter.covered;
        let Some(segment) = self.segments.get(pass.at.segment).filter(in_reach).cloned() else {
            return Ok(Step::Done);
        };
        let worked = self.filter_piece(&mut pass, &segment, bytes_max);
        self.phase = Phase::Filter(pass);
        worked.map(Step::Worked)
    }

    /// Some batches of one segment.
    fn filter_piece(
        &mut self,
        pass: &mut FilterPass<D>,
        segment: &Arc<Segment<D>>,
        bytes_max: u64,
    ) -> Result<u64, CleaningError> {
        if pass.output.is_none() {
            pass.output = Some(Output::begin(&self.state, segment.base(), &self.config)?);
            pass.group_from = pass.at.segment;
            pass.has_changed = false;
        }
        let (bytes, end) = (segment.bytes()?, self.end_of(pass.at.segment));
        let Some(output) = &mut pass.output else { return Ok(0) };
        let file = segment.file()?;
        let mut scan = segment.scan(&file, pass.at.position)?;
        let (mut read, before) = (0, output.gathered().bytes);
        while read < bytes_max {
            let next = scan.next_checked().map_err(|error| segment.damage(error))?;
            let Some((position, frame, stored)) = next else { break };
            read += frame.bytes;
            pass.at.pass(&frame, position, end).map_err(|error| segment.damage(error))?;
            let is_last = pass.at.position >= bytes;
            let outcome = self.filter.outcome(&stored, is_last).map_err(bad(segment))?;
            let (outcome, aborted) = outcome;
            if let Some(aborted) = aborted {
                output.note_aborted(aborted)?;
            }
            match outcome {
                Outcome::Whole => output.append(&frame, stored_bytes(&stored))?,
                Outcome::Rewritten(batch) => {
                    output.append(&Frame::of(batch.header()), batch.bytes())?;
                    pass.has_changed = true;
                }
                Outcome::Dropped => pass.has_changed = true,
            }
        }
        let written = output.gathered().bytes - before;
        self.report.bytes_read += read;
        self.report.bytes_written += written;
        let metrics = &self.state.home.metrics;
        metrics.cleaner_read_bytes.add(read);
        metrics.cleaner_written_bytes.add(written);
        if pass.at.position >= bytes {
            pass.at = Place::start_of(pass.at.segment + 1);
            self.end_of_segment(pass)?;
        }
        Ok(read + written)
    }

    /// Where the next segment begins.
    fn end_of(&self, segment: usize) -> Offset {
        self.segments.get(segment + 1).map_or(self.end, |next| next.base())
    }

    /// Goes on in the same output if the next segment fits it.
    fn end_of_segment(&mut self, pass: &mut FilterPass<D>) -> Result<(), CleaningError> {
        let next_index = pass.at.segment;
        let next = self.segments.get(next_index).filter(|next| next.base() < self.filter.covered);
        if let (Some(next), Some(output)) = (next, &pass.output) {
            let next = Next { bytes: next.bytes()?, end: self.end_of(next_index) };
            if fits(output.gathered(), next, &self.config) {
                return Ok(());
            }
        }
        let Some(output) = pass.output.take() else { return Ok(()) };
        let replaces = self.segments[pass.group_from..next_index].to_vec();
        for segment in &replaces {
            self.report.bytes_before += segment.bytes()?;
        }
        self.report.bytes_after += output.gathered().bytes;
        self.report.segments_before += replaces.len();
        self.report.segments_after += 1;
        if replaces.len() == 1 && !pass.has_changed {
            output.discard(&self.state.disk)?;
            return Ok(());
        }
        pass.ready = Some(ReadyGroup { cleaned: output.finish()?, replaces });
        Ok(())
    }
}

fn stored_bytes(stored: &Stored) -> &[u8] {
    match stored {
        Stored::Batch(batch) => batch.bytes(),
        Stored::Legacy(entry) => entry.bytes(),
    }
}

fn bad<D: Disk>(segment: &Segment<D>) -> impl Fn(BatchError) -> StorageError + '_ {
    |error| segment.damage(ScanError::Bad(error.to_string()))
}
