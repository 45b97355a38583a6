//! Transaction index: the aborted transactions of a segment.
//! docs/formats/segment.md#transaction-index
//!
//! `| version: i16 = 0 | producer_id | first_offset | last_offset | last_stable_offset: i64 |`,
//! 34 bytes, last offsets growing. The file exists only if a transaction was aborted.

use crate::error::StorageError;
use crate::limits::INDEX_BYTES_MAX;
use env::{Disk, DiskFile, OpenMode};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
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

    /// `None` if the version is another one or the offsets are out of order.
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
        (version == VERSION && entry.first_offset <= entry.last_offset).then_some(entry)
    }
}

pub(crate) struct TxnIndex<D: Disk> {
    disk: D,
    path: PathBuf,
    /// `None` until first needed. Aborts are few: all of a segment's fit in memory.
    entries: RwLock<Entries>,
}

type Entries = Option<Vec<AbortedTransaction>>;

impl<D: Disk> TxnIndex<D> {
    pub(crate) fn unread(disk: D, path: PathBuf) -> TxnIndex<D> {
        TxnIndex { disk, path, entries: RwLock::new(None) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn append(&self, entry: AbortedTransaction) -> Result<(), StorageError> {
        let mut entries = self.loaded()?;
        let entries = entries.get_or_insert_default();
        let position = (entries.len() * AbortedTransaction::BYTES) as u64;
        let failed = StorageError::io("append transaction index", &self.path);
        (|| self.disk.open(&self.path, OpenMode::Create)?.write_at(&entry.encode(), position))()
            .map_err(failed)?;
        entries.push(entry);
        Ok(())
    }

    /// Asks the entries, oldest first.
    pub(crate) fn ask<T>(
        &self,
        ask: impl FnOnce(&[AbortedTransaction]) -> T,
    ) -> Result<T, StorageError> {
        if let Some(entries) = &*self.entries.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(ask(entries));
        }
        Ok(ask(self.loaded()?.get_or_insert_default()))
    }

    /// Keeps the transactions whose marker lies below `end`.
    pub(crate) fn truncate_to(&self, end: Offset) -> Result<(), StorageError> {
        let mut entries = self.loaded()?;
        let entries = entries.get_or_insert_default();
        let before = entries.len();
        entries.retain(|entry| entry.last_offset < end);
        if entries.len() == before {
            return Ok(());
        }
        let bytes = (entries.len() * AbortedTransaction::BYTES) as u64;
        let failed = StorageError::io("truncate transaction index", &self.path);
        (|| self.disk.open(&self.path, OpenMode::ReadWrite)?.set_len(bytes))().map_err(failed)
    }

    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        if self.ask(<[_]>::is_empty)? {
            return Ok(());
        }
        let failed = StorageError::io("sync transaction index", &self.path);
        (|| self.disk.open(&self.path, OpenMode::ReadWrite)?.sync())().map_err(failed)
    }

    /// The entries to change, read from the file if they were not yet.
    fn loaded(&self) -> Result<RwLockWriteGuard<'_, Entries>, StorageError> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.is_none() {
            *entries = Some(self.load()?);
        }
        Ok(entries)
    }

    /// Ends at the first entry that is none: the tail of a killed writer, which recovery rewrites.
    fn load(&self) -> Result<Vec<AbortedTransaction>, StorageError> {
        match self.disk.read_file(&self.path, INDEX_BYTES_MAX) {
            Ok(bytes) => Ok(bytes
                .chunks_exact(AbortedTransaction::BYTES)
                .map_while(AbortedTransaction::decode)
                .collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(StorageError::io("read transaction index", &self.path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let path = PathBuf::from("/0.txnindex");
        let index = TxnIndex::unread(disk.clone(), path.clone());
        assert!(all(&index).is_empty() && !disk.exists(&path));
        index.append(aborted(1, 4)).unwrap();
        index.append(aborted(2, 9)).unwrap();
        let file = disk.open(&path, OpenMode::Create).unwrap();
        assert_eq!(file.len().unwrap(), 68);
        file.write_at(&[0; 20], 68).unwrap();
        let reopened = TxnIndex::unread(disk.clone(), path.clone());
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
