//! The encoding of KRaft's control values: big-endian integers, compact lengths, tag sections.

use bytes::{Buf, Bytes};
use types::Uuid;

#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub fn i16(&mut self, value: i16) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub fn i32(&mut self, value: i32) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub fn uuid(&mut self, value: Uuid) {
        self.out.extend_from_slice(&value.0);
    }

    pub fn text(&mut self, value: &str) {
        self.length(value.len());
        self.out.extend_from_slice(value.as_bytes());
    }

    pub fn array<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Writer, &T)) {
        self.length(items.len());
        for each in items {
            item(self, each);
        }
    }

    pub fn no_tags(&mut self) {
        self.out.push(0);
    }

    pub fn finish(self) -> Bytes {
        Bytes::from(self.out)
    }

    /// One more than the length; 0 would be null.
    fn length(&mut self, length: usize) {
        let mut rest = length as u64 + 1;
        while rest >= 0x80 {
            self.out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.out.push(rest as u8);
    }
}

/// `None` wherever the bytes end early or make no sense.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub fn i16(&mut self) -> Option<i16> {
        self.rest.try_get_i16().ok()
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.rest.try_get_u16().ok()
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.rest.try_get_i32().ok()
    }

    pub fn i64(&mut self) -> Option<i64> {
        self.rest.try_get_i64().ok()
    }

    pub fn uuid(&mut self) -> Option<Uuid> {
        let (id, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(Uuid(*id))
    }

    pub fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        let text = self.take(length)?;
        String::from_utf8(text.to_vec()).ok()
    }

    /// Grows with what is read, not with the length announced.
    pub fn array<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.length()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(item(self)?);
        }
        Some(items)
    }

    pub fn skip_tags(&mut self) -> Option<()> {
        for _ in 0..self.uvarint()? {
            self.uvarint()?;
            let size = usize::try_from(self.uvarint()?).ok()?;
            self.take(size)?;
        }
        Some(())
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.uvarint()?.checked_sub(1)?).ok()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (piece, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(piece)
    }

    fn uvarint(&mut self) -> Option<u32> {
        let mut value = 0u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.rest.try_get_u8().ok()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).ok();
            }
        }
        None
    }
}
