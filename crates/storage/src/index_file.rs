//! A file of fixed-size entries whose keys only grow: what the offset and the time index share.
//!
//! The index of the active segment is held in memory and written out behind; that of an older
//! segment stays on disk and is searched there. No index file is held open. Nothing here is ever
//! trusted: whoever uses an entry checks the batch it points to, and a segment without a usable
//! index is scanned from its start.
//!
//! **Invariant:** a slot of a file is written once. What replaces entries that were written out
//! goes to a fresh file, so whatever power loss leaves of an index are entries that were true, and
//! zeros.

use crate::error::StorageError;
use crate::file_names::{FileKind, FileStage};
use crate::limits::{INDEX_BUFFER_ENTRIES, INDEX_BYTES_MAX};
use crate::partition_dir::PartitionDir;
use env::{Disk, DiskFile, OpenMode};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use types::Offset;

/// One entry of an index.
pub(crate) trait IndexEntry: Copy {
    const KIND: FileKind;
    const BYTES: usize;
    /// What lookups search by; strictly grows from entry to entry.
    type Key: Ord + Copy;

    fn key(&self) -> Self::Key;
    /// Whether it may stand behind `earlier`: neither column goes back.
    fn follows(&self, earlier: &Self) -> bool;
    fn encode(&self, out: &mut Vec<u8>);
    /// `bytes` has exactly [`BYTES`](Self::BYTES).
    fn decode(bytes: &[u8]) -> Self;
}

pub(crate) struct IndexFile<D: Disk, E> {
    dir: Arc<PartitionDir<D>>,
    base: Offset,
    stage: FileStage,
    state: RwLock<State<E>>,
}

enum State<E> {
    /// Not looked at yet.
    Unread,
    /// Complete and on disk.
    OnDisk { count: usize },
    /// The active segment's.
    Growing(Growing<E>),
    /// Missing or malformed: as if it had no entries.
    Unusable,
}

/// All entries in memory, the first `written` of them also in the file.
struct Growing<E> {
    entries: Vec<E>,
    written: usize,
    entries_max: usize,
}

impl<E: IndexEntry> Growing<E> {
    fn from(entries: Vec<E>, written: usize, bytes_max: u64) -> Growing<E> {
        let entries_max = (bytes_max.min(INDEX_BYTES_MAX) as usize / E::BYTES).max(2);
        Growing { entries, written, entries_max }
    }
}

/// A complete index's file and its number of entries; `None` if it is unusable.
type Sealed<F> = Option<(F, usize)>;

impl<D: Disk, E: IndexEntry> IndexFile<D, E> {
    /// An index on disk that is looked at when first needed.
    pub(crate) fn unread(dir: Arc<PartitionDir<D>>, base: Offset, stage: FileStage) -> Self {
        IndexFile { dir, base, stage, state: RwLock::new(State::Unread) }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.offset_file(self.base, E::KIND, self.stage)
    }

    /// Replaces the file by an empty one that grows.
    pub(crate) fn start(&self, bytes_max: u64) -> Result<(), StorageError> {
        self.remove()?;
        let opened = self.dir.disk().open(&self.path(), OpenMode::Truncate);
        opened.map_err(|error| self.failed("create index", error))?;
        *self.write() = State::Growing(Growing::from(Vec::new(), 0, bytes_max));
        Ok(())
    }

    /// Makes the index of a segment that becomes active again grow from what is on disk.
    pub(crate) fn resume(&self, bytes_max: u64) -> Result<(), StorageError> {
        if self.is_growing() {
            return Ok(());
        }
        match self.sealed()? {
            Some(_) => {
                let entries = self.all()?;
                let written = entries.len();
                *self.write() = State::Growing(Growing::from(entries, written, bytes_max));
                Ok(())
            }
            None => self.start(bytes_max),
        }
    }

    /// Makes it grow from the leading entries that are in order and for which `is_kept` holds. The
    /// rest is what a killed process or power loss left: it goes.
    pub(crate) fn resume_sound(
        &self,
        bytes_max: u64,
        is_kept: impl Fn(&E) -> bool,
    ) -> Result<(), StorageError> {
        let slots = self.slots()?;
        let is_sound = |at: usize| {
            let follows = at == 0 || slots[at].follows(&slots[at - 1]);
            follows && is_kept(&slots[at])
        };
        let sound = (0..slots.len()).find(|at| !is_sound(*at)).unwrap_or(slots.len());
        let is_exact = sound == slots.len() && sound > 0;
        let written = if is_exact { sound } else { 0 };
        if !is_exact {
            self.remove()?;
        }
        let entries = slots[..sound].to_vec();
        *self.write() = State::Growing(Growing::from(entries, written, bytes_max));
        Ok(())
    }

    /// Everything in the file but padding at its end; nothing if it is missing or malformed.
    fn slots(&self) -> Result<Vec<E>, StorageError> {
        let bytes = match self.dir.disk().read_file(&self.path(), INDEX_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::InvalidData => return Ok(Vec::new()),
                _ => return Err(self.failed("read index", error)),
            },
        };
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let used = used.next_multiple_of(E::BYTES).min(bytes.len());
        Ok(bytes[..used].chunks_exact(E::BYTES).map(E::decode).collect())
    }

    /// # Panics
    /// If the index is not growing, or the keys do not grow.
    pub(crate) fn push(&self, entry: E) -> Result<(), StorageError> {
        let mut state = self.write();
        assert!(matches!(*state, State::Growing(_)), "only the active segment's index grows");
        let State::Growing(growing) = &mut *state else { return Ok(()) };
        let grows = growing.entries.last().is_none_or(|last| last.key() < entry.key());
        assert!(grows, "index entries grow");
        growing.entries.push(entry);
        match growing.entries.len() - growing.written >= INDEX_BUFFER_ENTRIES {
            true => self.write_out_of(growing),
            false => Ok(()),
        }
    }

    /// Entries that still fit. None for an index that does not grow.
    pub(crate) fn room(&self) -> usize {
        match &*self.read() {
            State::Growing(growing) => growing.entries_max.saturating_sub(growing.entries.len()),
            _ => 0,
        }
    }

    pub(crate) fn is_growing(&self) -> bool {
        matches!(&*self.read(), State::Growing(_))
    }

    /// Whether it is there and of a length that an index can have.
    pub(crate) fn is_usable(&self) -> Result<bool, StorageError> {
        Ok(self.is_growing() || self.sealed()?.is_some())
    }

    pub(crate) fn last(&self) -> Result<Option<E>, StorageError> {
        if let State::Growing(growing) = &*self.read() {
            return Ok(growing.entries.last().copied());
        }
        match self.sealed()? {
            None | Some((_, 0)) => Ok(None),
            Some((file, count)) => self.entry(&file, count - 1).map(Some),
        }
    }

    /// The last entry whose key is not above `key`.
    pub(crate) fn floor(&self, key: E::Key) -> Result<Option<E>, StorageError> {
        self.around(key).map(|(floor, _)| floor)
    }

    /// The last entry whose key is not above `key`, and the one after it.
    pub(crate) fn around(&self, key: E::Key) -> Result<(Option<E>, Option<E>), StorageError> {
        if let State::Growing(growing) = &*self.read() {
            let entries = &growing.entries;
            let above = entries.partition_point(|entry| entry.key() <= key);
            let floor = above.checked_sub(1).map(|index| entries[index]);
            return Ok((floor, entries.get(above).copied()));
        }
        let Some((file, count)) = self.sealed()? else { return Ok((None, None)) };
        let (mut low, mut high) = (0, count);
        let (mut floor, mut above) = (None, None);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(&file, middle)?;
            if entry.key() <= key {
                floor = Some(entry);
                low = middle + 1;
            } else {
                above = Some(entry);
                high = middle;
            }
        }
        Ok((floor, above))
    }

    /// Keeps the leading entries for which `keep` holds.
    pub(crate) fn truncate(&self, keep: impl Fn(&E) -> bool) -> Result<(), StorageError> {
        let mut entries = self.all()?;
        let before = entries.len();
        entries.truncate(entries.partition_point(keep));
        if entries.len() == before {
            return Ok(());
        }
        let mut state = self.write();
        if let State::Growing(growing) = &mut *state {
            growing.entries = entries;
            if growing.entries.len() < growing.written {
                self.remove()?;
                growing.written = 0;
                return self.write_out_of(growing);
            }
            return Ok(());
        }
        *state = State::Unread;
        drop(state);
        self.rewrite(&entries)
    }

    /// Writes a whole, sealed index to a fresh file.
    pub(crate) fn rewrite(&self, entries: &[E]) -> Result<(), StorageError> {
        self.remove()?;
        let mut growing = Growing::from(entries.to_vec(), 0, INDEX_BYTES_MAX);
        self.write_out_of(&mut growing)?;
        *self.write() = State::OnDisk { count: entries.len() };
        Ok(())
    }

    /// Cuts the file to its entries; nothing is added any more.
    pub(crate) fn seal(&self) -> Result<(), StorageError> {
        let mut state = self.write();
        let State::Growing(growing) = &mut *state else { return Ok(()) };
        self.write_out_of(growing)?;
        *state = State::OnDisk { count: growing.entries.len() };
        Ok(())
    }

    /// Writes what is in memory alone: what a killed process leaves to be indexed anew is less.
    pub(crate) fn write_out(&self) -> Result<(), StorageError> {
        match &mut *self.write() {
            State::Growing(growing) if growing.written < growing.entries.len() => {
                self.write_out_of(growing)
            }
            _ => Ok(()),
        }
    }

    /// Makes a sealed index survive power loss. One whose segment was removed meanwhile need not.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        if matches!(&*self.read(), State::Unread | State::Unusable) {
            return Ok(());
        }
        self.write_out()?;
        match self.dir.disk().open(&self.path(), OpenMode::ReadWrite).and_then(|f| f.sync()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            synced => synced.map_err(|error| self.failed("sync index", error)),
        }
    }

    pub(crate) fn all(&self) -> Result<Vec<E>, StorageError> {
        if let State::Growing(growing) = &*self.read() {
            return Ok(growing.entries.clone());
        }
        let Some((file, count)) = self.sealed()? else { return Ok(Vec::new()) };
        let mut bytes = vec![0; count * E::BYTES];
        let got = file.read_at(&mut bytes, 0).map_err(|error| self.failed("read index", error))?;
        Ok(bytes[..got].chunks_exact(E::BYTES).map(E::decode).collect())
    }

    /// Looked at on first use, opened on each: most segments are never asked.
    fn sealed(&self) -> Result<Sealed<D::File>, StorageError> {
        let known = match &*self.read() {
            State::OnDisk { count } => Some(*count),
            State::Unusable => return Ok(None),
            State::Unread | State::Growing(_) => None,
        };
        let file = match self.dir.disk().open(&self.path(), OpenMode::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("open index", error)),
        };
        if let Some(count) = known {
            return Ok(Some((file, count)));
        }
        let bytes = file.len().map_err(|error| self.failed("measure index", error))?;
        let count = match bytes % E::BYTES as u64 == 0 && bytes <= INDEX_BYTES_MAX {
            true => Some(self.count_entries(&file, bytes as usize / E::BYTES)?),
            false => None,
        };
        let mut state = self.write();
        if matches!(*state, State::Unread) {
            *state = count.map_or(State::Unusable, |count| State::OnDisk { count });
        }
        Ok(count.map(|count| (file, count)))
    }

    /// A file whose writer was killed, Kafka above all, may have zeros at its end.
    fn count_entries(&self, file: &D::File, slots: usize) -> Result<usize, StorageError> {
        let (mut low, mut high) = (0, slots);
        // Most files end with an entry.
        let mut middle = slots.saturating_sub(1);
        while low < high {
            let mut bytes = [0; ENTRY_BYTES_MAX];
            file.read_at(&mut bytes[..E::BYTES], (middle * E::BYTES) as u64)
                .map_err(|error| self.failed("read index", error))?;
            match bytes.iter().all(|byte| *byte == 0) {
                true => high = middle,
                false => low = middle + 1,
            }
            middle = low + (high - low) / 2;
        }
        Ok(low)
    }

    fn entry(&self, file: &D::File, index: usize) -> Result<E, StorageError> {
        let mut bytes = [0; ENTRY_BYTES_MAX];
        let bytes = &mut bytes[..E::BYTES];
        file.read_at(bytes, (index * E::BYTES) as u64)
            .map_err(|error| self.failed("read index", error))?;
        Ok(E::decode(bytes))
    }

    fn write_out_of(&self, growing: &mut Growing<E>) -> Result<(), StorageError> {
        let Growing { entries, written, .. } = growing;
        let mut bytes = Vec::with_capacity((entries.len() - *written) * E::BYTES);
        entries[*written..].iter().for_each(|entry| entry.encode(&mut bytes));
        let opened = self.dir.disk().open(&self.path(), OpenMode::Create);
        opened
            .and_then(|file| match bytes.is_empty() {
                true => Ok(()),
                false => file.write_at(&bytes, (*written * E::BYTES) as u64),
            })
            .map_err(|error| self.failed("append index", error))?;
        *written = entries.len();
        Ok(())
    }

    fn remove(&self) -> Result<(), StorageError> {
        match self.dir.disk().remove_file(&self.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove index", error))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, what: &'static str, error: io::Error) -> StorageError {
        StorageError::io(what, &self.path())(error)
    }

    fn read(&self) -> RwLockReadGuard<'_, State<E>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<E>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of a time index.
const ENTRY_BYTES_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_dir_state::LogDirState;
    use crate::offset_index::{OffsetEntry, OffsetIndex};
    use crate::open_files::OpenFiles;
    use env_sim::SimDisk;
    use std::path::Path;

    const PATH: &str = "/00000000000000000000.index";

    fn entry(key: u32) -> OffsetEntry {
        OffsetEntry { relative_offset: key, position: key * 100 }
    }

    fn unread(disk: &SimDisk) -> OffsetIndex<SimDisk> {
        let files = OpenFiles::at_most(4);
        let home = LogDirState::new(disk.clone(), "/".into(), Default::default(), files).unwrap();
        OffsetIndex::unread(
            PartitionDir::new(Arc::new(home), "/".into()),
            Offset(0),
            FileStage::Live,
        )
    }

    fn growing(disk: &SimDisk, bytes_max: u64) -> OffsetIndex<SimDisk> {
        let index = unread(disk);
        index.start(bytes_max).unwrap();
        index
    }

    fn bytes(disk: &SimDisk) -> usize {
        disk.read_file(Path::new(PATH), 1 << 20).unwrap().len()
    }

    #[test]
    fn a_growing_and_a_sealed_index_answer_alike() {
        let disk = SimDisk::new(0);
        let index = growing(&disk, 1 << 16);
        for key in [3, 7, 20] {
            index.push(entry(key)).unwrap();
        }
        let ask = |index: &OffsetIndex<SimDisk>| {
            let floor = |key| index.floor(key).unwrap().map(|entry| entry.relative_offset);
            let above = |key| index.around(key).unwrap().1.map(|entry| entry.relative_offset);
            let keys = [0, 2, 3, 6, 7, 19, 20, u32::MAX];
            (keys.map(floor), keys.map(above), index.last().unwrap())
        };
        let answers = ask(&index);
        assert_eq!(answers.0[..4], [None, None, Some(3), Some(3)]);
        assert_eq!(answers.1[4..], [Some(20), Some(20), None, None]);
        assert_eq!(answers.2, Some(entry(20)));
        index.seal().unwrap();
        assert_eq!(ask(&index), answers);
        assert_eq!(bytes(&disk), 24);
        assert_eq!(ask(&unread(&disk)), answers);
    }

    #[test]
    fn the_zero_tail_of_a_killed_writer_is_no_entry() {
        let disk = SimDisk::new(0);
        let index = growing(&disk, 4096);
        index.push(entry(5)).unwrap();
        index.sync().unwrap();
        disk.open(Path::new(PATH), OpenMode::ReadWrite).unwrap().set_len(4096).unwrap();
        let reopened = unread(&disk);
        assert_eq!(reopened.all().unwrap(), [entry(5)]);
        assert_eq!(reopened.last().unwrap(), Some(entry(5)));
    }

    #[test]
    fn a_torn_or_missing_index_has_no_entries() {
        let disk = SimDisk::new(0);
        assert_eq!(unread(&disk).floor(9).unwrap(), None);
        disk.open(Path::new(PATH), OpenMode::Create).unwrap().write_at(&[1; 13], 0).unwrap();
        assert_eq!(unread(&disk).last().unwrap(), None);
    }

    #[test]
    fn after_a_truncation_more_can_be_pushed() {
        let disk = SimDisk::new(0);
        let index = growing(&disk, 64);
        (1..=6).for_each(|key| index.push(entry(key)).unwrap());
        index.sync().unwrap();
        assert_eq!(index.room(), 2);
        index.truncate(|entry| entry.relative_offset < 3).unwrap();
        index.push(entry(9)).unwrap();
        index.sync().unwrap();
        assert_eq!(unread(&disk).all().unwrap(), [entry(1), entry(2), entry(9)]);
    }

    #[test]
    fn of_a_torn_index_the_entries_before_the_tear_are_kept_and_the_file_is_replaced() {
        let disk = SimDisk::new(0);
        let index = growing(&disk, 1 << 10);
        (1..=6).for_each(|key| index.push(entry(key)).unwrap());
        index.seal().unwrap();
        let torn = disk.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
        torn.write_at(&[0; 8], 24).unwrap();
        let reopened = unread(&disk);
        reopened.resume_sound(1 << 10, |_| true).unwrap();
        assert_eq!(reopened.all().unwrap(), [entry(1), entry(2), entry(3)]);
        assert!(!disk.exists(Path::new(PATH)), "what lies behind the tear goes");
        reopened.push(entry(4)).unwrap();
        reopened.write_out().unwrap();
        let kept = unread(&disk);
        kept.resume_sound(1 << 10, |entry| entry.relative_offset < 4).unwrap();
        assert_eq!(kept.all().unwrap().len(), 3);
        assert_eq!(torn.len().unwrap(), 48, "the torn file itself was not written to");
    }
}
