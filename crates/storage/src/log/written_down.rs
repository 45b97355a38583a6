//! What a start after a crash goes by, so that it need not look at every batch.

use super::PartitionLog;
use crate::error::StorageError;
use crate::file_names::{FileKind, OffsetFile};
use crate::limits::{CHECKPOINT_SNAPSHOTS_MAX, WRITE_DOWN_BYTES};
use crate::log::FlushDue;
use crate::producer_snapshot;
use crate::reader::LogReader;
use env::Disk;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use types::Offset;

impl<D: Disk> PartitionLog<D> {
    /// Prepares what lets the next recovery begin at the log end: what producers are known is
    /// written down, and indexes are written out. Returns the flusher, and up to where to flush,
    /// unless all is durable. Once that is done and the recovery points are written
    /// ([`checkpoint_recovery_points`](crate::LogDir::checkpoint_recovery_points)), recovery reads
    /// only what came after.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn checkpoint(&mut self) -> Result<Option<FlushDue<D>>, StorageError> {
        self.state.check_alive()?;
        let end = self.next_offset;
        if self.active.bytes > 0 && self.snapshots.last() != Some(&end) {
            self.is_untouched = false;
            self.write_down()?;
        }
        let pruned = self.prune_snapshots();
        self.state.guard(pruned)?;
        Ok((self.recovery_point() < end).then(|| (self.flusher(), end)))
    }

    /// The same between two checkpoints, without a flush, if
    /// [much was appended](LogReader::is_write_down_due). Not while what was written down last
    /// lies above the recovery point: a start would not go by it. The caller may wait for the disk.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn write_down_when_due(&mut self) -> Result<(), StorageError> {
        self.state.check_alive()?;
        let written_point = self.state.written_recovery_point();
        let waits = self.snapshots.last().is_some_and(|at| *at > written_point);
        if waits || self.undescribed_bytes() < WRITE_DOWN_BYTES {
            return Ok(());
        }
        self.write_down()?;
        let pruned = self.prune_snapshots();
        self.state.guard(pruned)
    }

    fn undescribed_bytes(&self) -> u64 {
        self.active.bytes - self.active.written_down
    }

    pub(super) fn publish_undescribed(&self) {
        self.state.undescribed_bytes.store(self.undescribed_bytes(), Ordering::Relaxed);
    }

    /// Nothing is staged.
    fn write_down(&mut self) -> Result<(), StorageError> {
        let written = self.active.segment.write_out_indexes();
        let taken = written.and_then(|()| self.take_snapshot(self.next_offset));
        self.active.written_down = self.active.bytes;
        self.publish_undescribed();
        match self.state.guard_unless_full(taken) {
            // The next recovery looks at more, that is all.
            Err(error) if error.is_full() => Ok(()),
            taken => taken,
        }
    }

    pub(crate) fn take_snapshot(&mut self, at: Offset) -> Result<(), StorageError> {
        let path = self.snapshot_path(at);
        let written = producer_snapshot::write(&self.state.disk, &path, &self.producers);
        match (&written, self.snapshots.binary_search(&at)) {
            (Ok(()), Err(place)) => self.snapshots.insert(place, at),
            // The one that was there is gone as well.
            (Err(_), Ok(place)) => _ = self.snapshots.remove(place),
            _ => {}
        }
        written
    }

    pub(crate) fn snapshot_path(&self, at: Offset) -> PathBuf {
        self.state.file(OffsetFile::live(at, FileKind::ProducerSnapshot).name())
    }

    /// Keeps those at the base of a segment, the newest two of the others, and the newest that a
    /// start would go by. A snapshot is not synced: if power loss takes it, the one before it does,
    /// and more batches are looked at.
    pub(super) fn prune_snapshots(&mut self) -> Result<(), StorageError> {
        let segments = self.state.segments();
        let is_base = |at: &Offset| segments.iter().any(|segment| segment.base() == *at);
        let others: Vec<Offset> =
            self.snapshots.iter().filter(|at| !is_base(at)).copied().collect();
        let surplus = others.len().saturating_sub(CHECKPOINT_SNAPSHOTS_MAX);
        let written_point = self.state.written_recovery_point();
        let believed = others.iter().rfind(|at| **at <= written_point);
        let gone = others[..surplus].iter().filter(|at| Some(*at) != believed);
        let gone: Vec<Offset> = gone.copied().collect();
        self.remove_snapshots(|at| gone.contains(&at))
    }
}

impl<D: Disk> LogReader<D> {
    /// So much was appended since a start would find written down what it needs to know of it that
    /// [`write_down_when_due`](PartitionLog::write_down_when_due) has something to do, or had until
    /// a moment ago. Never of a log that is out of use.
    pub fn is_write_down_due(&self) -> bool {
        let undescribed = self.state.undescribed_bytes.load(Ordering::Relaxed);
        undescribed >= WRITE_DOWN_BYTES && self.state.check_alive().is_ok()
    }
}
