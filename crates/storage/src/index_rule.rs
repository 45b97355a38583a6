use crate::config::LogConfig;
use crate::error::StorageError;
use crate::frame::Frame;
use crate::offset_index::OffsetEntry;
use crate::segment::{LatestTimestamp, Segment};
use crate::time_index::TimeEntry;
use env::Disk;
use types::WallTime;

/// Decides which batches of a growing segment get index entries.
///
/// **Source:** Kafka `LogSegment.append`: an entry once more than `index.interval.bytes` lie since
/// the last one, checked before the batch at hand is counted.
#[derive(Clone, Debug)]
pub(crate) struct IndexRule {
    interval_bytes: u64,
    bytes_since_entry: u64,
    latest: LatestTimestamp,
}

impl IndexRule {
    pub(crate) fn new(config: &LogConfig) -> IndexRule {
        IndexRule {
            interval_bytes: config.index_interval_bytes,
            bytes_since_entry: 0,
            latest: LatestTimestamp::NONE,
        }
    }

    /// Goes on at `position`, before which the latest timestamp is `latest`.
    pub(crate) fn resume<D: Disk>(
        segment: &Segment<D>,
        position: u64,
        latest: LatestTimestamp,
        config: &LogConfig,
    ) -> Result<IndexRule, StorageError> {
        let last = segment.offset_index.last()?.map_or(0, |entry| u64::from(entry.position));
        let bytes_since_entry = position.saturating_sub(last);
        Ok(IndexRule { interval_bytes: config.index_interval_bytes, bytes_since_entry, latest })
    }

    pub(crate) fn set_interval(&mut self, config: &LogConfig) {
        self.interval_bytes = config.index_interval_bytes;
    }

    /// Takes note of the batch that `frame` heads, at `position` of the growing `segment`.
    pub(crate) fn note<D: Disk>(
        &mut self,
        segment: &Segment<D>,
        position: u64,
        frame: &Frame,
    ) -> Result<(), StorageError> {
        if frame.max_timestamp > self.latest.timestamp {
            self.latest =
                LatestTimestamp { timestamp: frame.max_timestamp, offset: frame.last_offset };
            segment.publish_latest(self.latest);
        }
        if self.bytes_since_entry > self.interval_bytes {
            // A file from elsewhere may be larger than an index can tell; it is found by scanning.
            let relative_offset = u32::try_from(frame.last_offset.since(segment.base()));
            if let (Ok(relative_offset), Ok(position)) = (relative_offset, u32::try_from(position))
            {
                segment.offset_index.push(OffsetEntry { relative_offset, position })?;
                push_latest(segment, self.latest)?;
            }
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry += frame.bytes;
        Ok(())
    }
}

/// Notes the latest timestamp so far, unless the time index has it.
pub(crate) fn push_latest<D: Disk>(
    segment: &Segment<D>,
    latest: LatestTimestamp,
) -> Result<(), StorageError> {
    let known = segment.time_index.last()?.map_or(WallTime::NONE, |entry| entry.timestamp);
    match u32::try_from(latest.offset.since(segment.base())) {
        Ok(relative_offset) if latest.timestamp > known && segment.time_index.is_growing() => {
            segment.time_index.push(TimeEntry { timestamp: latest.timestamp, relative_offset })
        }
        _ => Ok(()),
    }
}
