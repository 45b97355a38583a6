//! Time index: latest timestamp so far → relative offset.   docs/formats/segment.md#time-index
//!
//! `| timestamp: i64 be | relative_offset: u32 be |` — 12 bytes, timestamps strictly growing. No
//! record before the offset's batch is as late as the timestamp; the offset is the last one of that
//! batch.

use crate::file_names::FileKind;
use crate::index_file::{IndexEntry, IndexFile};
use bytes::Buf;
use types::WallTime;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub(crate) timestamp: WallTime,
    /// Less the segment's base offset.
    pub(crate) relative_offset: u32,
}

pub(crate) type TimeIndex<D> = IndexFile<D, TimeEntry>;

impl IndexEntry for TimeEntry {
    const KIND: FileKind = FileKind::TimeIndex;
    const BYTES: usize = 12;
    type Key = WallTime;

    fn key(&self) -> WallTime {
        self.timestamp
    }

    fn follows(&self, earlier: &TimeEntry) -> bool {
        // Kafka may note a later time for the same batch.
        self.timestamp > earlier.timestamp && self.relative_offset >= earlier.relative_offset
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.timestamp.0.to_be_bytes());
        out.extend(self.relative_offset.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> TimeEntry {
        let mut bytes = bytes;
        TimeEntry { timestamp: WallTime(bytes.get_i64()), relative_offset: bytes.get_u32() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_entries_have_kafkas_bytes() {
        let mut bytes = Vec::new();
        let entry = TimeEntry { timestamp: WallTime(0x0102), relative_offset: 3 };
        entry.encode(&mut bytes);
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3]);
        assert_eq!(TimeEntry::decode(&bytes), entry);
    }
}
