use bytes::{Bytes, BytesMut};
use types::Uuid;

use crate::limits::UNCOPIED_BYTES_MIN;
use crate::{EncodeError, EncodeErrorKind, Fields, Message};

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

/// Strings and bytes.
impl Writer {
    pub fn string(&mut self, value: &str) -> Result<(), EncodeError> {
        match self.flexible {
            true => self.compact_length(value.len())?,
            false => self.narrow_length(value.len())?,
        }
        self.raw(value.as_bytes());
        Ok(())
    }

    pub fn nullable_string(&mut self, value: &Option<impl AsRef<str>>) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.string(value.as_ref())?,
            None if self.flexible => self.unsigned_varint(0),
            None => self.i16(-1),
        }
        Ok(())
    }

    /// A string whose length takes two bytes even in flexible versions.
    pub fn rigid_nullable_string(
        &mut self,
        value: &Option<impl AsRef<str>>,
    ) -> Result<(), EncodeError> {
        let Some(value) = value else {
            self.i16(-1);
            return Ok(());
        };
        self.narrow_length(value.as_ref().len())?;
        self.raw(value.as_ref().as_bytes());
        Ok(())
    }

    pub fn bytes(&mut self, value: &Bytes) -> Result<(), EncodeError> {
        self.wide_length(value.len())?;
        match value.len() >= UNCOPIED_BYTES_MIN && !self.in_tag {
            true => self.large.push((self.small.len(), value.clone())),
            false => self.raw(value),
        }
        Ok(())
    }

    pub fn nullable_bytes(&mut self, value: &Option<Bytes>) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.bytes(value)?,
            None => self.null(),
        }
        Ok(())
    }

    /// Record batches, opaque here.
    pub fn records(&mut self, value: &Bytes) -> Result<(), EncodeError> {
        self.bytes(value)
    }

    pub fn nullable_records(&mut self, value: &Option<Bytes>) -> Result<(), EncodeError> {
        self.nullable_bytes(value)
    }

    /// The length of bytes, records and arrays: four bytes, or compact.
    fn wide_length(&mut self, length: usize) -> Result<(), EncodeError> {
        if self.flexible {
            return self.compact_length(length);
        }
        match i32::try_from(length) {
            Ok(length) => self.i32(length),
            Err(_) => return Err(self.error(EncodeErrorKind::TooLong(length))),
        }
        Ok(())
    }

    fn narrow_length(&mut self, length: usize) -> Result<(), EncodeError> {
        match i16::try_from(length) {
            Ok(length) => self.i16(length),
            Err(_) => return Err(self.error(EncodeErrorKind::TooLong(length))),
        }
        Ok(())
    }

    /// One more than the length, so that 0 can stand for null.
    fn compact_length(&mut self, length: usize) -> Result<(), EncodeError> {
        match i32::try_from(length) {
            Ok(length) => self.unsigned_varint(length.unsigned_abs() + 1),
            Err(_) => return Err(self.error(EncodeErrorKind::TooLong(length))),
        }
        Ok(())
    }

    fn null(&mut self) {
        match self.flexible {
            true => self.unsigned_varint(0),
            false => self.i32(-1),
        }
    }
}

/// Arrays, structs and tagged fields.
impl Writer {
    pub fn array<T: Copy>(
        &mut self,
        values: &[T],
        element: impl Fn(&mut Writer, T),
    ) -> Result<(), EncodeError> {
        self.wide_length(values.len())?;
        values.iter().for_each(|value| element(self, *value));
        Ok(())
    }

    pub fn nullable_array<T: Copy>(
        &mut self,
        values: &Option<Vec<T>>,
        element: impl Fn(&mut Writer, T),
    ) -> Result<(), EncodeError> {
        match values {
            Some(values) => self.array(values, element)?,
            None => self.null(),
        }
        Ok(())
    }

    pub fn strings(&mut self, values: &[impl AsRef<str>]) -> Result<(), EncodeError> {
        self.wide_length(values.len())?;
        values.iter().try_for_each(|value| self.string(value.as_ref()))
    }

    pub fn nullable_strings(
        &mut self,
        values: &Option<Vec<impl AsRef<str>>>,
    ) -> Result<(), EncodeError> {
        match values {
            Some(values) => self.strings(values)?,
            None => self.null(),
        }
        Ok(())
    }

    pub fn structs<T: Fields>(&mut self, values: &[T], version: i16) -> Result<(), EncodeError> {
        self.wide_length(values.len())?;
        values.iter().try_for_each(|value| value.write(self, version))
    }

    pub fn nullable_structs<T: Fields>(
        &mut self,
        values: &Option<Vec<T>>,
        version: i16,
    ) -> Result<(), EncodeError> {
        match values {
            Some(values) => self.structs(values, version)?,
            None => self.null(),
        }
        Ok(())
    }

    /// A struct behind a byte that says whether it is there.
    pub fn nullable_structure<T: Fields>(
        &mut self,
        value: &Option<T>,
        version: i16,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => {
                self.i8(1);
                value.write(self, version)?;
            }
            None => self.i8(-1),
        }
        Ok(())
    }

    /// A struct's tagged fields: `fields` adds each that is set, lowest tag first.
    pub fn tags(
        &mut self,
        fields: impl FnOnce(&mut Tags<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        if !self.flexible {
            return Ok(());
        }
        // The count takes one byte: no struct has 128 tagged fields.
        let count_at = self.small.len();
        self.small.extend_from_slice(&[0]);
        let outer = std::mem::replace(&mut self.in_tag, true);
        let mut tags = Tags { writer: self, count: 0 };
        fields(&mut tags)?;
        let count = tags.count;
        self.small[count_at] = count;
        self.in_tag = outer;
        Ok(())
    }

    pub fn no_tags(&mut self) {
        if self.flexible {
            self.small.extend_from_slice(&[0]);
        }
    }
}

/// The tagged fields of one struct as they are written.
#[derive(Debug)]
pub struct Tags<'a> {
    writer: &'a mut Writer,
    count: u8,
}

impl Tags<'_> {
    pub fn field(
        &mut self,
        tag: u32,
        value: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let writer = &mut *self.writer;
        writer.unsigned_varint(tag);
        let from = writer.small.len();
        value(writer)?;
        writer.insert_length(from);
        self.count += 1;
        Ok(())
    }
}

impl Writer {
    /// Puts the length of what was written since `from` before it. Moving a few bytes is cheaper
    /// than computing sizes first: tagged fields are rare and small.
    fn insert_length(&mut self, from: usize) {
        let length = self.small.len() - from;
        let (prefix, bytes) = varint(length as u32);
        let prefix = &prefix[..bytes];
        self.small.extend_from_slice(prefix);
        self.small.copy_within(from..from + length, from + prefix.len());
        self.small[from..from + prefix.len()].copy_from_slice(prefix);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bytes_inside_a_tagged_field_stay_behind_its_length() {
        let large = Bytes::from(vec![7; UNCOPIED_BYTES_MIN]);
        let mut w = Writer { flexible: true, ..Writer::new() };
        let write = |w: &mut Writer| {
            w.tags(|inner| inner.field(9, |w| w.bytes(&Bytes::from_static(b"x"))))?;
            w.bytes(&large)
        };
        w.tags(|tags| tags.field(300, write)).unwrap();
        w.bytes(&large).unwrap();
        let parts = w.finish();
        assert_eq!(parts.len(), 2, "only the bytes after the tagged field go uncopied");
        // One tag, number 300, 1031 bytes: 5 for the inner tag, 2 for the length, 1024.
        assert_eq!(parts[0][..5], [1, 0xac, 0x02, 0x87, 0x08]);
        assert_eq!(parts[0][5..10], [1, 9, 2, 2, b'x']);
    }
}
