use bytes::Bytes;

use super::Writer;
use crate::limits::UNCOPIED_BYTES_MIN;
use crate::{EncodeError, EncodeErrorKind};

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
    pub(super) fn wide_length(&mut self, length: usize) -> Result<(), EncodeError> {
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

    pub(super) fn null(&mut self) {
        match self.flexible {
            true => self.unsigned_varint(0),
            false => self.i32(-1),
        }
    }
}
