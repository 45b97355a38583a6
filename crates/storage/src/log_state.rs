use crate::commit::Place;
use crate::error::StorageError;
use crate::leader_epoch_cache::{EpochFile, LeaderEpochCache};
use crate::log_dir_state::LogDirState;
use crate::partition_dir::PartitionDir;
use crate::segment::Segment;
use crate::unsynced::Unsynced;
use env::Disk;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use types::{LeaderEpoch, Offset, TopicPartition, Uuid};

/// The segments of a log, oldest first.
///
/// **Invariant:** never empty; base offsets strictly grow.
pub(crate) type SegmentList<D> = Arc<Vec<Arc<Segment<D>>>>;

/// What the writer of a log shares with its readers and its flusher.
///
/// **Invariant:** `log_start <= log_end`, `recovery_point <= log_end`. Bytes are in the file before
/// a segment shows them, and a segment shows them before `log_end` does.
pub(crate) struct LogState<D: Disk> {
    pub(crate) disk: D,
    pub(crate) dir: Arc<PartitionDir<D>>,
    pub(crate) partition: TopicPartition,
    /// Zero in a directory older than topic ids.
    pub(crate) topic_id: Uuid,
    pub(crate) home: Arc<LogDirState<D>>,
    segments: RwLock<SegmentList<D>>,
    log_start: AtomicI64,
    log_end: AtomicI64,
    recovery_point: AtomicI64,
    /// As the checkpoint on the disk says it; a moment behind that.
    written_recovery_point: AtomicI64,
    first_unstable: AtomicI64,
    /// At the end of the active segment: a start after a crash would look at each batch in them.
    pub(crate) undescribed_bytes: AtomicU64,
    /// Moves whenever bytes that readers may be looking at were cut off.
    truncations: AtomicU64,
    is_poisoned: AtomicBool,
    is_retired: AtomicBool,
    epochs: RwLock<LeaderEpochCache>,
    epoch_file: EpochFile<D>,
    /// Who writes the file: both ways go through one temporary file.
    epoch_file_writer: Mutex<()>,
    /// Of the epoch file.
    pub(crate) epoch_changes: Unsynced,
    /// An epoch has begun that is not in the file. No batch bears it yet.
    epochs_unwritten: AtomicBool,
    /// The directory's own name, and `partition.metadata`.
    pub(crate) names: Unsynced,
    /// Held by whoever syncs them.
    pub(crate) naming: Mutex<()>,
    /// A leader's compaction has left offsets out below here, and the replica got it so.
    pub(crate) holes_below: AtomicI64,
    /// Held while a flush or a truncation runs, so that none moves the recovery point under the
    /// other.
    pub(crate) flushing: Mutex<()>,
    /// How far the log is committed, by the journal or by a sync.
    committed: Mutex<Place>,
    /// A commit that has not begun yet will take the log along.
    pub(crate) is_commit_asked: AtomicBool,
}

/// Where a log begins and ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogBounds {
    pub(crate) log_start: Offset,
    pub(crate) log_end: Offset,
    pub(crate) recovery_point: Offset,
}

impl<D: Disk> LogState<D> {
    pub(crate) fn new(
        dir: Arc<PartitionDir<D>>,
        (partition, topic_id): (TopicPartition, Uuid),
    ) -> LogState<D> {
        LogState {
            disk: dir.disk().clone(),
            home: dir.home.clone(),
            epoch_file: EpochFile::new(dir.clone()),
            epoch_file_writer: Mutex::new(()),
            dir,
            partition,
            topic_id,
            segments: RwLock::new(Arc::new(Vec::new())),
            log_start: AtomicI64::new(0),
            log_end: AtomicI64::new(0),
            recovery_point: AtomicI64::new(0),
            written_recovery_point: AtomicI64::new(0),
            first_unstable: AtomicI64::new(i64::MAX),
            undescribed_bytes: AtomicU64::new(0),
            truncations: AtomicU64::new(0),
            is_poisoned: AtomicBool::new(false),
            is_retired: AtomicBool::new(false),
            epochs: RwLock::new(LeaderEpochCache::default()),
            epoch_changes: Unsynced::default(),
            epochs_unwritten: AtomicBool::new(false),
            names: Unsynced::default(),
            naming: Mutex::new(()),
            holes_below: AtomicI64::new(0),
            flushing: Mutex::new(()),
            committed: Mutex::new(Place { segment_base: Offset::ZERO, position: 0 }),
            is_commit_asked: AtomicBool::new(false),
        }
    }

    pub(crate) fn log_start(&self) -> Offset {
        Offset(self.log_start.load(Ordering::Acquire))
    }

    pub(crate) fn log_end(&self) -> Offset {
        Offset(self.log_end.load(Ordering::Acquire))
    }

    pub(crate) fn recovery_point(&self) -> Offset {
        Offset(self.recovery_point.load(Ordering::Acquire))
    }

    pub(crate) fn written_recovery_point(&self) -> Offset {
        Offset(self.written_recovery_point.load(Ordering::Acquire))
    }

    pub(crate) fn note_written_recovery_point(&self, point: Offset) {
        self.written_recovery_point.store(point.0, Ordering::Release);
    }

    /// The first offset that an unfinished transaction makes unstable.
    pub(crate) fn first_unstable(&self) -> Option<Offset> {
        match self.first_unstable.load(Ordering::Acquire) {
            i64::MAX => None,
            offset => Some(Offset(offset)),
        }
    }

    /// The recovery point as a checkpoint may say it: at most the end of the first segment whose
    /// indexes are not known to be durable. Recovery looks through the indexes of the segment that
    /// holds the point, and of the one that ends there: what it finds lost it makes anew. Those
    /// before are taken as they are.
    pub(crate) fn checkpointed_recovery_point(&self) -> Offset {
        // In this order: a segment that is closed after this is still the last one below.
        let recovery_point = self.recovery_point();
        let segments = self.segments();
        let after_unsure = segments.get(first_unsure(&segments) + 1);
        after_unsure.map_or(recovery_point, |next| recovery_point.min(next.base()))
    }

    /// As a start finds it.
    pub(crate) fn open_at(&self, bounds: LogBounds) {
        self.set_bounds(bounds);
        self.note_written_recovery_point(bounds.recovery_point);
    }

    pub(crate) fn set_bounds(&self, bounds: LogBounds) {
        let LogBounds { log_start, log_end, recovery_point } = bounds;
        assert!(log_start <= log_end, "log start {log_start} is past the log end {log_end}");
        assert!(recovery_point <= log_end, "recovery point {recovery_point} is past {log_end}");
        self.log_start.store(log_start.0, Ordering::Release);
        self.log_end.store(log_end.0, Ordering::Release);
        self.recovery_point.store(recovery_point.0, Ordering::Release);
        self.written_recovery_point.fetch_min(recovery_point.0, Ordering::AcqRel);
    }

    pub(crate) fn publish_end(&self, log_end: Offset) {
        self.log_end.store(log_end.0, Ordering::Release);
    }

    pub(crate) fn publish_start(&self, log_start: Offset) {
        self.log_start.store(log_start.0, Ordering::Release);
    }

    pub(crate) fn advance_recovery_point(&self, to: Offset) {
        self.recovery_point.fetch_max(to.0, Ordering::AcqRel);
    }

    pub(crate) fn lower_recovery_point(&self, to: Offset) {
        self.recovery_point.fetch_min(to.0, Ordering::AcqRel);
    }

    /// All bytes before are committed.
    pub(crate) fn committed(&self) -> Place {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves forward only.
    pub(crate) fn note_committed(&self, place: Place) {
        let mut committed = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        *committed = place.max(*committed);
    }

    /// After a cut, or at the start.
    pub(crate) fn reset_committed(&self, place: Place) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    pub(crate) fn publish_unstable(&self, first: Option<Offset>) {
        self.first_unstable.store(first.map_or(i64::MAX, |offset| offset.0), Ordering::Release);
    }

    /// How often bytes were cut off, and the segments as of then.
    pub(crate) fn snapshot(&self) -> (u64, SegmentList<D>) {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        (self.truncations.load(Ordering::Acquire), segments.clone())
    }

    pub(crate) fn segments(&self) -> SegmentList<D> {
        self.snapshot().1
    }

    /// Whether `segment` is still one of the log's.
    pub(crate) fn holds(&self, segment: &Arc<Segment<D>>) -> bool {
        self.segments().iter().any(|held| Arc::ptr_eq(held, segment))
    }

    /// Whether nothing was cut off since [`snapshot`](Self::snapshot) said `truncations`.
    pub(crate) fn is_unmoved(&self, truncations: u64) -> bool {
        self.truncations.load(Ordering::Acquire) == truncations
    }

    pub(crate) fn set_segments(&self, segments: Vec<Arc<Segment<D>>>) {
        assert!(!segments.is_empty(), "a log has at least its active segment");
        *self.segments.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(segments);
    }

    /// Cuts bytes off while no reader takes a snapshot; those that have one find out afterwards.
    pub(crate) fn cut<T>(
        &self,
        act: impl FnOnce(&mut Vec<Arc<Segment<D>>>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        self.truncations.fetch_add(1, Ordering::AcqRel);
        let mut list = segments.to_vec();
        let done = act(&mut list);
        *segments = Arc::new(list);
        done
    }

    pub(crate) fn epochs<T>(&self, ask: impl FnOnce(&LeaderEpochCache) -> T) -> T {
        ask(&self.epochs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the epochs; `change` says whether it did. Then the file follows.
    pub(crate) fn change_epochs(
        &self,
        change: impl FnOnce(&mut LeaderEpochCache) -> bool,
    ) -> Result<(), StorageError> {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        if change(&mut epochs) || self.epochs_unwritten.load(Ordering::Acquire) {
            let _writing = self.lock_epoch_file();
            self.epochs_unwritten.store(true, Ordering::Release);
            let written = self.epoch_file.write(&epochs);
            self.epoch_changes.note();
            written?;
            self.epochs_unwritten.store(false, Ordering::Release);
        }
        Ok(())
    }

    /// Begins an epoch that no batch bears yet: the file follows with the first one.
    pub(crate) fn begin_epoch(&self, epoch: LeaderEpoch, at: Offset) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        let is_newer = epochs.latest().is_none_or(|latest| latest.epoch < epoch);
        if is_newer && epochs.assign(epoch, at) {
            self.epochs_unwritten.store(true, Ordering::Release);
        }
    }

    /// The file is durable when this returns, whoever has made it so.
    pub(crate) fn sync_epochs(&self) -> Result<(), StorageError> {
        let held = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        // In this order everywhere; a sync holds up the next change of epochs, and no reader.
        let _writing = self.lock_epoch_file();
        if !self.epoch_changes.is_any() {
            return Ok(());
        }
        let so_far = self.epoch_changes.so_far();
        let epochs = held.clone();
        drop(held);
        self.epoch_file.write_durably(&epochs)?;
        self.epoch_changes.note_synced(so_far);
        Ok(())
    }

    fn lock_epoch_file(&self) -> MutexGuard<'_, ()> {
        self.epoch_file_writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn epoch_file(&self) -> &EpochFile<D> {
        &self.epoch_file
    }

    pub(crate) fn check_alive(&self) -> Result<(), StorageError> {
        let is_poisoned = self.is_poisoned.load(Ordering::Acquire);
        let is_dead = is_poisoned || self.is_retired() || self.home.is_offline();
        match is_dead {
            true => Err(StorageError::Poisoned { path: self.dir.path.clone() }),
            false => Ok(()),
        }
    }

    /// After an error nobody knows what the files hold: the log, and its directory, are out of use
    /// until they are opened anew. Only the log, if it is being deleted and a file of it is missed.
    pub(crate) fn poison(&self, error: StorageError) -> StorageError {
        if self.fail(&error) {
            self.home.metrics.errors.count(&error);
        }
        error
    }

    /// The same; whoever hears of the error counts it. Says whether the directory is out of use.
    pub(crate) fn fail(&self, error: &StorageError) -> bool {
        self.is_poisoned.store(true, Ordering::Release);
        let is_broken = !(self.is_retired() && error.is_not_found());
        if is_broken {
            self.home.fail(error);
        }
        is_broken
    }

    /// The log is being deleted: those that still hold it are refused.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.is_retired.load(Ordering::Acquire)
    }

    /// [`poison`](Self::poison)s on failure.
    pub(crate) fn guard<T>(&self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        result.map_err(|error| self.poison(error))
    }

    /// [`guard`](Self::guard), where a full disk leaves everything as it was.
    pub(crate) fn guard_unless_full<T>(
        &self,
        result: Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        match result {
            Err(error) if error.is_full() => {
                self.home.space.note_full();
                self.home.metrics.errors.count(&error);
                Err(error)
            }
            other => self.guard(other),
        }
    }

    pub(crate) fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.file(name)
    }

    pub(crate) fn sync_dir(&self) -> Result<(), StorageError> {
        let dir = &self.dir.path;
        self.disk.sync_dir(dir).map_err(StorageError::io("sync directory", dir))
    }
}

/// The segment that holds `offset` if any does: the last one that does not begin after it.
pub(crate) fn floor_segment<D: Disk>(segments: &[Arc<Segment<D>>], offset: Offset) -> usize {
    segments.partition_point(|segment| segment.base() <= offset).saturating_sub(1)
}

/// The segment that is written to.
///
/// # Panics
/// If there is none.
pub(crate) fn active<D: Disk>(segments: &[Arc<Segment<D>>]) -> &Arc<Segment<D>> {
    assert!(!segments.is_empty(), "a log has at least its active segment");
    &segments[segments.len() - 1]
}

/// The first segment that is not known to be durable with all its indexes. None before it is
/// unsure.
pub(crate) fn first_unsure<D: Disk>(segments: &[Arc<Segment<D>>]) -> usize {
    segments.partition_point(|segment| segment.is_durable.load(Ordering::Acquire))
}
