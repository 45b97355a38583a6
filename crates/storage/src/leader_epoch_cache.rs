use crate::checkpoints::{EpochEntry, decode_epochs, encode_epochs, read_text};
use crate::error::StorageError;
use crate::file_names::{LEADER_EPOCHS, TEMPORARY_SUFFIX};
use crate::partition_dir::PartitionDir;
use env::{Disk, DiskFile, OpenMode};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use types::{EpochEnd, LeaderEpoch, Offset};

/// Which leader wrote which stretch of a log: the first offset of each epoch.
///
/// **Invariant:** epochs and start offsets grow together, both strictly.
/// **Persisted:** `leader-epoch-checkpoint`, written before the first batch of an epoch, synced
/// before the recovery point passes it. What power loss takes is read back from the batches, which
/// carry their epoch.
/// **Source:** KIP-101, KIP-279; Kafka `LeaderEpochFileCache`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "LeaderEpochFileCache")]
pub struct LeaderEpochCache {
    entries: Vec<EpochEntry>,
}

impl LeaderEpochCache {
    /// Entries that break the invariant are dropped, the later one winning.
    pub fn from_entries(entries: impl IntoIterator<Item = EpochEntry>) -> LeaderEpochCache {
        let mut cache = LeaderEpochCache::default();
        for entry in entries {
            cache.assign(entry.epoch, entry.start_offset);
        }
        cache
    }

    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    pub fn latest(&self) -> Option<EpochEntry> {
        self.entries.last().copied()
    }

    /// Notes that `epoch` begins at `start_offset`. Entries that contradict it come from a lineage
    /// that lost and go. Returns whether anything changed.
    pub fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) -> bool {
        if epoch.0 < 0 || start_offset.0 < 0 {
            return false;
        }
        let new = EpochEntry { epoch, start_offset };
        let known = self.latest();
        if known.is_some_and(|last| last.epoch == epoch && last.start_offset <= start_offset) {
            return false;
        }
        // An epoch that begins here or later has no records any more, or never had: a leader that
        // was deposed before it wrote. What came before it goes on.
        self.truncate_from_end(start_offset);
        if self.latest().is_some_and(|last| last.epoch == epoch) {
            return true;
        }
        self.entries.truncate(self.entries.partition_point(|old| old.epoch < epoch));
        self.entries.push(new);
        true
    }

    /// Notes a batch of `epoch` that goes to `base_offset`, in a log that ended at `log_end`.
    /// Epochs that begin there have no records, and get none if it is of another: a leader that was
    /// deposed before it wrote left them behind. Returns whether anything changed.
    pub fn note_batch(&mut self, epoch: LeaderEpoch, base_offset: Offset, log_end: Offset) -> bool {
        if epoch.0 < 0 || self.latest().is_some_and(|latest| latest.epoch == epoch) {
            return false;
        }
        // Compaction leaves gaps, and an empty log may begin below its end.
        let dropped = self.truncate_from_end(log_end.min(base_offset));
        let is_newer = self.latest().is_none_or(|latest| latest.epoch < epoch);
        (is_newer && self.assign(epoch, base_offset)) || dropped
    }

    /// The epoch that the record at `offset` was written in.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let above = self.entries.partition_point(|entry| entry.start_offset <= offset);
        above.checked_sub(1).map(|index| self.entries[index].epoch)
    }

    /// The largest known epoch that is not above `asked`, and where it ends. An epoch older than
    /// all known ones ends where the first known one begins; a newer one has no answer.
    pub fn end_of(&self, asked: LeaderEpoch, log_end: Offset) -> Option<EpochEnd> {
        let latest = self.latest().filter(|latest| asked.0 >= 0 && asked <= latest.epoch)?;
        if asked == latest.epoch {
            return Some(EpochEnd { epoch: asked, end_offset: log_end });
        }
        let higher = self.entries.partition_point(|entry| entry.epoch <= asked);
        let end_offset = self.entries[higher].start_offset;
        let epoch = higher.checked_sub(1).map_or(asked, |index| self.entries[index].epoch);
        Some(EpochEnd { epoch, end_offset })
    }

    /// Forgets epochs that begin at `end` or later. Returns whether anything changed.
    pub fn truncate_from_end(&mut self, end: Offset) -> bool {
        let kept = self.entries.partition_point(|entry| entry.start_offset < end);
        let changed = kept < self.entries.len();
        self.entries.truncate(kept);
        changed
    }

    /// Forgets epochs that end at `start` or before; the one that holds `start` now begins there.
    /// Returns whether anything changed.
    pub fn truncate_from_start(&mut self, start: Offset) -> bool {
        let below = self.entries.partition_point(|entry| entry.start_offset <= start);
        let Some(holder) = below.checked_sub(1) else { return false };
        let changed = holder > 0 || self.entries[holder].start_offset != start;
        self.entries.drain(..holder);
        self.entries[0].start_offset = start;
        changed
    }
}

/// The file behind a [`LeaderEpochCache`].
pub(crate) struct EpochFile<D: Disk> {
    dir: Arc<PartitionDir<D>>,
}

impl<D: Disk> EpochFile<D> {
    pub(crate) fn new(dir: Arc<PartitionDir<D>>) -> EpochFile<D> {
        EpochFile { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.file(LEADER_EPOCHS)
    }

    /// `None` if it is missing or does not parse: then the batches are asked.
    pub(crate) fn read(&self) -> Result<Option<Vec<EpochEntry>>, StorageError> {
        let text = read_text(self.dir.disk(), &self.path())?.filter(|text| !text.is_empty());
        Ok(text.and_then(|text| decode_epochs(&text).ok()))
    }

    /// Survives a killed process; not power loss.
    pub(crate) fn write(&self, cache: &LeaderEpochCache) -> Result<(), StorageError> {
        let path = self.path();
        let mut temporary = path.clone().into_os_string();
        temporary.push(TEMPORARY_SUFFIX);
        let temporary = Path::new(&temporary);
        let disk = self.dir.disk();
        (|| {
            let file = disk.open(temporary, OpenMode::Truncate)?;
            file.write_at(encode_epochs(cache.entries()).as_bytes(), 0)?;
            disk.rename(temporary, &path)
        })()
        .map_err(StorageError::io("write leader epochs", &path))
    }

    pub(crate) fn write_durably(&self, cache: &LeaderEpochCache) -> Result<(), StorageError> {
        let path = self.path();
        self.dir
            .disk()
            .replace_file(&path, encode_epochs(cache.entries()).as_bytes())
            .map_err(StorageError::io("write leader epochs", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(i32, i64)]) -> LeaderEpochCache {
        let entry =
            |&(epoch, start)| EpochEntry { epoch: LeaderEpoch(epoch), start_offset: Offset(start) };
        LeaderEpochCache::from_entries(entries.iter().map(entry))
    }

    fn end(cache: &LeaderEpochCache, asked: i32) -> Option<(i32, i64)> {
        cache.end_of(LeaderEpoch(asked), Offset(100)).map(|end| (end.epoch.0, end.end_offset.0))
    }

    #[test]
    fn an_epoch_ends_where_the_next_one_begins_and_the_latest_at_the_log_end() {
        let cache = cache(&[(2, 10), (4, 30), (7, 60)]);
        assert_eq!(end(&cache, 7), Some((7, 100)));
        assert_eq!(end(&cache, 4), Some((4, 60)));
        assert_eq!(end(&cache, 3), Some((2, 30)), "the largest known epoch below answers");
        assert_eq!(end(&cache, 8), None, "a newer epoch is unknown here");
        assert_eq!(end(&cache, -1), None);
    }

    #[test]
    fn an_epoch_older_than_the_log_start_ends_where_the_first_known_one_begins() {
        assert_eq!(end(&cache(&[(5, 40)]), 1), Some((1, 40)));
        assert_eq!(end(&cache(&[]), 1), None);
    }

    #[test]
    fn a_new_epoch_pushes_out_what_contradicts_it() {
        let mut epochs = cache(&[(1, 0), (2, 10), (3, 20)]);
        assert!(epochs.assign(LeaderEpoch(4), Offset(15)));
        assert_eq!(epochs, cache(&[(1, 0), (2, 10), (4, 15)]));
        assert!(!epochs.assign(LeaderEpoch(4), Offset(40)), "an epoch begins once");
        assert!(epochs.assign(LeaderEpoch(2), Offset(12)), "an older epoch wins over a newer one");
        assert_eq!(epochs, cache(&[(1, 0), (2, 10)]), "and begins where it began");
        assert!(!epochs.assign(LeaderEpoch(-1), Offset(50)));
    }

    #[test]
    fn an_epoch_without_records_gives_way_to_the_next_one_at_the_same_offset() {
        let mut epochs = cache(&[(1, 0), (2, 10)]);
        epochs.assign(LeaderEpoch(3), Offset(10));
        assert_eq!(epochs, cache(&[(1, 0), (3, 10)]));
    }

    /// A leader deposed before it wrote follows on with records of the epoch before.
    #[test]
    fn an_epoch_goes_on_after_one_without_records() {
        let mut epochs = cache(&[(1, 0), (2, 10), (5, 30)]);
        assert!(epochs.assign(LeaderEpoch(2), Offset(30)));
        assert_eq!(epochs, cache(&[(1, 0), (2, 10)]));
        assert_eq!(end(&epochs, 1), Some((1, 10)));
    }

    #[test]
    fn a_batch_of_an_earlier_epoch_drops_the_later_one_that_has_no_records() {
        let mut epochs = cache(&[(1, 0), (2, 10), (5, 30)]);
        assert!(epochs.note_batch(LeaderEpoch(2), Offset(30), Offset(30)));
        assert_eq!(epochs, cache(&[(1, 0), (2, 10)]));
        let mut epochs = cache(&[(1, 0), (5, 30)]);
        assert!(epochs.note_batch(LeaderEpoch(2), Offset(34), Offset(30)), "over a gap, too");
        assert_eq!(epochs, cache(&[(1, 0), (2, 34)]));
        let mut epochs = cache(&[(1, 0), (5, 30)]);
        assert!(!epochs.note_batch(LeaderEpoch(5), Offset(34), Offset(30)), "these are its own");
        assert!(!epochs.note_batch(LeaderEpoch(2), Offset(40), Offset(40)), "it has records");
        assert!(!epochs.note_batch(LeaderEpoch::NONE, Offset(40), Offset(40)));
        assert_eq!(epochs, cache(&[(1, 0), (5, 30)]));
    }

    #[test]
    fn truncation_keeps_the_epoch_that_holds_the_new_bound() {
        let mut epochs = cache(&[(1, 0), (2, 10), (3, 20)]);
        assert!(!epochs.truncate_from_end(Offset(21)));
        assert!(epochs.truncate_from_end(Offset(20)));
        assert_eq!(epochs, cache(&[(1, 0), (2, 10)]));
        assert!(epochs.truncate_from_start(Offset(15)));
        assert_eq!(epochs, cache(&[(2, 15)]));
        assert_eq!(epochs.epoch_at(Offset(14)), None);
        assert_eq!(epochs.epoch_at(Offset(99)), Some(LeaderEpoch(2)));
        assert!(!epochs.truncate_from_start(Offset(3)));
    }
}
