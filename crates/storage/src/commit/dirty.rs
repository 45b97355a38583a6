//! What of a log is not committed yet, and what a sync of everything means for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use env::{Disk, DiskFile};
use types::Offset;

use crate::error::StorageError;
use crate::flush::LogFlusher;
use crate::log_state::{LogState, active};
use crate::segment::{Changes, Segment};
use crate::unsynced::SoFar;

/// A place in the files of a log: all bytes before it are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment_base: Offset,
    pub(crate) position: u64,
}

/// A log with bytes that power loss would take.
pub(crate) struct Dirty<D: Disk> {
    pub(crate) log: Arc<LogState<D>>,
    /// All batches below are in the pieces, or before them.
    pub(crate) to: Offset,
    pub(crate) pieces: Vec<Piece<D>>,
    /// Where the pieces end.
    place: Place,
}

/// Bytes of one file.
pub(crate) struct Piece<D: Disk> {
    pub(crate) segment: Arc<Segment<D>>,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl<D: Disk> Piece<D> {
    pub(crate) fn bytes(&self) -> u64 {
        self.to - self.from
    }

    /// What lies at `position`, from the page cache it was just written to.
    pub(crate) fn read(&self, position: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let path = self.segment.log_path();
        let failed = StorageError::io("read segment", path);
        match self.segment.file()?.read_at(into, position).map_err(failed)? {
            all if all == into.len() => Ok(()),
            _ => Err(StorageError::corrupt(path, "the file is shorter than what was written")),
        }
    }
}

impl<D: Disk> Dirty<D> {
    pub(crate) fn of(log: &Arc<LogState<D>>) -> Result<Dirty<D>, StorageError> {
        log.check_alive()?;
        // The end first: segments that are looked at later hold at least what lies before it.
        let to = log.log_end();
        let segments = log.segments();
        let start = log.committed();
        let mut place = start;
        let mut pieces = Vec::new();
        for segment in segments.iter().filter(|segment| segment.base() >= start.segment_base) {
            let is_first = segment.base() == start.segment_base;
            let from = if is_first { start.position } else { 0 };
            let end = segment.bytes()?;
            place = Place { segment_base: segment.base(), position: end.max(from) };
            if end > from {
                pieces.push(Piece { segment: Arc::clone(segment), from, to: end });
            }
        }
        Ok(Dirty { log: Arc::clone(log), to, pieces, place })
    }

    /// Of the log's directory.
    pub(crate) fn dir_name(&self) -> &str {
        &self.log.dir.name
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.pieces.iter().map(Piece::bytes).sum()
    }

    /// Whether power loss may take the names that the bytes lie under.
    pub(crate) fn needs_names(&self) -> bool {
        let is_new = |piece: &Piece<D>| piece.segment.names.is_any();
        self.log.names.is_any() || self.pieces.iter().any(is_new)
    }

    pub(crate) fn sync_names(&self) -> Result<(), StorageError> {
        let flusher = LogFlusher { state: Arc::clone(&self.log) };
        flusher.sync_names(self.pieces.iter().map(|piece| &piece.segment))
    }

    /// The pieces are durable.
    pub(crate) fn note_committed(&self) {
        self.log.note_committed(self.place);
    }
}

/// How many bytes a log has to commit, if they are all of the segment that it writes to, whose name
/// power loss does not take: [`Dirty::bytes`] without the rest, which takes its time.
pub(crate) fn bytes_of_sole_segment<D: Disk>(log: &LogState<D>) -> Option<u64> {
    let (segments, committed) = (log.segments(), log.committed());
    let active = active(&segments);
    let is_sole = active.base() == committed.segment_base;
    let is_named = !log.names.is_any() && !active.names.is_any();
    let bytes = active.bytes().ok()?.saturating_sub(committed.position);
    (is_sole && is_named).then_some(bytes)
}

/// What a sync of the whole file system, begun after this was taken, makes durable of a log.
pub(crate) struct BeforeSync<D: Disk> {
    dirty: Dirty<D>,
    truncations: u64,
    sealed: Vec<Arc<Segment<D>>>,
    /// How far each file is changed: what is synced need not stay open.
    changes: Vec<(Arc<Segment<D>>, Changes)>,
    names: SoFar,
    epochs: SoFar,
}

impl<D: Disk> BeforeSync<D> {
    pub(crate) fn of(log: &Arc<LogState<D>>) -> Result<BeforeSync<D>, StorageError> {
        let (truncations, segments) = log.snapshot();
        let changes =
            segments.iter().map(|segment| (Arc::clone(segment), segment.changes())).collect();
        let dirty = Dirty::of(log)?;
        let sealed = segments[..segments.len() - 1].to_vec();
        let (names, epochs) = (log.names.so_far(), log.epoch_changes.so_far());
        Ok(BeforeSync { dirty, truncations, sealed, changes, names, epochs })
    }

    /// The sync is done. Nothing follows for a log that was cut meanwhile.
    pub(crate) fn note_synced(&self) -> Offset {
        for (segment, changes) in &self.changes {
            segment.note_synced(*changes);
        }
        self.dirty.log.names.note_synced(self.names);
        self.dirty.log.epoch_changes.note_synced(self.epochs);
        if !self.dirty.log.is_unmoved(self.truncations) {
            return self.dirty.log.recovery_point();
        }
        for segment in &self.sealed {
            segment.is_durable.store(true, Ordering::Release);
        }
        self.dirty.note_committed();
        self.dirty.log.advance_recovery_point(self.dirty.to);
        self.dirty.to
    }
}
