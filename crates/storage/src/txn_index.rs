//! Transaction index: the aborted transactions of a segment.
//! docs/formats/segment.md#transaction-index
//!
//! `| version: i16 = 0 | producer_id | first_offset | last_offset | last_stable_offset: i64 |`,
//! 34 bytes, last offsets growing. The file exists only if a transaction was aborted.

use crate::error::StorageError;
use crate::file_names::{FileKind, FileStage};
use crate::limits::INDEX_BYTES_MAX;
use crate::open_files::LogFile;
use crate::partition_dir::PartitionDir;
use env::{Disk, DiskFile, OpenMode};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use types::{Offset, ProducerId};

/// A transaction whose records no `read_committed` consumer may see. Source: KIP-98.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "AbortedTxn")]
pub struct AbortedTransaction {
    pub producer_id: ProducerId,
    pub first_offset: Offset,
    /// That of the abort marker.
    pub last_offset: Offset,
    /// What the last stable offset was once the marker was written.
    pub last_stable_offset: Offset,
}

const VERSION: i16 = 0;

impl AbortedTransaction {
    pub(crate) const BYTES: usize = 34;

    fn encode(&self) -> [u8; AbortedTransaction::BYTES] {
        let mut bytes = [0; AbortedTransaction::BYTES];
        bytes[..2].copy_from_slice(&VERSION.to_be_bytes());
        bytes[2..10].copy_from_slice(&self.producer_id.0.to_be_bytes());
        bytes[10..18].copy_from_slice(&self.first_offset.0.to_be_bytes());
        bytes[18..26].copy_from_slice(&self.last_offset.0.to_be_bytes());
        bytes[26..].copy_from_slice(&self.last_stable_offset.0.to_be_bytes());
        bytes
    }

    /// `None` if the version is another one or the offsets are out of order: a marker comes after
    /// what it ends. So zeros are none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<AbortedTransaction> {
        let version = i16::from_be_bytes(bytes.get(..2)?.try_into().ok()?);
        let field = |from: usize| {
            let bytes = bytes.get(from..from + 8)?.try_into().ok()?;
            Some(i64::from_be_bytes(bytes))
        };
        let entry = AbortedTransaction {
            producer_id: ProducerId(field(2)?),
            first_offset: Offset(field(10)?),
            last_offset: Offset(field(18)?),
            last_stable_offset: Offset(field(26)?),
        };
        (version == VERSION && entry.first_offset < entry.last_offset).then_some(entry)
    }
}

pub(crate) struct TxnIndex<D: Disk> {
    dir: Arc<PartitionDir<D>>,
    base: Offset,
    stage: FileStage,
    /// `None` until first needed.
    loaded: RwLock<Option<Loaded<D>>>,
}

struct Loaded<D: Disk> {
    /// Aborts are few: all of a segment's fit in memory.
    entries: Vec<AbortedTransaction>,
    /// There is a file, be it empty.
    is_there: bool,
    /// The file holds more than the entries.
    is_ragged: bool,
    /// `None` until one is added: most segments have no such file. Held like a log file: an abort
    /// that is lost cannot be found out.
    file: Option<Arc<LogFile<D>>>,
}

impl<D: Disk> TxnIndex<D> {
    pub(crate) fn unread(dir: Arc<PartitionDir<D>>, base: Offset, stage: FileStage) -> TxnIndex<D> {
        TxnIndex { dir, base, stage, loaded: RwLock::new(None) }
    }

    /// There is no such file.
    pub(crate) fn note_missing(&self) {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        *loaded = Some(Loaded::default());
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.offset_file(self.base, FileKind::TxnIndex, self.stage)
    }

    pub(crate) fn append(&self, entry: AbortedTransaction) -> Result<(), StorageError> {
        self.change(|loaded, file| {
            let position = (loaded.entries.len() * AbortedTransaction::BYTES) as u64;
            file.change("append transaction index", |f| f.write_at(&entry.encode(), position))?;
            loaded.entries.push(entry);
            Ok(())
        })
    }

    /// Asks the entries, oldest first.
    pub(crate) fn ask<T>(
        &self,
        ask: impl FnOnce(&[AbortedTransaction]) -> T,
    ) -> Result<T, StorageError> {
        if let Some(loaded) = &*self.loaded.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(ask(&loaded.entries));
        }
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        Ok(ask(&self.load_into(&mut loaded)?.entries))
    }

    /// Keeps the transactions whose marker lies below `end`.
    pub(crate) fn truncate_to(&self, end: Offset) -> Result<(), StorageError> {
        let kept = self.ask(|entries| entries.partition_point(|entry| entry.last_offset < end))?;
        self.truncate(kept)
    }

    /// Keeps the oldest `kept`, and nothing else in the file.
    pub(crate) fn truncate(&self, kept: usize) -> Result<(), StorageError> {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        let held = self.load_into(&mut loaded)?;
        if held.entries.len() <= kept && !held.is_ragged {
            return Ok(());
        }
        drop(loaded);
        self.change(|loaded, file| {
            let bytes = (kept * AbortedTransaction::BYTES) as u64;
            file.change("truncate transaction index", |file| file.set_len(bytes))?;
            loaded.entries.truncate(kept);
            loaded.is_ragged = false;
            Ok(())
        })
    }

    /// The last process may have left entries in the page cache only; or cut all of them off, and
    /// power loss would bring them back.
    pub(crate) fn inherit(&self) -> Result<(), StorageError> {
        let is_there = {
            let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
            self.load_into(&mut loaded)?.is_there
        };
        match is_there {
            true => self.change(|_, file| {
                file.inherit();
                Ok(())
            }),
            false => Ok(()),
        }
    }

    /// Every abort that was noted survives power loss once this returns.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        match loaded.as_ref().and_then(|loaded| loaded.file.clone()) {
            Some(file) => file.sync(),
            None => Ok(()),
        }
    }

    pub(crate) fn is_dirty(&self) -> bool {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().and_then(|loaded| loaded.file.as_ref()).is_some_and(|file| file.is_dirty())
    }

    /// As of a [`LogFile`].
    pub(crate) fn changes(&self) -> u32 {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().and_then(|loaded| loaded.file.as_ref()).map_or(0, |file| file.changes())
    }

    pub(crate) fn note_synced(&self, changes: u32) {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = loaded.as_ref().and_then(|loaded| loaded.file.as_ref()) {
            file.note_synced(changes);
        }
    }

    fn change(
        &self,
        act: impl FnOnce(&mut Loaded<D>, &Arc<LogFile<D>>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        let loaded = self.load_into(&mut loaded)?;
        let file = loaded.file.get_or_insert_with(|| {
            LogFile::unopened(self.dir.home.clone(), self.path(), OpenMode::Create)
        });
        let file = file.clone();
        act(loaded, &file)
    }

    fn load_into<'a>(
        &self,
        loaded: &'a mut Option<Loaded<D>>,
    ) -> Result<&'a mut Loaded<D>, StorageError> {
        if loaded.is_none() {
            *loaded = Some(self.load()?);
        }
        Ok(loaded.get_or_insert_with(Loaded::default))
    }

    /// Ends at the first entry that is none: the tail of a killed writer, which recovery rewrites.
    fn load(&self) -> Result<Loaded<D>, StorageError> {
        let path = self.path();
        let bytes = match self.dir.disk().read_file(&path, INDEX_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::default()),
            Err(error) => return Err(StorageError::io("read transaction index", &path)(error)),
        };
        let mut entries: Vec<AbortedTransaction> = Vec::new();
        for entry in
            bytes.chunks_exact(AbortedTransaction::BYTES).map_while(AbortedTransaction::decode)
        {
            if entries.last().is_some_and(|last| entry.last_offset <= last.last_offset) {
                break;
            }
            entries.push(entry);
        }
        let is_ragged = bytes.len() != entries.len() * AbortedTransaction::BYTES;
        Ok(Loaded { entries, is_there: true, is_ragged, file: None })
    }
}

impl<D: Disk> Default for Loaded<D> {
    fn default() -> Self {
        Loaded { entries: Vec::new(), is_there: false, is_ragged: false, file: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_dir_state::LogDirState;
    use crate::open_files::OpenFiles;
    use env_sim::SimDisk;

    fn aborted(first: i64, last: i64) -> AbortedTransaction {
        AbortedTransaction {
            producer_id: ProducerId(7),
            first_offset: Offset(first),
            last_offset: Offset(last),
            last_stable_offset: Offset(last + 1),
        }
    }

    fn all(index: &TxnIndex<SimDisk>) -> Vec<AbortedTransaction> {
        index.ask(<[_]>::to_vec).unwrap()
    }

    #[test]
    fn entries_survive_reopening_and_a_torn_tail_is_ignored() {
        let disk = SimDisk::new(0);
        let home =
            LogDirState::new(disk.clone(), "/".into(), Default::default(), OpenFiles::at_most(4))
                .unwrap();
        let dir = PartitionDir::new(Arc::new(home), "/".into());
        let unread = || TxnIndex::unread(dir.clone(), Offset(0), FileStage::Live);
        let index = unread();
        let path = index.path();
        assert!(all(&index).is_empty() && !disk.exists(&path));
        index.append(aborted(1, 4)).unwrap();
        index.append(aborted(2, 9)).unwrap();
        let file = disk.open(&path, OpenMode::Create).unwrap();
        assert_eq!(file.len().unwrap(), 68);
        file.write_at(&[0; 20], 68).unwrap();
        let reopened = unread();
        assert_eq!(all(&reopened), [aborted(1, 4), aborted(2, 9)]);
        reopened.truncate_to(Offset(9)).unwrap();
        assert_eq!(all(&reopened), [aborted(1, 4)]);
        assert_eq!(disk.read_file(&path, 1000).unwrap().len(), 34);
    }

    #[test]
    fn an_entry_of_another_version_or_with_crossed_offsets_is_none() {
        let mut bytes = aborted(1, 4).encode();
        assert_eq!(AbortedTransaction::decode(&bytes), Some(aborted(1, 4)));
        assert_eq!(AbortedTransaction::decode(&bytes[..33]), None);
        bytes[1] = 1;
        assert_eq!(AbortedTransaction::decode(&bytes), None);
        assert_eq!(AbortedTransaction::decode(&aborted(5, 4).encode()), None);
    }
}
