use crate::config::LogConfig;
use crate::error::StorageError;
use crate::file_names::{FileKind, OffsetFile};
use crate::frame::{Frame, FrameScan, ScanError};
use crate::index_rule::push_latest;
use crate::limits::LOOKUP_CHUNK_BYTES;
use crate::offset_index::OffsetIndex;
use crate::time_index::TimeIndex;
use crate::txn_index::TxnIndex;
use env::{Disk, DiskFile, OpenMode};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
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
/// offset in here is at `base` or after, by less than 2³¹. Files are opened when first needed.
#[doc(alias = "LogSegment")]
pub(crate) struct Segment<D: Disk> {
    disk: D,
    base: Offset,
    log_path: PathBuf,
    log: OnceLock<Arc<D::File>>,
    bytes: AtomicU64,
    pub(crate) offset_index: OffsetIndex<D>,
    pub(crate) time_index: TimeIndex<D>,
    pub(crate) txn_index: TxnIndex<D>,
    latest: Mutex<Option<LatestTimestamp>>,
    /// Its files' names may not survive power loss yet.
    pub(crate) is_new: AtomicBool,
    /// The file was sealed and all of it is on disk.
    pub(crate) is_durable: AtomicBool,
}

/// Of a segment whose file was not looked at yet.
const BYTES_UNKNOWN: u64 = u64::MAX;

impl<D: Disk> Segment<D> {
    /// A segment that is there.
    pub(crate) fn adopt(disk: D, dir: &Path, base: Offset) -> Segment<D> {
        let name = OffsetFile::live(base, FileKind::Log).name();
        Segment::adopt_log(disk, dir, base, &name)
    }

    /// A segment whose log file is called otherwise.
    pub(crate) fn adopt_log(disk: D, dir: &Path, base: Offset, name: &str) -> Segment<D> {
        let path = |kind| dir.join(OffsetFile::live(base, kind).name());
        Segment {
            base,
            log_path: dir.join(name),
            log: OnceLock::new(),
            bytes: AtomicU64::new(BYTES_UNKNOWN),
            offset_index: OffsetIndex::unread(disk.clone(), path(FileKind::OffsetIndex)),
            time_index: TimeIndex::unread(disk.clone(), path(FileKind::TimeIndex)),
            txn_index: TxnIndex::unread(disk.clone(), path(FileKind::TxnIndex)),
            latest: Mutex::new(None),
            is_new: AtomicBool::new(false),
            is_durable: AtomicBool::new(false),
            disk,
        }
    }

    /// An empty segment, in place of whatever bears its name.
    pub(crate) fn create(
        disk: D,
        dir: &Path,
        base: Offset,
        config: &LogConfig,
    ) -> Result<Segment<D>, StorageError> {
        let segment = Segment::adopt(disk, dir, base);
        let file = segment
            .disk
            .open(&segment.log_path, OpenMode::Truncate)
            .map_err(StorageError::io("create segment", &segment.log_path))?;
        _ = segment.log.set(Arc::new(file));
        segment.bytes.store(0, Ordering::Release);
        segment.is_new.store(true, Ordering::Release);
        *segment.latest_guard() = Some(LatestTimestamp::NONE);
        segment.offset_index.start(Vec::new(), config.segment_index_bytes)?;
        segment.time_index.start(Vec::new(), config.segment_index_bytes)?;
        Ok(segment)
    }

    pub(crate) fn base(&self) -> Offset {
        self.base
    }

    pub(crate) fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// All files that bear its base offset; not all need exist.
    pub(crate) fn paths(&self) -> [&Path; 4] {
        let (offsets, times) = (self.offset_index.path(), self.time_index.path());
        [&self.log_path, offsets, times, self.txn_index.path()]
    }

    pub(crate) fn file(&self) -> Result<Arc<D::File>, StorageError> {
        if let Some(file) = self.log.get() {
            return Ok(file.clone());
        }
        let file = self
            .disk
            .open(&self.log_path, OpenMode::ReadWrite)
            .map_err(StorageError::io("open segment", &self.log_path))?;
        Ok(self.log.get_or_init(|| Arc::new(file)).clone())
    }

    /// How much of the file holds whole batches.
    pub(crate) fn bytes(&self) -> Result<u64, StorageError> {
        match self.bytes.load(Ordering::Acquire) {
            BYTES_UNKNOWN => {
                let failed = StorageError::io("measure segment", &self.log_path);
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
        self.file()?.set_len(bytes).map_err(StorageError::io("truncate segment", &self.log_path))
    }

    /// Walks the batches from `position` to the end.
    pub(crate) fn scan<'a>(
        &'a self,
        file: &'a D::File,
        position: u64,
    ) -> Result<FrameScan<'a, D::File>, StorageError> {
        Ok(FrameScan::new(file, &self.log_path, position, self.bytes()?))
    }

    /// Where to start looking for `target`: at or before its batch, as far as the index is right.
    pub(crate) fn floor_position(&self, target: Offset) -> Result<u64, StorageError> {
        let relative = target.since(self.base).clamp(0, i64::from(u32::MAX)) as u32;
        let entry = self.offset_index.floor(relative)?;
        Ok(entry.map_or(0, |entry| u64::from(entry.position)))
    }

    /// The first batch that ends at `target` or after.
    pub(crate) fn find(&self, target: Offset) -> Result<Option<(u64, Frame)>, StorageError> {
        let file = self.file()?;
        let start = self.floor_position(target)?;
        if start > 0 && start < self.bytes()? {
            match self.find_from(&file, start, target) {
                Err(ScanError::Storage(error)) => return Err(error),
                Ok(Some((at, frame))) if at == start && frame.base_offset > target => {}
                Ok(found) => return Ok(found),
                Err(ScanError::Bad(_)) => {}
            }
        }
        // There is no index entry, or it leads astray: the segment itself decides.
        self.find_from(&file, 0, target).map_err(|error| self.damage(error))
    }

    fn find_from(
        &self,
        file: &D::File,
        start: u64,
        target: Offset,
    ) -> Result<Option<(u64, Frame)>, ScanError> {
        let scan = self.scan(file, start).map_err(ScanError::Storage)?;
        let mut scan = scan.with_chunk(LOOKUP_CHUNK_BYTES);
        while let Some((position, frame)) = scan.next_frame()? {
            if frame.last_offset >= target {
                return Ok(Some((position, frame)));
            }
        }
        Ok(None)
    }

    /// Whether the batch that the last index entry points to is there and is the one it means.
    pub(crate) fn index_bears_out(&self) -> Result<bool, StorageError> {
        let Some(entry) = self.offset_index.last()? else { return Ok(true) };
        let position = u64::from(entry.position);
        if position >= self.bytes()? {
            return Ok(false);
        }
        let file = self.file()?;
        let offset = self.base.plus(i64::from(entry.relative_offset));
        match self.scan(&file, position)?.with_chunk(LOOKUP_CHUNK_BYTES).next_frame() {
            Ok(found) => Ok(found.is_some_and(|(_, frame)| frame.last_offset == offset)),
            Err(ScanError::Bad(_)) => Ok(false),
            Err(ScanError::Storage(error)) => Err(error),
        }
    }

    /// The offset after the last batch, found from the last index entry on.
    pub(crate) fn next_offset(&self) -> Result<Offset, ScanError> {
        let file = self.file().map_err(ScanError::Storage)?;
        let last = match self.index_bears_out().map_err(ScanError::Storage)? {
            true => self.offset_index.last().map_err(ScanError::Storage)?,
            false => None,
        };
        let start = last.map_or(0, |entry| u64::from(entry.position));
        let mut scan = self.scan(&file, start).map_err(ScanError::Storage)?;
        let mut next = self.base;
        while let Some((_, frame)) = scan.next_frame()? {
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

    /// Whether no batch after the last offset index entry should have got one. Power loss may take
    /// the tail of an index whose batches it left.
    pub(crate) fn index_is_complete(&self, config: &LogConfig) -> Result<bool, StorageError> {
        if !self.index_bears_out()? {
            return Ok(false);
        }
        let last = self.offset_index.last()?.map_or(0, |entry| u64::from(entry.position));
        let file = self.file()?;
        let mut scan = self.scan(&file, last)?.with_chunk(LOOKUP_CHUNK_BYTES);
        while let Some((position, _)) = scan.next_frame().map_err(|error| self.damage(error))? {
            if position - last > config.index_interval_bytes {
                return Ok(false);
            }
        }
        Ok(true)
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

    /// Nothing is appended any more: cuts what was reserved and completes the indexes.
    pub(crate) fn seal(&self) -> Result<(), StorageError> {
        self.seal_indexes()?;
        let bytes = self.bytes()?;
        self.file()?.set_len(bytes).map_err(StorageError::io("trim segment", &self.log_path))
    }

    pub(crate) fn seal_indexes(&self) -> Result<(), StorageError> {
        push_latest(self, self.latest()?)?;
        self.offset_index.seal()?;
        self.time_index.seal()
    }

    /// All of a sealed segment survives power loss once this returns.
    pub(crate) fn sync_indexes(&self) -> Result<(), StorageError> {
        self.offset_index.sync()?;
        self.time_index.sync()?;
        self.txn_index.sync()
    }

    pub(crate) fn sync_log(&self) -> Result<(), StorageError> {
        self.file()?.sync().map_err(StorageError::io("sync segment", &self.log_path))
    }

    /// Bytes of ours that should be a batch are none.
    pub(crate) fn damage(&self, error: ScanError) -> StorageError {
        match error {
            ScanError::Bad(why) => StorageError::corrupt(&self.log_path, why),
            ScanError::Storage(error) => error,
        }
    }

    fn latest_guard(&self) -> MutexGuard<'_, Option<LatestTimestamp>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
