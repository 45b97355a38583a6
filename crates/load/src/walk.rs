//! Walks a frame field by field: no allocation, no decoding.

use std::ops::Range;

/// A position in a frame. Walking past its end yields `None` for ever.
pub struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    is_flexible: bool,
}

impl<'a> Walk<'a> {
    pub fn new(bytes: &'a [u8], is_flexible: bool) -> Walk<'a> {
        Walk { bytes, at: 0, is_flexible }
    }

    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(*taken)
    }

    pub fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count)?;
        Some(())
    }

    pub fn i16(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    pub fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    /// An unsigned one, as lengths and counts of flexible versions are.
    pub fn varint(&mut self) -> Option<usize> {
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

    /// Of an array; null counts as none.
    pub fn count(&mut self) -> Option<usize> {
        match self.is_flexible {
            true => Some(self.varint()?.saturating_sub(1)),
            false => Some(usize::try_from(self.i32()?).unwrap_or(0)),
        }
    }

    /// Steps over a string; null counts as empty.
    pub fn text(&mut self) -> Option<()> {
        let length = match self.is_flexible {
            true => self.varint()?.saturating_sub(1),
            false => usize::try_from(self.i16()?).unwrap_or(0),
        };
        self.skip(length)
    }

    /// Steps over the tagged fields, of which there are none.
    pub fn tags(&mut self) -> Option<()> {
        if self.is_flexible {
            self.skip(1)?;
        }
        Some(())
    }

    /// Where record bytes lie, all of which must be there.
    pub fn records(&mut self) -> Option<Range<usize>> {
        let length = self.count()?;
        let range = self.at..self.at.checked_add(length)?;
        (range.end <= self.bytes.len()).then_some(range)
    }
}
