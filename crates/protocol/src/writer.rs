mod compound;
mod tags;
mod text;

use bytes::{Bytes, BytesMut};
use types::Uuid;

pub use tags::Tags;

use crate::{EncodeError, EncodeErrorKind, Message};

/// Builds one frame: small values in one buffer, large byte fields by reference between its parts.
///
/// Invariant: the positions in `large` ascend and lie within `small`.
#[derive(Debug, Default)]
pub struct Writer {
    small: BytesMut,
    /// Byte fields passed on uncopied, each with the length of `small` at which it belongs.
    large: Vec<(usize, Bytes)>,
    message: &'static str,
    version: i16,
    flexible: bool,
    /// What a version cannot carry is dropped, ignorable or not: see [`Writer::for_response`].
    drops: bool,
    /// Inside a tagged field everything is copied, because the field's length goes before it.
    in_tag: bool,
}

impl Writer {
    pub fn new() -> Writer {
        Writer::default()
    }

    /// A writer that goes on behind what `small` already holds.
    pub fn with_buffer(small: BytesMut) -> Writer {
        Writer { small, ..Writer::default() }
    }

    /// A response is written once for clients of all versions: what an older one cannot be told, it
    /// is not told. A request that says less than was meant would be another request.
    pub(crate) fn for_response(small: BytesMut) -> Writer {
        Writer { small, drops: true, ..Writer::default() }
    }

    pub fn len(&self) -> usize {
        self.small.len() + self.large.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    pub fn is_empty(&self) -> bool {
        self.small.is_empty() && self.large.is_empty()
    }

    /// What was written, in order, large byte fields uncopied.
    pub fn finish(self) -> Vec<Bytes> {
        let small = self.small.freeze();
        if self.large.is_empty() {
            return vec![small];
        }
        let mut parts = Vec::with_capacity(2 * self.large.len() + 1);
        let mut from = 0;
        for (at, bytes) in self.large {
            if from < at {
                parts.push(small.slice(from..at));
                from = at;
            }
            parts.push(bytes);
        }
        if from < small.len() {
            parts.push(small.slice(from..));
        }
        parts
    }

    /// What was written as one piece; copies unless nothing large is in it.
    pub fn into_bytes(self) -> Bytes {
        if self.large.is_empty() {
            return self.small.freeze();
        }
        let mut flat = BytesMut::with_capacity(self.len());
        self.finish().iter().for_each(|part| flat.extend_from_slice(part));
        flat.freeze()
    }

    /// Overwrites four bytes written earlier, which must not lie behind a large field.
    pub(crate) fn patch_i32(&mut self, at: usize, value: i32) {
        self.small[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn begin<M: Message>(&mut self, version: i16) -> Result<(), EncodeError> {
        (self.message, self.version) = (M::NAME, version);
        self.flexible = M::FLEXIBLE_FROM.is_some_and(|first| version >= first);
        match M::VERSIONS.contains(&version) {
            true => Ok(()),
            false => Err(self.error(EncodeErrorKind::UnsupportedVersion)),
        }
    }

    fn error(&self, kind: EncodeErrorKind) -> EncodeError {
        EncodeError { message: self.message, version: self.version, kind }
    }

    /// Errors: a field that is set in a version that cannot carry it.
    pub fn only_default(&self, is_default: bool, field: &'static str) -> Result<(), EncodeError> {
        match is_default || self.drops {
            true => Ok(()),
            false => Err(self.error(EncodeErrorKind::FieldNotInVersion(field))),
        }
    }

    /// Errors: a field that is null in a version that cannot say so.
    pub fn non_null<'a, T>(
        &self,
        value: &'a Option<T>,
        field: &'static str,
    ) -> Result<&'a T, EncodeError> {
        value.as_ref().ok_or(self.error(EncodeErrorKind::NullField(field)))
    }
}

/// Numbers.
impl Writer {
    pub fn bool(&mut self, value: bool) {
        self.i8(i8::from(value));
    }

    pub fn i8(&mut self, value: i8) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i16(&mut self, value: i16) {
        self.raw(&value.to_be_bytes());
    }

    pub fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    pub fn f64(&mut self, value: f64) {
        self.raw(&value.to_be_bytes());
    }

    pub fn uuid(&mut self, value: Uuid) {
        self.raw(&value.0);
    }

    pub fn unsigned_varint(&mut self, value: u32) {
        let (bytes, length) = varint(value);
        self.raw(&bytes[..length]);
    }

    /// Bytes without a length before them.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.small.extend_from_slice(bytes);
    }
}

/// Seven bits a byte, least significant first: the bytes and how many of them count.
fn varint(mut value: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut last = 0;
    while value >= 0x80 {
        bytes[last] = (value & 0x7f) as u8 | 0x80;
        value >>= 7;
        last += 1;
    }
    bytes[last] = value as u8;
    (bytes, last + 1)
}
