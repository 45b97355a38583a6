use crate::checkpoints::{OffsetCheckpoint, write_offsets};
use crate::commit::{CommitJournal, sync_everything};
use crate::damage::DamageSeen;
use crate::error::StorageError;
use crate::file_names::{CLEANER_OFFSETS, HIGH_WATERMARKS, LOG_STARTS, RECOVERY_POINTS};
use crate::file_system_sync::FileSystemSync;
use crate::log_state::LogState;
use crate::metrics::LogDirMetrics;
use crate::open_files::{DirtyFiles, OpenFiles};
use crate::space::SpaceGuard;
use env::Disk;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak};
use types::{Offset, TopicPartition};

/// What a log directory and the logs in it share: its checkpoints, and whether it is still in use.
pub(crate) struct LogDirState<D: Disk> {
    disk: D,
    path: PathBuf,
    pub(crate) metrics: Arc<LogDirMetrics>,
    /// The error that took the directory out of use; it stays out.
    failure: OnceLock<StorageError>,
    pub(crate) damage: DamageSeen,
    pub(crate) space: SpaceGuard,
    on_offline: OnceLock<OnOffline>,
    /// Logs that were opened and not yet closed cleanly. Taken after `checkpoints`, never before.
    open_logs: Mutex<BTreeMap<TopicPartition, Weak<LogState<D>>>>,
    checkpoints: Mutex<Checkpoints>,
    /// Logs that were closed and not synced yet. Held here, their files stay open.
    closing: Mutex<Vec<Arc<LogState<D>>>>,
    /// A full disk kept the files from following `checkpoints`.
    is_stale: AtomicBool,
    /// Held while a commit runs, and while files change that the journal may speak of.
    journal: Mutex<CommitJournal<D>>,
    /// For those who hold the journal.
    pub(crate) sync_with_journal: FileSystemSync<D>,
    /// For those who sync beside commits.
    pub(crate) sync_beside: FileSystemSync<D>,
    open_files: Arc<OpenFiles<D>>,
    pub(crate) dirty_files: DirtyFiles,
}

/// Called once, by whoever met the error, with locks of the log held: must not call back.
pub(crate) type OnOffline = Box<dyn Fn(&StorageError) + Send + Sync>;

/// The offset checkpoints of a directory, as they are or will be on disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checkpoints {
    pub(crate) recovery_points: OffsetCheckpoint,
    /// Only of logs that begin after their first segment does.
    pub(crate) log_starts: OffsetCheckpoint,
    pub(crate) high_watermarks: OffsetCheckpoint,
    /// The recovery points have moved since they were written.
    pub(crate) has_moved: bool,
    /// Where the last cleaning of a compacted log ended.
    pub(crate) cleaner_offsets: OffsetCheckpoint,
}

impl Checkpoints {
    fn note_recovery_point(&mut self, of: &TopicPartition, point: Offset) {
        let known = match self.recovery_points.get_mut(of) {
            Some(known) => std::mem::replace(known, point),
            None => {
                self.recovery_points.insert(of.clone(), point);
                Offset::NONE
            }
        };
        self.has_moved |= known != point;
    }
}

impl<D: Disk> LogDirState<D> {
    /// Before anything is written to the directory.
    pub(crate) fn new(
        disk: D,
        path: PathBuf,
        checkpoints: Checkpoints,
        open_files: Arc<OpenFiles<D>>,
    ) -> Result<LogDirState<D>, StorageError> {
        Ok(LogDirState {
            journal: Mutex::new(CommitJournal::new(disk.clone(), &path)),
            sync_with_journal: FileSystemSync::open(&disk, &path)?,
            sync_beside: FileSystemSync::open(&disk, &path)?,
            disk,
            path,
            metrics: Arc::default(),
            failure: OnceLock::new(),
            damage: DamageSeen::default(),
            space: SpaceGuard::default(),
            is_stale: AtomicBool::new(false),
            on_offline: OnceLock::new(),
            open_logs: Mutex::new(BTreeMap::new()),
            checkpoints: Mutex::new(checkpoints),
            closing: Mutex::default(),
            open_files,
            dirty_files: DirtyFiles::default(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn disk(&self) -> &D {
        &self.disk
    }

    pub(crate) fn open_files(&self) -> &OpenFiles<D> {
        &self.open_files
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.failure.get().is_some()
    }

    pub(crate) fn failure(&self) -> Option<&StorageError> {
        self.failure.get()
    }

    /// The first error is the one that is told; what follows are its consequences.
    pub(crate) fn take_offline(&self, error: &StorageError) {
        self.metrics.errors.count(error);
        self.fail(error);
    }

    pub(crate) fn fail(&self, error: &StorageError) {
        let is_first = self.failure.set(error.clone()).is_ok();
        if let (true, Some(tell)) = (is_first, self.on_offline.get()) {
            tell(error);
        }
    }

    pub(crate) fn on_offline(&self, tell: OnOffline) {
        if let (Ok(()), Some(error)) = (self.on_offline.set(tell), self.failure.get())
            && let Some(tell) = self.on_offline.get()
        {
            tell(error);
        }
    }

    /// Before any other lock of a log or of the directory.
    pub(crate) fn lock_journal(&self) -> MutexGuard<'_, CommitJournal<D>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing while anybody holds it.
    pub(crate) fn try_lock_journal(&self) -> Option<MutexGuard<'_, CommitJournal<D>>> {
        match self.journal.try_lock() {
            Ok(journal) => Some(journal),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Before files are cut or replaced that the journal may speak of: after this it says nothing
    /// of them, and while the guard is held it learns nothing.
    pub(crate) fn before_replacing_files(
        &self,
    ) -> Result<MutexGuard<'_, CommitJournal<D>>, StorageError> {
        let mut journal = self.lock_journal();
        if !journal.is_blank() {
            let logs = journal.logs();
            sync_everything(self, &mut journal, logs)?;
            // Before anybody commits: the journal's file does not report an error of a sync again.
            journal.empty().inspect_err(|error| {
                if !error.is_full() {
                    self.fail(error);
                }
            })?;
        }
        Ok(journal)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Checkpoints> {
        self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a log is cut: no checkpoint may say that offsets are safe which are about to be
    /// written anew.
    pub(crate) fn lower_recovery_point(
        &self,
        of: &TopicPartition,
        to: Offset,
    ) -> Result<(), StorageError> {
        let mut checkpoints = self.lock();
        match checkpoints.recovery_points.get_mut(of) {
            Some(known) if *known > to => *known = to,
            _ => return Ok(()),
        }
        self.write_recovery_points(&checkpoints)
    }

    /// Before offsets go missing below `to`: above the recovery point, recovery takes that for a
    /// loss.
    /// Nothing if it is known to be there.
    pub(crate) fn keep_recovery_point(
        &self,
        log: &LogState<D>,
        to: Offset,
    ) -> Result<(), StorageError> {
        let mut checkpoints = self.lock();
        let known = checkpoints.recovery_points.get(&log.partition).copied();
        if known.is_some_and(|known| known >= to) && !checkpoints.has_moved {
            return Ok(());
        }
        checkpoints.note_recovery_point(&log.partition, log.checkpointed_recovery_point());
        self.write_recovery_points(&checkpoints)?;
        checkpoints.has_moved = false;
        Ok(())
    }

    /// Before deleted records are reported gone: they must not come back. `None` if the log begins
    /// with its first segment.
    pub(crate) fn keep_log_start(
        &self,
        of: &TopicPartition,
        log_start: Option<Offset>,
    ) -> Result<(), StorageError> {
        let mut checkpoints = self.lock();
        let known = checkpoints.log_starts.get(of).copied();
        match log_start {
            same if same == known => return Ok(()),
            Some(log_start) => _ = checkpoints.log_starts.insert(of.clone(), log_start),
            None => _ = checkpoints.log_starts.remove(of),
        }
        self.write_log_starts(&checkpoints).inspect_err(|_| {
            // What is not on disk must not be taken for it the next time.
            match known {
                Some(known) => _ = checkpoints.log_starts.insert(of.clone(), known),
                None => _ = checkpoints.log_starts.remove(of),
            }
        })
    }

    pub(crate) fn cleaner_offset(&self, of: &TopicPartition) -> Option<Offset> {
        self.lock().cleaner_offsets.get(of).copied()
    }

    /// A cleaning has ended here. Written down after what it did is durable.
    pub(crate) fn keep_cleaner_offset(
        &self,
        of: &TopicPartition,
        to: Offset,
    ) -> Result<(), StorageError> {
        let mut checkpoints = self.lock();
        match checkpoints.cleaner_offsets.insert(of.clone(), to) {
            Some(known) if known == to => Ok(()),
            _ => self.write_cleaner_offsets(&checkpoints),
        }
    }

    /// Before a log is cut: what takes the place of what is cut off was never cleaned.
    pub(crate) fn lower_cleaner_offset(
        &self,
        of: &TopicPartition,
        to: Offset,
    ) -> Result<(), StorageError> {
        let mut checkpoints = self.lock();
        match checkpoints.cleaner_offsets.get_mut(of) {
            Some(known) if *known > to => *known = to,
            _ => return Ok(()),
        }
        self.write_cleaner_offsets(&checkpoints)
    }

    pub(crate) fn opened(&self, log: &Arc<LogState<D>>) {
        self.lock_open().insert(log.partition.clone(), Arc::downgrade(log));
    }

    /// Nobody writes to the log any more; what was written is not synced yet.
    pub(crate) fn closing(&self, log: Arc<LogState<D>>) {
        self.lock_open().remove(&log.partition);
        self.lock_closing().push(log);
    }

    pub(crate) fn take_closing(&self) -> Vec<Arc<LogState<D>>> {
        std::mem::take(&mut *self.lock_closing())
    }

    fn lock_closing(&self) -> MutexGuard<'_, Vec<Arc<LogState<D>>>> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of the log is on disk, and nobody writes to it any more.
    pub(crate) fn closed(&self, log: &LogState<D>) {
        let recovery_point = log.checkpointed_recovery_point();
        self.lock().note_recovery_point(&log.partition, recovery_point);
        self.lock_open().remove(&log.partition);
    }

    pub(crate) fn open_logs(&self) -> Vec<TopicPartition> {
        self.lock_open().keys().cloned().collect()
    }

    /// Open logs with batches that power loss may take.
    pub(crate) fn unsettled_logs(&self) -> Vec<Arc<LogState<D>>> {
        let open = self.lock_open();
        let open = open.values().filter_map(Weak::upgrade);
        open.filter(|log| log.recovery_point() < log.log_end()).collect()
    }

    /// Open logs that keep files open which were not synced.
    pub(crate) fn logs_with_dirty_files(&self) -> Vec<Arc<LogState<D>>> {
        let open = self.lock_open().values().filter_map(Weak::upgrade).collect::<Vec<_>>();
        let is_dirty = |log: &Arc<LogState<D>>| log.segments().iter().any(|s| s.is_dirty());
        open.into_iter().filter(is_dirty).collect()
    }

    /// Of a log that is gone, nothing may be left for one of its name. On a full disk the files
    /// follow later: [`refresh`](Self::refresh).
    pub(crate) fn forget(&self, of: &TopicPartition) -> Result<(), StorageError> {
        self.lock_open().remove(of);
        let mut checkpoints = self.lock();
        let known = [
            checkpoints.recovery_points.remove(of).is_some(),
            checkpoints.log_starts.remove(of).is_some(),
            checkpoints.high_watermarks.remove(of).is_some(),
            checkpoints.cleaner_offsets.remove(of).is_some(),
        ];
        match known.contains(&true).then(|| self.write_all(&checkpoints)) {
            Some(Err(error)) if error.is_full() => {
                self.metrics.errors.count(&error);
                self.is_stale.store(true, Ordering::Release);
                Ok(())
            }
            written => written.unwrap_or(Ok(())),
        }
    }

    /// Before a log is made: a log of its name may have been forgotten while the disk was full.
    pub(crate) fn refresh(&self) -> Result<(), StorageError> {
        if self.is_stale.load(Ordering::Acquire) {
            self.write_all(&self.lock())?;
            self.is_stale.store(false, Ordering::Release);
        }
        Ok(())
    }

    fn write_all(&self, checkpoints: &Checkpoints) -> Result<(), StorageError> {
        self.write_recovery_points(checkpoints)?;
        self.write_log_starts(checkpoints)?;
        self.write_high_watermarks(checkpoints)?;
        match checkpoints.cleaner_offsets.is_empty()
            && !self.disk.exists(&self.path.join(CLEANER_OFFSETS))
        {
            true => Ok(()), // nothing here is compacted
            false => self.write_cleaner_offsets(checkpoints),
        }
    }

    pub(crate) fn checkpoint_recovery_points(&self) -> Result<(), StorageError> {
        let mut checkpoints = self.lock();
        let open: Vec<_> = self.lock_open().values().filter_map(Weak::upgrade).collect();
        let points: Vec<_> = open.iter().map(|log| log.checkpointed_recovery_point()).collect();
        for (log, point) in open.iter().zip(&points) {
            checkpoints.note_recovery_point(&log.partition, *point);
        }
        if checkpoints.has_moved {
            self.write_recovery_points(&checkpoints)?;
            checkpoints.has_moved = false;
        }
        open.iter().zip(points).for_each(|(log, point)| log.note_written_recovery_point(point));
        Ok(())
    }

    fn lock_open(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, Weak<LogState<D>>>> {
        self.open_logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log begins with its first segment: an entry says nothing more. It goes with the next
    /// write.
    pub(crate) fn forget_log_start(&self, of: &TopicPartition) {
        self.lock().log_starts.remove(of);
    }

    pub(crate) fn write_recovery_points(&self, from: &Checkpoints) -> Result<(), StorageError> {
        write_offsets(&self.disk, &self.path.join(RECOVERY_POINTS), &from.recovery_points)
    }

    pub(crate) fn write_log_starts(&self, from: &Checkpoints) -> Result<(), StorageError> {
        write_offsets(&self.disk, &self.path.join(LOG_STARTS), &from.log_starts)
    }

    pub(crate) fn write_high_watermarks(&self, from: &Checkpoints) -> Result<(), StorageError> {
        write_offsets(&self.disk, &self.path.join(HIGH_WATERMARKS), &from.high_watermarks)
    }

    fn write_cleaner_offsets(&self, from: &Checkpoints) -> Result<(), StorageError> {
        write_offsets(&self.disk, &self.path.join(CLEANER_OFFSETS), &from.cleaner_offsets)
    }
}
