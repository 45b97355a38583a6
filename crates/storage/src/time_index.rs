//! Time index: latest timestamp so far → relative offset.   docs/formats/segment.md#time-index
//!
//! `| timestamp: i64 be | relative_offset: u32 be |` — 12 bytes, timestamps strictly growing. No record
//! before the offset's batch is as late as the timestamp; the offset is the last one of that batch.

use crate::index_file::{IndexEntry, IndexFile};
use types::WallTime;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub(crate) timestamp: WallTime,
    /// Less the segment's base offset.
    pub(crate) relative_offset: u32,
}

pub(crate) type TimeIndex<D> = IndexFile<D, TimeEntry>;

impl IndexEntry for TimeEntry {
    const BYTES: usize = 12;
    type Key = WallTime;

    fn key(&self) -> WallTime {
        self.timestamp
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.timestamp.0.to_be_bytes());
        out.extend(self.relative_offset.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> TimeEntry {
        let timestamp = i64::from_be_bytes(bytes[..8].try_into().expect("8 bytes"));
        let relative_offset = u32::from_be_bytes(bytes[8..12].try_into().expect("4 bytes"));
        TimeEntry { timestamp: WallTime(timestamp), relative_offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offset_index::{OffsetEntry, OffsetIndex};
    use env::{Disk, DiskFile, OpenMode};
    use env_sim::SimDisk;
    use std::path::{Path, PathBuf};

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

    #[test]
    fn time_entries_have_kafkas_bytes() {
        let mut bytes = Vec::new();
        let entry = TimeEntry { timestamp: WallTime(0x0102), relative_offset: 3 };
        entry.encode(&mut bytes);
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3]);
        assert_eq!(TimeEntry::decode(&bytes), entry);
    }
}
