//! Finding records by time.

use crate::error::{ReadError, StorageError};
use crate::frame::{Frame, FrameScan, ScanError};
use crate::reader::LogReader;
use crate::segment::Segment;
use bytes::Bytes;
use env::Disk;
use records::Record;
use records::legacy::Stored;
use types::{LeaderEpoch, Offset, WallTime};

/// A record found by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "TimestampAndOffset")]
pub struct TimestampOffset {
    pub timestamp: WallTime,
    pub offset: Offset,
    /// Of the leader that wrote the record, not of today's.
    pub leader_epoch: Option<LeaderEpoch>,
}

impl<D: Disk> LogReader<D> {
    /// The first record, by offset, that is not earlier than `timestamp`.
    ///
    /// # Errors
    /// [`ReadError::Storage`], [`ReadError::Moved`]
    pub fn offset_for_timestamp(
        &self,
        timestamp: WallTime,
    ) -> Result<Option<TimestampOffset>, ReadError> {
        self.retrying(|segments| {
            for segment in segments.iter() {
                if segment.latest()?.timestamp < timestamp {
                    continue;
                }
                if let Some(record) = search(segment, timestamp, self.log_start())? {
                    return Ok(Some(self.found(record)));
                }
            }
            Ok(None)
        })
    }

    /// The record with the latest timestamp; the first of them if there are several.
    ///
    /// # Errors
    /// [`ReadError::Storage`], [`ReadError::Moved`]
    ///
    /// # Source
    /// KIP-734; KAFKA-16342: the batch must be opened, its header does not know which record it is.
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, ReadError> {
        self.retrying(|segments| {
            let mut newest_first = Vec::new();
            for segment in segments.iter() {
                newest_first.push((segment.latest()?.timestamp, segment));
            }
            newest_first.sort_by_key(|(latest, _)| std::cmp::Reverse(*latest));
            let mut best: Option<Record> = None;
            for (latest, segment) in newest_first {
                let known = best.as_ref().map_or(WallTime::NONE, |record| record.timestamp);
                if latest <= known {
                    break;
                }
                let found = match search(segment, latest, self.log_start())? {
                    Some(record) => Some(record),
                    // Compaction has left the head of the batch that says so, or less of it.
                    None => latest_record(segment, self.log_start())?,
                };
                best = found.filter(|record| record.timestamp > known).or(best);
            }
            Ok(best.map(|record| self.found(record)))
        })
    }

    fn found(&self, record: Record) -> TimestampOffset {
        TimestampOffset {
            timestamp: record.timestamp,
            offset: record.offset,
            leader_epoch: self.leader_epoch_at(record.offset),
        }
    }
}

/// The first record from `log_start` on that is not earlier than `timestamp`.
fn search<D: Disk>(
    segment: &Segment<D>,
    timestamp: WallTime,
    log_start: Offset,
) -> Result<Option<Record>, StorageError> {
    let file = segment.file()?;
    let start = start_position(segment, timestamp)?;
    let mut scan = segment.scan(&file, start)?;
    loop {
        let next = next_candidate(&mut scan, timestamp, log_start);
        let Some(body) = next.map_err(|error| segment.damage(error))? else { return Ok(None) };
        let found = first_record(&body, timestamp, log_start);
        if let Some(record) = found.map_err(|error| segment.damage(error))? {
            return Ok(Some(record));
        }
    }
}

/// The first record of the latest time there is, from `log_start` on.
fn latest_record<D: Disk>(
    segment: &Segment<D>,
    log_start: Offset,
) -> Result<Option<Record>, StorageError> {
    let file = segment.file()?;
    let mut scan = segment.scan(&file, 0)?;
    let mut latest: Option<Record> = None;
    loop {
        let after = latest.as_ref().map_or(0, |record| record.timestamp.0 + 1);
        let next = next_candidate(&mut scan, WallTime(after), log_start);
        let Some(body) = next.map_err(|error| segment.damage(error))? else { return Ok(latest) };
        let mut after = WallTime(after);
        while let Some(record) =
            first_record(&body, after, log_start).map_err(|error| segment.damage(error))?
        {
            after = WallTime(record.timestamp.0 + 1);
            latest = Some(record);
        }
    }
}

/// Where no batch before can hold what is looked for.
fn start_position<D: Disk>(segment: &Segment<D>, timestamp: WallTime) -> Result<u64, StorageError> {
    let Some(entry) = segment.time_index.floor(timestamp)? else { return Ok(0) };
    let offset = segment.base().plus(i64::from(entry.relative_offset));
    let borne_out = segment
        .find(offset)?
        .filter(|(_, frame): &(u64, Frame)| frame.max_timestamp == entry.timestamp);
    Ok(borne_out.map_or(0, |(position, _)| position))
}

fn next_candidate<F: env::DiskFile>(
    scan: &mut FrameScan<'_, F>,
    timestamp: WallTime,
    log_start: Offset,
) -> Result<Option<Bytes>, ScanError> {
    while let Some((position, frame)) = scan.next_frame()? {
        if frame.max_timestamp >= timestamp && frame.last_offset >= log_start {
            return scan.body(position, &frame).map(Some);
        }
    }
    Ok(None)
}

fn first_record(
    batch: &Bytes,
    timestamp: WallTime,
    log_start: Offset,
) -> Result<Option<Record>, ScanError> {
    let bad = |error: records::BatchError| ScanError::Bad(error.to_string());
    let batch = Stored::parse(batch).and_then(Stored::into_batch).map_err(bad)?;
    for record in batch.records().map_err(bad)? {
        let record = record.map_err(bad)?;
        if record.timestamp >= timestamp && record.offset >= log_start {
            return Ok(Some(record));
        }
    }
    Ok(None)
}
