//! Finds the batches wanted in one segment.

use bytes::Bytes;
use env::{Disk, DiskFile};
use records::BatchError;
use types::Offset;

use super::{ReadSlice, Wanted};
use crate::error::StorageError;
use crate::frame::Frame;
use crate::limits::LOOKUP_CHUNK_BYTES;
use crate::offset_index::OffsetEntry;
use crate::segment::Segment;

/// What is read of a segment to answer.
pub(super) struct Reach {
    /// Which led to `start`.
    entry: Option<OffsetEntry>,
    pub(super) start: u64,
    /// Of the segment.
    pub(super) end: u64,
    count: usize,
}

impl Reach {
    pub(super) fn of<D: Disk>(
        segment: &Segment<D>,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Reach, StorageError> {
        let end = segment.bytes()?;
        let entry = segment.floor_entry(from)?;
        let entry = entry.filter(|entry| u64::from(entry.position) < end);
        let start = entry.map_or(0, |entry| u64::from(entry.position));
        // One read serves both: the few batches between the index entry and `from`, and the answer.
        let count = (LOOKUP_CHUNK_BYTES + bytes_max).min((end - start) as usize);
        Ok(Reach { entry, start, end, count })
    }

    pub(super) fn is_at_hand<D: Disk>(&self, segment: &Segment<D>) -> bool {
        segment.file().is_ok_and(|file| file.is_at_hand(self.start, self.count))
    }
}

/// `None` if all of the segment lies before the offset wanted.
pub(super) fn read_segment<D: Disk>(
    segment: &Segment<D>,
    wanted: Wanted,
) -> Result<Option<ReadSlice>, StorageError> {
    let Reach { entry, start, end, count } = Reach::of(segment, wanted.from, wanted.bytes_max)?;
    let buffer = load(segment, start, count)?;
    let is_end = start + count as u64 == end;
    let is_borne_out = match (&entry, Frame::parse(&buffer)) {
        (Some(entry), Ok(first)) => segment.bears_out(entry, &first),
        _ => entry.is_none(),
    };
    let picked = if is_borne_out { pick(&buffer, wanted, is_end) } else { Picked::Unclear };
    match picked {
        Picked::Slice(slice) => return Ok(Some(slice)),
        Picked::Nothing => return Ok(None),
        Picked::Unclear => {}
    }
    // The first batch lies further on, or is larger than what was read, or the index leads astray.
    let Some((position, frame)) = segment.find(wanted.from)? else { return Ok(None) };
    let count = match frame.bytes as usize > wanted.bytes_max {
        true if wanted.at_least_one => frame.bytes as usize,
        _ => wanted.bytes_max.min((end - position) as usize),
    };
    let buffer = load(segment, position, count)?;
    match pick(&buffer, wanted, false) {
        Picked::Slice(slice) => Ok(Some(slice)),
        // Not one batch fits.
        Picked::Nothing | Picked::Unclear => Ok(Some(ReadSlice::empty(wanted.from))),
    }
}

fn load<D: Disk>(segment: &Segment<D>, position: u64, count: usize) -> Result<Bytes, StorageError> {
    let mut buffer = vec![0; count];
    let failed = StorageError::io("read segment", segment.log_path());
    let got = segment.file()?.read_at(&mut buffer, position).map_err(failed)?;
    buffer.truncate(got);
    Ok(Bytes::from(buffer))
}

enum Picked {
    Slice(ReadSlice),
    /// Every batch up to the end lies before the offset wanted.
    Nothing,
    /// The buffer does not show the first batch wanted.
    Unclear,
}

/// Cuts the batches wanted out of `buffer`, which starts with a batch. `is_end` if no batch follows
/// the buffer.
fn pick(buffer: &Bytes, wanted: Wanted, is_end: bool) -> Picked {
    let mut position = 0;
    let mut first: Option<(usize, Frame)> = None;
    let mut next_offset = wanted.from;
    while position < buffer.len() {
        let frame = match Frame::parse(&buffer[position..]) {
            Ok(frame) => frame,
            Err(_) if first.is_none() => return Picked::Unclear,
            // What is sound is served; the next read meets the trouble.
            Err(BatchError::Torn { .. } | _) => break,
        };
        let end = position.saturating_add(frame.bytes as usize);
        if frame.last_offset < wanted.from {
            if first.is_some() {
                // It goes back behind a batch that does not: what it says of itself is not to be
                // believed, its length least of all.
                break;
            }
            position = end;
            continue;
        }
        let taken = first.as_ref().map_or(0, |(start, _)| end - start);
        let is_first = first.is_none();
        let fits = match is_first {
            true => wanted.at_least_one || frame.bytes as usize <= wanted.bytes_max,
            false => taken <= wanted.bytes_max,
        };
        if frame.last_offset >= wanted.bound || !fits {
            break;
        }
        if end > buffer.len() {
            match is_first {
                true => return Picked::Unclear,
                false => break,
            }
        }
        next_offset = frame.next_offset();
        first.get_or_insert((position, frame));
        position = end;
    }
    match first {
        Some((start, frame)) => Picked::Slice(ReadSlice {
            bytes: buffer.slice(start..position),
            base_offset: frame.base_offset,
            next_offset,
            first_batch_epoch: frame.header.map(|header| header.leader_epoch),
        }),
        None if position < buffer.len() => Picked::Slice(ReadSlice::empty(wanted.from)),
        None if is_end && position == buffer.len() => Picked::Nothing,
        None => Picked::Unclear,
    }
}
