//! Finds the batches wanted in one segment.

use bytes::{Buf, Bytes};
use env::{Disk, DiskFile};
use records::BatchError;
use types::Offset;

use super::{ReadSlice, Wanted};
use crate::error::StorageError;
use crate::frame::Frame;
use crate::limits::{GUESS_BYTES_MIN, LOOKUP_CHUNK_BYTES, WARM_TAIL_BYTES};
use crate::offset_index::OffsetEntry;
use crate::segment::Segment;

/// What is read of a segment to answer.
pub(super) struct Reach {
    /// Which led to `start`.
    entry: Option<OffsetEntry>,
    start: u64,
    /// Of the segment.
    end: u64,
    count: usize,
    /// Of the batch that is most likely the first one wanted, and how much is read from it on.
    likely: Option<(OffsetEntry, usize)>,
}

impl Reach {
    pub(super) fn of<D: Disk>(
        segment: &Segment<D>,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Reach, StorageError> {
        let end = segment.bytes()?;
        let (floor, above) = segment.entries_around(from)?;
        let inside = |entry: &OffsetEntry| u64::from(entry.position) < end;
        let (entry, above) = (floor.filter(inside), above.filter(inside));
        let start = entry.map_or(0, |entry| u64::from(entry.position));
        let next = above.map_or(end, |entry| u64::from(entry.position)).max(start);
        let skipped = match from <= segment.base() {
            true => 0,
            false => ((next - start) as usize).min(LOOKUP_CHUNK_BYTES),
        };
        // Batches larger than the index interval have an entry each, and what is wanted mostly
        // begins where one does: nothing before it needs to be read.
        let likely = match entry {
            Some(entry) if segment.end_of(&entry) == from => Some(entry),
            _ => above.filter(|_| skipped >= GUESS_BYTES_MIN),
        };
        let likely =
            likely.map(|entry| (entry, bytes_max.min((end - u64::from(entry.position)) as usize)));
        // Else one read serves both: the few batches between the entry and `from`, and the answer.
        let count = (skipped + bytes_max).min((end - start) as usize);
        Ok(Reach { entry, start, end, count, likely })
    }

    /// What was written last, if the segment is the last one, is taken to be in memory still.
    pub(super) fn is_warm_tail(&self) -> bool {
        self.end - self.start <= WARM_TAIL_BYTES
    }

    pub(super) fn is_at_hand<D: Disk>(&self, segment: &Segment<D>) -> bool {
        let (at, count) = match &self.likely {
            Some((entry, count)) => (u64::from(entry.position), *count),
            None => (self.start, self.count),
        };
        segment.file().is_ok_and(|file| file.is_at_hand(at, count))
    }
}

/// What came of a look for the batches wanted.
pub(super) enum Found {
    Slice(ReadSlice),
    /// All of the segment lies before the offset wanted.
    Behind,
    /// The disk would have to be waited for, and [`Wanted`] does not want that.
    NotAtHand,
}

pub(super) fn read_segment<D: Disk>(
    segment: &Segment<D>,
    wanted: Wanted,
    is_last: bool,
) -> Result<Found, StorageError> {
    let reach = Reach::of(segment, wanted.from, wanted.bytes_max)?;
    let wanted = Wanted { waits: wanted.waits || is_last && reach.is_warm_tail(), ..wanted };
    if let Some(found) = read_likely(segment, &reach, wanted)? {
        return Ok(found);
    }
    let Reach { entry, start, end, count, .. } = reach;
    let Some(buffer) = load(segment, start, count, wanted.waits)? else {
        return Ok(Found::NotAtHand);
    };
    let is_end = start + count as u64 == end;
    let is_borne_out = match (&entry, Frame::parse(&buffer)) {
        (Some(entry), Ok(first)) => segment.bears_out(entry, &first),
        _ => entry.is_none(),
    };
    let picked = if is_borne_out { pick(buffer, wanted, is_end) } else { Picked::Unclear };
    match picked {
        Picked::Slice(slice) => return Ok(Found::Slice(slice)),
        Picked::Nothing => return Ok(Found::Behind),
        Picked::Unclear => {}
    }
    // The first batch lies further on, or is larger than what was read, or the index leads astray.
    let Some((position, frame)) = segment.find(wanted.from)? else { return Ok(Found::Behind) };
    let count = match frame.bytes as usize > wanted.bytes_max {
        true if wanted.at_least_one => frame.bytes as usize,
        _ => wanted.bytes_max.min((end - position) as usize),
    };
    let Some(buffer) = load(segment, position, count, wanted.waits)? else {
        return Ok(Found::NotAtHand);
    };
    Ok(Found::Slice(match pick(buffer, wanted, false) {
        Picked::Slice(slice) => slice,
        // Not one batch fits.
        Picked::Nothing | Picked::Unclear => ReadSlice::empty(wanted.from),
    }))
}

/// What is wanted, if the batch that is most likely its first one is.
fn read_likely<D: Disk>(
    segment: &Segment<D>,
    reach: &Reach,
    wanted: Wanted,
) -> Result<Option<Found>, StorageError> {
    let Some((entry, count)) = &reach.likely else { return Ok(None) };
    let start = u64::from(entry.position);
    let Some(mut buffer) = load(segment, start, *count, wanted.waits)? else {
        return Ok(Some(Found::NotAtHand));
    };
    let Ok(first) = Frame::parse(&buffer) else { return Ok(None) };
    if !segment.bears_out(entry, &first) || first.base_offset > wanted.from {
        return Ok(None);
    }
    if first.bytes > *count as u64 {
        if !wanted.at_least_one {
            return Ok(Some(Found::Slice(ReadSlice::empty(wanted.from))));
        }
        match load(segment, start, first.bytes as usize, wanted.waits)? {
            Some(whole) => buffer = whole,
            None => return Ok(Some(Found::NotAtHand)),
        }
    }
    let is_end = start + buffer.len() as u64 == reach.end;
    match pick(buffer, wanted, is_end) {
        Picked::Slice(slice) => Ok(Some(Found::Slice(slice))),
        Picked::Nothing | Picked::Unclear => Ok(None),
    }
}

/// `None` if that would have to wait and must not.
fn load<D: Disk>(
    segment: &Segment<D>,
    position: u64,
    count: usize,
    waits: bool,
) -> Result<Option<Bytes>, StorageError> {
    let mut buffer = Vec::with_capacity(count);
    let file = segment.file()?;
    let read = match waits {
        true => file.read_onto(&mut buffer, position, count).map(|()| true),
        false => file.read_at_hand(&mut buffer, position, count),
    };
    let is_read = read.map_err(StorageError::io("read segment", segment.log_path()))?;
    Ok(is_read.then(|| Bytes::from(buffer)))
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
fn pick(mut buffer: Bytes, wanted: Wanted, is_end: bool) -> Picked {
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
        Some((start, frame)) => {
            // Mostly they are all of it, which then stays a buffer without a counter.
            buffer.truncate(position);
            buffer.advance(start);
            Picked::Slice(ReadSlice {
                bytes: buffer,
                base_offset: frame.base_offset,
                next_offset,
                first_batch_epoch: frame.header.map(|header| header.leader_epoch),
            })
        }
        None if position < buffer.len() => Picked::Slice(ReadSlice::empty(wanted.from)),
        None if is_end && position == buffer.len() => Picked::Nothing,
        None => Picked::Unclear,
    }
}
