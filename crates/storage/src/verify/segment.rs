//! A segment: every batch's checksum, order and place, and what its indexes say of it.

use super::finding::{Severity, todo};
use super::indexes::{AbortedIndex, OffsetEntries, TimeEntries};
use super::partition::Home;
use super::transactions::{Ended, OpenTransactions};
use super::{Check, Finding};
use crate::error::StorageError;
use crate::file_names::{FileKind, OffsetFile};
use crate::frame::{Frame, FrameScan, ScanError, checked_batch};
use crate::leader_epoch_cache::LeaderEpochCache;
use env::{Disk, DiskFile};
use std::path::{Path, PathBuf};
use types::{LeaderEpoch, Offset};

/// Where a segment stands in its log.
pub(super) struct Place<'a> {
    pub(super) dir: &'a Path,
    pub(super) base: Offset,
    /// `None` for the last one, which is written to.
    pub(super) next_base: Option<Offset>,
    pub(super) home: Home,
    /// The next start reads it through and makes its indexes anew.
    pub(super) is_scanned: bool,
    pub(super) epochs: &'a LeaderEpochCache,
}

impl Place<'_> {
    pub(super) fn path(&self, kind: FileKind) -> PathBuf {
        self.dir.join(OffsetFile::live(self.base, kind).name())
    }

    /// Of what is wrong with something that is derived from the batches.
    pub(super) fn derived(&self) -> (Severity, &'static str) {
        match self.is_scanned {
            true => (Severity::Repair, todo::START),
            false => (Severity::Damage, todo::INDEX),
        }
    }

    /// Of a batch that is not what it should be, at the end of what was sound.
    fn damaged(&self, sound_end: Offset) -> (Severity, &'static str) {
        match self.is_scanned {
            true if sound_end >= self.home.recovery_point => (Severity::Repair, todo::CUT),
            true => (Severity::Damage, todo::CUT),
            false => (Severity::Damage, todo::REPLICA),
        }
    }
}

/// What the batches before say of the next one.
pub(super) struct Expected {
    /// The next batch begins here, or later if offsets may be missing.
    pub(super) end: Offset,
    pub(super) epoch: Option<LeaderEpoch>,
    /// Nothing was compacted: no offset is missing.
    pub(super) is_dense: bool,
    pub(super) transactions: OpenTransactions,
}

pub(super) fn check_segment<D: Disk>(
    check: &mut Check<'_, D>,
    place: &Place<'_>,
    expected: &mut Expected,
) -> Result<(), StorageError> {
    let path = place.path(FileKind::Log);
    let Some(file) = check.open(&path)? else { return Ok(()) };
    let bytes = file.len().map_err(StorageError::io("measure segment", &path))?;
    check.totals.segments += 1;
    if expected.is_dense && expected.end < place.base {
        let what = format!("offsets {} to {} are missing before it", expected.end, place.base);
        let (severity, todo) = place.damaged(expected.end);
        check.found(Finding::new(severity, "HOLE", &path, what, todo).offset(expected.end));
    }
    expected.end = expected.end.max(place.base);
    let mut walk = Walk {
        place,
        path: &path,
        offsets: OffsetEntries::read(check, place, bytes == 0)?,
        times: TimeEntries::read(check, place, bytes == 0)?,
        aborted: AbortedIndex::read(check, place)?,
        epochs_told: false,
    };
    let mut scan = FrameScan::new(&file, &path, 0, bytes);
    let mut sound_bytes = 0;
    loop {
        match scan.next_frame() {
            Ok(None) => break,
            Ok(Some((position, frame))) => {
                let whole = scan.body(position, &frame);
                sound_bytes = position + frame.bytes;
                check.advance(frame.bytes);
                match whole {
                    Ok(bytes) => walk.batch(check, expected, position, &frame, &bytes),
                    Err(ScanError::Storage(error)) => return Err(error),
                    Err(ScanError::Bad(why)) => walk.torn(check, expected, position, bytes, &why),
                }
            }
            Err(ScanError::Storage(error)) => return Err(error),
            Err(ScanError::Bad(why)) => {
                check.advance(bytes - sound_bytes);
                walk.torn(check, expected, sound_bytes, bytes, &why);
                break;
            }
        }
    }
    walk.finish(check, expected);
    Ok(())
}

/// One segment under way.
struct Walk<'a> {
    place: &'a Place<'a>,
    path: &'a Path,
    offsets: OffsetEntries,
    times: TimeEntries,
    aborted: AbortedIndex,
    epochs_told: bool,
}

impl Walk<'_> {
    fn batch<D: Disk>(
        &mut self,
        check: &mut Check<'_, D>,
        expected: &mut Expected,
        position: u64,
        frame: &Frame,
        bytes: &bytes::Bytes,
    ) {
        check.totals.batches += 1;
        let (severity, todo) = self.place.damaged(expected.end);
        let found = |code, what: String| {
            Finding::new(severity, code, self.path, what, todo)
                .at(position)
                .offset(frame.base_offset)
        };
        let ended = match checked_batch(bytes) {
            Ok(stored) => expected.transactions.note(&stored),
            Err(error) => {
                check.found(found("BATCH_DAMAGED", error.to_string()));
                None
            }
        };
        if let Some(why) = self.misplaced(expected, frame) {
            check.found(found("BATCH_MISPLACED", why));
        }
        self.offsets.batch(check, self.place, position, frame, expected.end);
        self.times.batch(check, self.place, frame);
        if let Some(Ended::Aborted(producer, first)) = ended {
            let first = first.filter(|_| expected.is_dense);
            self.aborted.marker(check, self.place, producer, first, frame.last_offset);
        }
        self.check_epoch(check, expected, position, frame);
        expected.end = expected.end.max(frame.next_offset());
    }

    /// Why a batch cannot stand where it stands.
    fn misplaced(&self, expected: &Expected, frame: &Frame) -> Option<String> {
        let (base, last, end) = (frame.base_offset, frame.last_offset, expected.end);
        if base < end {
            return Some(format!("offset {base} does not follow on {end}"));
        }
        if last.since(self.place.base) > i64::from(i32::MAX) {
            return Some(format!(
                "offset {last} is too far from the segment's {}",
                self.place.base
            ));
        }
        if let Some(next) = self.place.next_base.filter(|next| last >= *next) {
            return Some(format!(
                "offset {last} belongs to the next segment, which begins at {next}"
            ));
        }
        // The base of an old compressed entry is not in its head.
        let is_hole = expected.is_dense && base > end && frame.header.is_some();
        is_hole.then(|| {
            format!("offsets {end} to {base} are missing; right only if the topic was compacted")
        })
    }

    fn check_epoch<D: Disk>(
        &mut self,
        check: &mut Check<'_, D>,
        expected: &mut Expected,
        position: u64,
        frame: &Frame,
    ) {
        let header = frame.header.as_ref().filter(|header| header.leader_epoch.0 >= 0);
        let Some(epoch) = header.map(|header| header.leader_epoch) else { return };
        if let Some(known) = expected.epoch.filter(|known| epoch < *known) {
            let (severity, todo) = self.place.damaged(expected.end);
            let what = format!("leader epoch {epoch} comes after {known}");
            let finding = Finding::new(severity, "EPOCH_WENT_BACK", self.path, what, todo);
            check.found(finding.at(position).offset(frame.base_offset));
        }
        expected.epoch = Some(expected.epoch.map_or(epoch, |known| known.max(epoch)));
        let known = self.place.epochs.epoch_at(frame.base_offset);
        let differs = known.filter(|known| *known != epoch && !self.epochs_told);
        let is_readable = frame.base_offset >= self.place.home.log_start;
        if let Some(known) = differs.filter(|_| is_readable && !check.options.is_live) {
            self.epochs_told = true;
            let (severity, todo) = self.place.derived();
            let what = format!("leader-epoch-checkpoint says epoch {known}, the batch {epoch}");
            let finding = Finding::new(severity, "EPOCH_DIFFERS", self.path, what, todo);
            check.found(finding.at(position).offset(frame.base_offset));
        }
    }

    /// What follows is no batch.
    fn torn<D: Disk>(
        &self,
        check: &mut Check<'_, D>,
        expected: &Expected,
        position: u64,
        bytes: u64,
        why: &str,
    ) {
        if check.options.is_live && self.place.next_base.is_none() {
            return; // Being written.
        }
        let (severity, todo) = self.place.damaged(expected.end);
        let what = format!("{} bytes from here on are no batch: {why}", bytes - position);
        let finding = Finding::new(severity, "NO_BATCH", self.path, what, todo);
        check.found(finding.at(position).offset(expected.end));
    }

    fn finish<D: Disk>(&mut self, check: &mut Check<'_, D>, expected: &Expected) {
        if check.options.is_live && self.place.next_base.is_none() {
            return; // The indexes were read at another moment than the batches.
        }
        self.offsets.finish(check, self.place);
        self.times.finish(check, self.place);
        if expected.is_dense {
            self.aborted.finish(check, self.place);
        }
    }
}
