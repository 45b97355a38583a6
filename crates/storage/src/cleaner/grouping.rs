//! Which segments become one.

use crate::config::LogConfig;
use crate::limits::BATCH_BYTES_MIN;
use types::Offset;

/// A cleaned segment that could take in another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gathered {
    pub(super) base: Offset,
    pub(super) bytes: u64,
    /// Entries that still fit its indexes.
    pub(super) index_room: usize,
}

/// The segment that comes next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub(super) bytes: u64,
    /// Where the one after it begins.
    pub(super) end: Offset,
}

/// Whether all of `next` fits behind what was gathered, even if nothing is removed from it: the
/// file, its indexes, and offsets counted from the base in 31 bits.
///
/// Kafka's `groupSegmentsBySize` adds up the sizes before cleaning; what is left afterwards is
/// known here, so a log becomes fewer files in one go.
pub(super) fn fits(gathered: Gathered, next: Next, config: &LogConfig) -> bool {
    let entries_max = next.bytes / config.index_interval_bytes.max(BATCH_BYTES_MIN) + 1;
    let segment_bytes = config.segment_bytes.min(i32::MAX as u64);
    gathered.bytes + next.bytes <= segment_bytes
        && entries_max < gathered.index_room as u64 // one is kept for the last timestamp
        && next.end.since(gathered.base) <= i64::from(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_become_one_as_far_as_file_indexes_and_offsets_go() {
        let config = LogConfig { segment_bytes: 1000, ..LogConfig::default() };
        let gathered = Gathered { base: Offset(5), bytes: 400, index_room: 10 };
        let next = |bytes, end| Next { bytes, end: Offset(end) };
        assert!(fits(gathered, next(600, 100), &config));
        assert!(!fits(gathered, next(601, 100), &config));
        let span = i64::from(i32::MAX);
        assert!(fits(gathered, next(600, 5 + span), &config));
        assert!(!fits(gathered, next(600, 6 + span), &config));
        assert!(!fits(Gathered { index_room: 1, ..gathered }, next(600, 100), &config));
        let dense = LogConfig { index_interval_bytes: 0, ..config };
        assert!(!fits(gathered, next(600, 100), &dense), "an entry for each batch");
    }
}
