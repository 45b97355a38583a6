use crate::error::StorageError;
use crate::file_names::{FileKind, FileStage};
use crate::frame::{Frame, FrameScan, ScanError};
use crate::index_rule::push_latest;
use crate::limits::LOOKUP_CHUNK_BYTES;
use crate::offset_index::{OffsetEntry, OffsetIndex};
use crate::open_files::LogFile;
use crate::partition_dir::PartitionDir;
use crate::time_index::TimeIndex;
use crate::txn_index::{AbortedTransaction, TxnIndex};
use crate::unsynced::{SoFar, Unsynced};
use env::{Disk, DiskFile, OpenMode};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use types::{Offset, WallTime};

/// A timestamp and the last offset of the first batch that reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "TimestampOffset")]
pub struct LatestTimestamp {
    /// [`WallTime::NONE`] if no batch has one.
    pub timestamp: WallTime,
    pub offset: Offset,
}

impl LatestTimestamp {
    pub(crate) const NONE: LatestTimestamp =
        LatestTimestamp { timestamp: WallTime::NONE, offset: Offset::NONE };
}

/// A stretch of a log in one file, with the indexes into it.
///
/// **Invariant:** whole batches up to [`bytes`](Self::bytes), which only the writer moves; every
/// offset in here is at `base` or after, by less than 2³¹. Files are opened when needed.
#[doc(alias = "LogSegment")]
pub(crate) struct Segment<D: Disk> {
    base: Offset,
    log: Arc<LogFile<D>>,
    bytes: AtomicU64,
    pub(crate) offset_index: OffsetIndex<D>,
    pub(crate) time_index: TimeIndex<D>,
    pub(crate) txn_index: TxnIndex<D>,
    latest: Mutex<Option<LatestTimestamp>>,
    /// Its files' names.
    pub(crate) names: Unsynced,
    /// The file was sealed and all of it is on disk.
    pub(crate) is_durable: AtomicBool,
}

/// How often the files of a segment were changed that must not be closed before a sync.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changes {
    log: u32,
    aborts: u32,
    names: SoFar,
}

/// Of a segment whose file was not looked at yet.
const BYTES_UNKNOWN: u64 = u64::MAX;

impl<D: Disk> Segment<D> {
    /// A segment that is there, with the names its files have at this stage of their life.
    pub(crate) fn adopt(dir: &Arc<PartitionDir<D>>, base: Offset, stage: FileStage) -> Segment<D> {
        let path = dir.offset_file(base, FileKind::Log, stage);
        Segment {
            base,
            log: LogFile::unopened(dir.home.clone(), path, OpenMode::ReadWrite),
            bytes: AtomicU64::new(BYTES_UNKNOWN),
            offset_index: OffsetIndex::unread(dir.clone(), base, stage),
            time_index: TimeIndex::unread(dir.clone(), base, stage),
            txn_index: TxnIndex::unread(dir.clone(), base, stage),
            latest: Mutex::new(None),
            names: Unsynced::default(),
            is_durable: AtomicBool::new(false),
        }
    }

    /// An empty segment, in place of whatever bears its name. Its indexes are made with its first
    /// batch.
    pub(crate) fn create(
        dir: &Arc<PartitionDir<D>>,
        base: Offset,
    ) -> Result<Segment<D>, StorageError> {
        Segment::adopt(dir, base, FileStage::Live).begun()
    }

    /// The same, its log file made anew.
    pub(crate) fn begun(self) -> Result<Segment<D>, StorageError> {
        self.log.create()?;
        self.bytes.store(0, Ordering::Release);
        self.names.note();
        *self.latest_guard() = Some(LatestTimestamp::NONE);
        Ok(self)
    }

    pub(crate) fn base(&self) -> Offset {
        self.base
    }

    pub(crate) fn log_path(&self) -> &Path {
        self.log.path()
    }

    /// All files that bear its base offset; not all need exist.
    pub(crate) fn paths(&self) -> [PathBuf; 4] {
        let (offsets, times) = (self.offset_index.path(), self.time_index.path());
        [self.log_path().to_owned(), offsets, times, self.txn_index.path()]
    }

    /// To read from. Whoever holds it may go on after the segment was closed for want of room.
    pub(crate) fn file(&self) -> Result<Arc<D::File>, StorageError> {
        self.log.get()
    }

    /// To write to: the file stays open until what was written is synced.
    pub(crate) fn write(
        &self,
        what: &'static str,
        act: impl FnOnce(&D::File) -> io::Result<()>,
    ) -> Result<(), StorageError> {
        self.log.change(what, act)
    }

    /// What the last process left of it may be in the page cache only.
    pub(crate) fn inherit(&self) -> Result<(), StorageError> {
        self.log.inherit();
        self.txn_index.inherit()
    }

    /// How much of the file holds whole batches.
    pub(crate) fn bytes(&self) -> Result<u64, StorageError> {
        match self.bytes.load(Ordering::Acquire) {
            BYTES_UNKNOWN => {
                let failed = StorageError::io("measure segment", self.log_path());
                let bytes = self.file()?.len().map_err(failed)?;
                self.bytes.store(bytes, Ordering::Release);
                Ok(bytes)
            }
            known => Ok(known),
        }
    }

    /// The writer's: shows readers what was written.
    pub(crate) fn publish_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Release);
    }

    /// The writer's: shows readers a later timestamp.
    pub(crate) fn publish_latest(&self, latest: LatestTimestamp) {
        *self.latest_guard() = Some(latest);
    }

    /// The writer's: removes everything after `bytes`, which hold all offsets below `end`.
    pub(crate) fn cut(&self, bytes: u64, end: Offset) -> Result<(), StorageError> {
        let relative_end = end.since(self.base);
        self.offset_index.truncate(|entry| u64::from(entry.position) < bytes)?;
        self.time_index.truncate(|entry| i64::from(entry.relative_offset) < relative_end)?;
        self.txn_index.truncate_to(end)?;
        self.is_durable.store(false, Ordering::Release);
        self.cut_tail(bytes)?;
        // The index may have had no entry for the latest of what is left.
        self.publish_latest(self.latest_by_scan(self.last_timed_position()?)?);
        Ok(())
    }

    /// Cuts the file; its indexes end before already.
    pub(crate) fn cut_tail(&self, bytes: u64) -> Result<(), StorageError> {
        self.bytes.store(bytes, Ordering::Release);
        self.write("truncate segment", |file| file.set_len(bytes))
    }

    /// Walks the batches from `position` to the end.
    pub(crate) fn scan<'a>(
        &'a self,
        file: &'a D::File,
        position: u64,
    ) -> Result<FrameScan<'a, D::File>, StorageError> {
        Ok(FrameScan::new(file, self.log_path(), position, self.bytes()?))
    }

    /// The last index entry that is not above `target`; unchecked.
    pub(crate) fn floor_entry(&self, target: Offset) -> Result<Option<OffsetEntry>, StorageError> {
        self.entries_around(target).map(|(floor, _)| floor)
    }

    /// The entry of the last indexed batch that does not end after `target`, and the one after it.
    pub(crate) fn entries_around(
        &self,
        target: Offset,
    ) -> Result<(Option<OffsetEntry>, Option<OffsetEntry>), StorageError> {
        let relative = target.since(self.base).clamp(0, i64::from(u32::MAX)) as u32;
        self.offset_index.around(relative)
    }

    /// Where the batch ends that `entry` means.
    pub(crate) fn end_of(&self, entry: &OffsetEntry) -> Offset {
        self.base.plus(i64::from(entry.relative_offset))
    }

    /// Whether `frame`, found where `entry` points to, is the batch that it means.
    pub(crate) fn bears_out(&self, entry: &OffsetEntry, frame: &Frame) -> bool {
        frame.last_offset == self.end_of(entry)
    }

    /// The first batch that ends at `target` or after.
    pub(crate) fn find(&self, target: Offset) -> Result<Option<(u64, Frame)>, StorageError> {
        let file = self.file()?;
        if let Some(entry) = self.floor_entry(target)?
            && u64::from(entry.position) < self.bytes()?
        {
            match self.find_from(&file, u64::from(entry.position), target, Some(&entry)) {
                Err(ScanError::Storage(error)) => return Err(error),
                Ok(found) => return Ok(found),
                Err(ScanError::Bad(_)) => {}
            }
        }
        // There is no index entry, or it leads astray: the segment itself decides.
        self.find_from(&file, 0, target, None).map_err(|error| self.damage(error))
    }

    fn find_from(
        &self,
        file: &D::File,
        start: u64,
        target: Offset,
        by_entry: Option<&OffsetEntry>,
    ) -> Result<Option<(u64, Frame)>, ScanError> {
        let scan = self.scan(file, start).map_err(ScanError::Storage)?;
        let mut scan = scan.with_chunk(LOOKUP_CHUNK_BYTES);
        while let Some((position, frame)) = scan.next_frame()? {
            let lies = |entry| position == start && !self.bears_out(entry, &frame);
            if by_entry.is_some_and(lies) {
                return Err(ScanError::Bad("the index means another batch".into()));
            }
            if frame.last_offset >= target {
                return Ok(Some((position, frame)));
            }
        }
        Ok(None)
    }

    /// The offset after the last batch, found from the last index entry on; `None` if that entry
    /// means another batch than the one it points to.
    pub(crate) fn next_offset_by_index(&self) -> Result<Option<Offset>, ScanError> {
        let last = self.offset_index.last().map_err(ScanError::Storage)?;
        let start = last.map_or(0, |entry| u64::from(entry.position));
        match self.end_from(start, last.as_ref()) {
            Err(ScanError::Bad(_)) if last.is_some() => Ok(None),
            found => found.map(Some),
        }
    }

    /// The same, whatever the index says.
    pub(crate) fn next_offset(&self) -> Result<Offset, ScanError> {
        match self.next_offset_by_index()? {
            Some(next) => Ok(next),
            None => self.end_from(0, None),
        }
    }

    fn end_from(&self, start: u64, by_entry: Option<&OffsetEntry>) -> Result<Offset, ScanError> {
        let bytes = self.bytes().map_err(ScanError::Storage)?;
        let mut next = self.base;
        if start >= bytes {
            return match by_entry {
                Some(_) => Err(ScanError::Bad("the index points past the end".into())),
                None => Ok(next),
            };
        }
        let file = self.file().map_err(ScanError::Storage)?;
        let scan = self.scan(&file, start).map_err(ScanError::Storage)?;
        let mut scan = scan.with_chunk(LOOKUP_CHUNK_BYTES);
        while let Some((position, frame)) = scan.next_frame()? {
            let lies = |entry| position == start && !self.bears_out(entry, &frame);
            if by_entry.is_some_and(lies) {
                return Err(ScanError::Bad("the index means another batch".into()));
            }
            if frame.base_offset < next {
                return Err(ScanError::Bad(format!("offset {} goes back", frame.base_offset)));
            }
            next = frame.next_offset();
        }
        Ok(next)
    }

    /// The latest timestamp in here. The last index entry only says where to start looking, and
    /// only if its batch bears it out: padding, a foreign entry or a lost one must never decide
    /// what retention deletes. Of a complete index it is the answer, so there is little to look
    /// through.
    pub(crate) fn latest(&self) -> Result<LatestTimestamp, StorageError> {
        if let Some(latest) = *self.latest_guard() {
            return Ok(latest);
        }
        let latest = self.latest_by_scan(self.last_timed_position()?)?;
        Ok(*self.latest_guard().get_or_insert(latest))
    }

    /// Where the batch is that the last time index entry means; the segment's start if it lies.
    fn last_timed_position(&self) -> Result<u64, StorageError> {
        let Some(entry) = self.time_index.last()? else { return Ok(0) };
        let found = self.find(self.base.plus(i64::from(entry.relative_offset)))?;
        let borne_out = found.filter(|(_, frame)| frame.max_timestamp == entry.timestamp);
        Ok(borne_out.map_or(0, |(position, _)| position))
    }

    fn latest_by_scan(&self, from: u64) -> Result<LatestTimestamp, StorageError> {
        let file = self.file()?;
        let mut scan = self.scan(&file, from)?;
        let mut latest = LatestTimestamp::NONE;
        while let Some((_, frame)) = scan.next_frame().map_err(|error| self.damage(error))? {
            if frame.max_timestamp > latest.timestamp {
                latest =
                    LatestTimestamp { timestamp: frame.max_timestamp, offset: frame.last_offset };
            }
        }
        Ok(latest)
    }

    /// Of its first batch: as old as anything in here, where times grow.
    pub(crate) fn first_timestamp(&self) -> Result<WallTime, StorageError> {
        let file = self.file()?;
        let mut scan = self.scan(&file, 0)?.with_chunk(crate::frame::HEAD_BYTES);
        let first = scan.next_frame().map_err(|error| self.damage(error))?;
        Ok(first.map_or(WallTime::NONE, |(_, frame)| frame.max_timestamp))
    }

    /// The writer's: a transaction was aborted that wrote here.
    pub(crate) fn note_aborted(&self, aborted: AbortedTransaction) -> Result<(), StorageError> {
        self.txn_index.append(aborted)?;
        // The index's file is made by its first entry, when the others' names may be durable.
        self.names.note();
        Ok(())
    }

    /// Nothing is appended any more: cuts what was reserved and completes the indexes.
    pub(crate) fn seal(&self) -> Result<(), StorageError> {
        self.seal_indexes()?;
        let bytes = self.bytes()?;
        self.write("trim segment", |file| file.set_len(bytes))
    }

    pub(crate) fn seal_indexes(&self) -> Result<(), StorageError> {
        push_latest(self, self.latest()?)?;
        self.offset_index.seal()?;
        self.time_index.seal()
    }

    /// The indexes of a sealed segment survive power loss once this returns.
    pub(crate) fn sync_indexes(&self) -> Result<(), StorageError> {
        self.offset_index.sync()?;
        self.time_index.sync()
    }

    /// Writes out what the indexes hold in memory alone.
    pub(crate) fn write_out_indexes(&self) -> Result<(), StorageError> {
        self.offset_index.write_out()?;
        self.time_index.write_out()
    }

    /// Whether its files hold something that was not synced.
    pub(crate) fn is_dirty(&self) -> bool {
        self.log.is_dirty() || self.txn_index.is_dirty()
    }

    /// How far its files and their names were changed: for [`note_synced`](Self::note_synced).
    pub(crate) fn changes(&self) -> Changes {
        let (log, aborts) = (self.log.changes(), self.txn_index.changes());
        Changes { log, aborts, names: self.names.so_far() }
    }

    /// Everything up to `changes` reached the disk by a sync of the whole file system.
    pub(crate) fn note_synced(&self, changes: Changes) {
        self.log.note_synced(changes.log);
        self.txn_index.note_synced(changes.aborts);
        self.names.note_synced(changes.names);
    }

    pub(crate) fn sync_log(&self) -> Result<(), StorageError> {
        self.log.sync()
    }

    /// Bytes of ours that should be a batch are none.
    pub(crate) fn damage(&self, error: ScanError) -> StorageError {
        match error {
            ScanError::Bad(why) => StorageError::corrupt(self.log_path(), why),
            ScanError::Storage(error) => error,
        }
    }

    fn latest_guard(&self) -> MutexGuard<'_, Option<LatestTimestamp>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
