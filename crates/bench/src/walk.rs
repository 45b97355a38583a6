//! Finds the few fields that matter in a frame by walking it: no allocation, no decoding.
//!
//! Only for frames of the shape that `batches` builds: one topic, one partition.

use std::ops::Range;

/// A position in a frame. Walking past its end yields `None` for ever.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Walk<'a> {
        Walk { bytes, at: 0 }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(*taken)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count)?;
        Some(())
    }

    fn i16(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn varint(&mut self) -> Option<usize> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A compact length, one more than the bytes that follow; null counts as none.
    fn compact(&mut self) -> Option<Range<usize>> {
        let length = self.varint()?.saturating_sub(1);
        let range = self.at..self.at.checked_add(length)?;
        self.skip(length)?;
        (range.end <= self.bytes.len()).then_some(range)
    }
}

const KEY_PRODUCE: i16 = 0;
const KEY_FETCH: i16 = 1;

/// What the floor must know of a request, positions counted from behind the prefix.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Produce { correlation: i32, partition: i32, batch: Range<usize> },
    Fetch { correlation: i32, partition: i32, offset: i64, bytes_max: usize },
}

pub fn request(frame: &[u8]) -> Option<Request> {
    let mut walk = Walk::new(frame);
    let key = walk.i16()?;
    walk.skip(2)?;
    let correlation = walk.i32()?;
    let client = walk.i16()?;
    walk.skip(usize::try_from(client).unwrap_or(0))?;
    walk.skip(1)?; // the header's tags
    match key {
        KEY_PRODUCE => {
            walk.compact()?; // transactional id
            walk.skip(2 + 4)?; // acks, timeout
            walk.varint()?;
            walk.compact()?; // name
            walk.varint()?;
            let partition = walk.i32()?;
            Some(Request::Produce { correlation, partition, batch: walk.compact()? })
        }
        KEY_FETCH => {
            walk.skip(4 + 4 + 4 + 4 + 1 + 4 + 4)?;
            walk.varint()?;
            walk.compact()?; // name
            walk.varint()?;
            let partition = walk.i32()?;
            walk.skip(4)?;
            let offset = walk.i64()?;
            walk.skip(4 + 8)?;
            let bytes_max = usize::try_from(walk.i32()?).ok()?;
            Some(Request::Fetch { correlation, partition, offset, bytes_max })
        }
        _ => None,
    }
}

/// The error code of a Produce answer.
pub fn produce_error(frame: &[u8]) -> Option<i16> {
    let mut walk = Walk::new(frame);
    walk.skip(4 + 1)?; // correlation, tags
    walk.varint()?;
    walk.compact()?; // name
    walk.varint()?;
    walk.skip(4)?;
    walk.i16()
}

/// The error code of a Fetch answer, and where its records are.
pub fn fetched(frame: &[u8]) -> Option<(i16, Range<usize>)> {
    let mut walk = Walk::new(frame);
    walk.skip(4 + 1 + 4)?; // correlation, tags, throttle time
    let whole = walk.i16()?;
    walk.skip(4)?;
    if whole != 0 {
        return Some((whole, 0..0));
    }
    walk.varint()?;
    walk.compact()?; // name
    walk.varint()?;
    walk.skip(4)?;
    let error = walk.i16()?;
    walk.skip(8 + 8 + 8)?;
    walk.varint()?; // no aborted transactions
    walk.skip(4)?;
    Some((error, walk.compact()?))
}

/// The offset behind the last whole batch of `records`: where a consumer goes on.
pub fn next_offset(records: &[u8]) -> Option<i64> {
    const LENGTH_ENDS: usize = 12;
    let mut next = None;
    let mut rest = records;
    while rest.len() > LENGTH_ENDS {
        let mut walk = Walk::new(rest);
        let base = walk.i64()?;
        let length = usize::try_from(walk.i32()?).ok()?;
        walk.skip(4 + 1 + 4 + 2)?; // epoch, magic, crc, attributes
        let last_delta = walk.i32()?;
        if rest.len() < LENGTH_ENDS + length {
            break;
        }
        next = Some(base + i64::from(last_delta) + 1);
        rest = &rest[LENGTH_ENDS + length..];
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::{BatchShape, fetch_frame, produce_frame};

    #[test]
    fn the_walk_finds_what_the_codec_wrote() {
        let batch = BatchShape { batch_bytes: 3000, value_bytes: 100 }.build();
        let frame = produce_frame(7, &batch, 1).unwrap();
        let Some(Request::Produce { correlation: 1, partition: 7, batch: found }) =
            request(&frame[4..])
        else {
            panic!("{:?}", request(&frame[4..]));
        };
        assert_eq!(frame[4..][found], batch);
        let count = records::BatchHeader::parse(&batch).unwrap().records_count;
        assert_eq!(next_offset(&batch), Some(i64::from(count)));
        assert_eq!(next_offset(&[&batch[..], &batch[..99]].concat()), Some(i64::from(count)));

        let (mut frame, at) = fetch_frame(3, 65536).unwrap();
        frame[at..at + 8].copy_from_slice(&99_i64.to_be_bytes());
        let fetch = Request::Fetch { correlation: 1, partition: 3, offset: 99, bytes_max: 65536 };
        assert_eq!(request(&frame[4..]), Some(fetch));
        for cut in 0..frame.len() - 20 {
            assert_eq!(request(&frame[4.min(cut)..cut]), None, "{cut} bytes");
        }
    }
}
