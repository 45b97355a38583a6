//! A file of fixed-size entries whose keys only grow: what the offset and the time index share.
//!
//! The index of the active segment is held in memory and written out behind; that of an older
//! segment stays on disk and is searched there. Nothing here is ever trusted: whoever uses an entry
//! checks the batch it points to, and a segment without a usable index is scanned from its start.

use crate::error::StorageError;
use crate::limits::{INDEX_BUFFER_ENTRIES, INDEX_BYTES_MAX};
use env::{Disk, DiskFile, OpenMode};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// One entry of an index.
pub(crate) trait IndexEntry: Copy {
    const BYTES: usize;
    /// What lookups search by; strictly grows from entry to entry.
    type Key: Ord + Copy;

    fn key(&self) -> Self::Key;
    fn encode(&self, out: &mut Vec<u8>);
    /// `bytes` has exactly [`BYTES`](Self::BYTES).
    fn decode(bytes: &[u8]) -> Self;
}

pub(crate) struct IndexFile<D: Disk, E> {
    disk: D,
    path: PathBuf,
    state: RwLock<State<D::File, E>>,
}

enum State<F, E> {
    /// Not looked at yet.
    Unread,
    /// Complete and on disk.
    Sealed { file: Arc<F>, count: usize, kind: PhantomData<E> },
    /// The active segment's: all entries in memory, the first `written` of them also in the file.
    Growing { file: Arc<F>, entries: Vec<E>, written: usize, entries_max: usize },
    /// Missing or malformed: as if it had no entries.
    Unusable,
}

/// A complete index's file and its number of entries; `None` if it is unusable.
type Sealed<F> = Option<(Arc<F>, usize)>;

impl<D: Disk, E: IndexEntry> IndexFile<D, E> {
    /// An index on disk that is looked at when first needed.
    pub(crate) fn unread(disk: D, path: PathBuf) -> IndexFile<D, E> {
        IndexFile { disk, path, state: RwLock::new(State::Unread) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file by one that grows from `entries`, given its full size in advance.
    pub(crate) fn start(&self, entries: Vec<E>, bytes_max: u64) -> Result<(), StorageError> {
        let entries_max = (bytes_max.min(INDEX_BYTES_MAX) as usize / E::BYTES).max(2);
        let failed = StorageError::io("create index", &self.path);
        let file = (|| {
            let file = self.disk.open(&self.path, OpenMode::Truncate)?;
            file.set_len((entries_max * E::BYTES) as u64)?;
            Ok(file)
        })()
        .map_err(failed)?;
        *self.write() = State::Growing { file: Arc::new(file), entries, written: 0, entries_max };
        Ok(())
    }

    /// Makes the index of a segment that becomes active again grow from what is on disk.
    pub(crate) fn resume(&self, bytes_max: u64) -> Result<(), StorageError> {
        let entries = self.all()?;
        self.start(entries, bytes_max)
    }

    /// # Panics
    /// If the index is not growing, or the keys do not grow.
    pub(crate) fn push(&self, entry: E) -> Result<(), StorageError> {
        let mut state = self.write();
        assert!(matches!(*state, State::Growing { .. }), "only the active segment's index grows");
        let State::Growing { file, entries, written, .. } = &mut *state else { return Ok(()) };
        let grows = entries.last().is_none_or(|last| last.key() < entry.key());
        assert!(grows, "index entries grow");
        entries.push(entry);
        // The first is written at once: Kafka's dump tool takes a leading zero for an entry, and
        // complains of it.
        if *written == 0 || entries.len() - *written >= INDEX_BUFFER_ENTRIES {
            write_out(&**file, entries, written)
                .map_err(StorageError::io("append index", &self.path))?;
        }
        Ok(())
    }

    /// Entries that still fit. None for an index that does not grow.
    pub(crate) fn room(&self) -> usize {
        match &*self.read() {
            State::Growing { entries, entries_max, .. } => {
                entries_max.saturating_sub(entries.len())
            }
            _ => 0,
        }
    }

    pub(crate) fn is_growing(&self) -> bool {
        matches!(&*self.read(), State::Growing { .. })
    }

    pub(crate) fn last(&self) -> Result<Option<E>, StorageError> {
        if let State::Growing { entries, .. } = &*self.read() {
            return Ok(entries.last().copied());
        }
        match self.sealed()? {
            None | Some((_, 0)) => Ok(None),
            Some((file, count)) => self.entry(&*file, count - 1).map(Some),
        }
    }

    /// The last entry whose key is not above `key`.
    pub(crate) fn floor(&self, key: E::Key) -> Result<Option<E>, StorageError> {
        if let State::Growing { entries, .. } = &*self.read() {
            let above = entries.partition_point(|entry| entry.key() <= key);
            return Ok(above.checked_sub(1).map(|index| entries[index]));
        }
        let Some((file, count)) = self.sealed()? else { return Ok(None) };
        let (mut low, mut high) = (0, count);
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(&*file, middle)?;
            if entry.key() <= key {
                found = Some(entry);
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(found)
    }

    /// Keeps the leading entries for which `keep` holds.
    pub(crate) fn truncate(&self, keep: impl Fn(&E) -> bool) -> Result<(), StorageError> {
        let mut entries = self.all()?;
        entries.truncate(entries.partition_point(keep));
        let mut state = self.write();
        match &mut *state {
            State::Growing { entries: held, file, written, entries_max } => {
                *held = entries;
                // What lies behind must read as padding again.
                *written = 0;
                let whole = (*entries_max * E::BYTES) as u64;
                file.set_len(0)
                    .and_then(|()| file.set_len(whole))
                    .map_err(StorageError::io("truncate index", &self.path))
            }
            other => {
                *other = State::Unread;
                drop(state);
                self.rewrite(&entries)
            }
        }
    }

    /// Writes a whole, sealed index.
    pub(crate) fn rewrite(&self, entries: &[E]) -> Result<(), StorageError> {
        let mut bytes = Vec::with_capacity(entries.len() * E::BYTES);
        entries.iter().for_each(|entry| entry.encode(&mut bytes));
        let failed = StorageError::io("write index", &self.path);
        let file = (|| {
            let file = self.disk.open(&self.path, OpenMode::Truncate)?;
            file.write_at(&bytes, 0)?;
            Ok(file)
        })()
        .map_err(failed)?;
        let count = entries.len();
        *self.write() = State::Sealed { file: Arc::new(file), count, kind: PhantomData };
        Ok(())
    }

    /// Cuts the file to its entries; nothing is added any more.
    pub(crate) fn seal(&self) -> Result<(), StorageError> {
        let mut state = self.write();
        let State::Growing { file, entries, written, .. } = &mut *state else { return Ok(()) };
        let count = entries.len();
        write_out(&**file, entries, written)
            .and_then(|()| file.set_len((count * E::BYTES) as u64))
            .map_err(StorageError::io("seal index", &self.path))?;
        *state = State::Sealed { file: file.clone(), count, kind: PhantomData };
        Ok(())
    }

    /// Makes a sealed index survive power loss.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        let file = match &mut *self.write() {
            State::Sealed { file, .. } => file.clone(),
            State::Growing { file, entries, written, .. } => {
                write_out(&**file, entries, written)
                    .map_err(StorageError::io("append index", &self.path))?;
                file.clone()
            }
            State::Unread | State::Unusable => return Ok(()),
        };
        file.sync().map_err(StorageError::io("sync index", &self.path))
    }

    pub(crate) fn all(&self) -> Result<Vec<E>, StorageError> {
        if let State::Growing { entries, .. } = &*self.read() {
            return Ok(entries.clone());
        }
        let Some((file, count)) = self.sealed()? else { return Ok(Vec::new()) };
        let mut bytes = vec![0; count * E::BYTES];
        let got =
            file.read_at(&mut bytes, 0).map_err(StorageError::io("read index", &self.path))?;
        Ok(bytes[..got].chunks_exact(E::BYTES).map(E::decode).collect())
    }

    /// Looked at on first use.
    fn sealed(&self) -> Result<Sealed<D::File>, StorageError> {
        match &*self.read() {
            State::Sealed { file, count, .. } => return Ok(Some((file.clone(), *count))),
            State::Unusable => return Ok(None),
            State::Unread | State::Growing { .. } => {}
        }
        let found = self.look()?;
        *self.write() = match &found {
            Some((file, count)) => {
                State::Sealed { file: file.clone(), count: *count, kind: PhantomData }
            }
            None => State::Unusable,
        };
        Ok(found)
    }

    fn look(&self) -> Result<Sealed<D::File>, StorageError> {
        let failed = || StorageError::io("open index", &self.path);
        let file = match self.disk.open(&self.path, OpenMode::ReadWrite) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed()(error)),
        };
        let bytes = file.len().map_err(failed())?;
        if bytes % E::BYTES as u64 != 0 || bytes > INDEX_BYTES_MAX {
            return Ok(None);
        }
        let count = self.count_entries(&file, bytes as usize / E::BYTES)?;
        Ok(Some((Arc::new(file), count)))
    }

    /// A file whose writer was killed still has the zeros it was given in advance.
    fn count_entries(&self, file: &D::File, slots: usize) -> Result<usize, StorageError> {
        let (mut low, mut high) = (0, slots);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut bytes = vec![0; E::BYTES];
            file.read_at(&mut bytes, (middle * E::BYTES) as u64)
                .map_err(StorageError::io("read index", &self.path))?;
            match bytes.iter().all(|byte| *byte == 0) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        Ok(low)
    }

    fn entry(&self, file: &D::File, index: usize) -> Result<E, StorageError> {
        let mut bytes = [0; 16];
        let bytes = &mut bytes[..E::BYTES];
        file.read_at(bytes, (index * E::BYTES) as u64)
            .map_err(StorageError::io("read index", &self.path))?;
        Ok(E::decode(bytes))
    }

    fn read(&self) -> RwLockReadGuard<'_, State<D::File, E>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<D::File, E>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_out<F: DiskFile, E: IndexEntry>(
    file: &F,
    entries: &[E],
    written: &mut usize,
) -> io::Result<()> {
    if *written == entries.len() {
        return Ok(());
    }
    let mut bytes = Vec::with_capacity((entries.len() - *written) * E::BYTES);
    entries[*written..].iter().for_each(|entry| entry.encode(&mut bytes));
    file.write_at(&bytes, (*written * E::BYTES) as u64)?;
    *written = entries.len();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offset_index::{OffsetEntry, OffsetIndex};
    use env_sim::SimDisk;

    const PATH: &str = "/i";

    fn entry(key: u32) -> OffsetEntry {
        OffsetEntry { relative_offset: key, position: key * 100 }
    }

    fn growing(disk: &SimDisk, bytes_max: u64) -> OffsetIndex<SimDisk> {
        let index = OffsetIndex::unread(disk.clone(), PathBuf::from(PATH));
        index.start(Vec::new(), bytes_max).unwrap();
        index
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
            ([0, 2, 3, 6, 7, 19, 20, u32::MAX].map(floor), index.last().unwrap())
        };
        let answers = ask(&index);
        assert_eq!(answers.0[..4], [None, None, Some(3), Some(3)]);
        assert_eq!(answers.1, Some(entry(20)));
        index.seal().unwrap();
        assert_eq!(ask(&index), answers);
        assert_eq!(disk.read_file(Path::new(PATH), 1 << 20).unwrap().len(), 24);
        let reopened = OffsetIndex::unread(disk.clone(), PathBuf::from(PATH));
        assert_eq!(ask(&reopened), answers);
    }

    #[test]
    fn the_zero_tail_of_a_killed_writer_is_no_entry() {
        let disk = SimDisk::new(0);
        let index = growing(&disk, 4096);
        index.push(entry(5)).unwrap();
        index.sync().unwrap();
        assert_eq!(disk.read_file(Path::new(PATH), 1 << 20).unwrap().len(), 4096);
        let reopened = OffsetIndex::unread(disk.clone(), PathBuf::from(PATH));
        assert_eq!(reopened.all().unwrap(), [entry(5)]);
        assert_eq!(reopened.last().unwrap(), Some(entry(5)));
    }

    #[test]
    fn a_torn_or_missing_index_has_no_entries() {
        let disk = SimDisk::new(0);
        let missing = OffsetIndex::unread(disk.clone(), PathBuf::from(PATH));
        assert_eq!(missing.floor(9).unwrap(), None);
        disk.open(Path::new(PATH), OpenMode::Create).unwrap().write_at(&[1; 13], 0).unwrap();
        let torn = OffsetIndex::unread(disk.clone(), PathBuf::from(PATH));
        assert_eq!(torn.last().unwrap(), None);
    }

    #[test]
    fn truncation_leaves_padding_behind_and_more_can_be_pushed() {
        let disk = SimDisk::new(0);
        let index = growing(&disk, 64);
        (1..=6).for_each(|key| index.push(entry(key)).unwrap());
        index.sync().unwrap();
        assert_eq!(index.room(), 2);
        index.truncate(|entry| entry.relative_offset < 3).unwrap();
        index.push(entry(9)).unwrap();
        index.sync().unwrap();
        let reopened = OffsetIndex::unread(disk.clone(), PathBuf::from(PATH));
        assert_eq!(reopened.all().unwrap(), [entry(1), entry(2), entry(9)]);
    }
}
