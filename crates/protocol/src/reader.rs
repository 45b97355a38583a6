use bytes::Bytes;
use types::Uuid;

use crate::limits::{DECODE_BYTES_MIN, DECODE_BYTES_PER_FRAME_BYTE, TAGS_MAX};
use crate::{DecodeError, DecodeErrorKind, Fields, Message, Str};

/// A cursor over one frame. Strings and byte fields share the frame instead of copying it.
///
/// Invariant: `at <= end && end <= frame.len()`. No length is believed before it is compared with
/// the bytes that remain, and all that is allocated for a frame draws on one
/// budget.
#[derive(Clone, Debug)]
pub struct Reader {
    frame: Bytes,
    at: usize,
    /// The end of the frame, or of the tagged field being read.
    end: usize,
    /// Whether the message being read uses compact lengths and tagged fields.
    flexible: bool,
    /// Heap bytes that arrays and mended text may still take.
    budget: usize,
}

impl Reader {
    pub fn new(frame: Bytes) -> Reader {
        let budget = frame.len().saturating_mul(DECODE_BYTES_PER_FRAME_BYTE) + DECODE_BYTES_MIN;
        Reader { at: 0, end: frame.len(), flexible: false, budget, frame }
    }

    pub fn remaining(&self) -> usize {
        self.end - self.at
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Errors: `TrailingBytes` unless everything has been read.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(self.error(DecodeErrorKind::TrailingBytes(left))),
        }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> Bytes {
        self.frame.slice(self.at..self.end)
    }

    pub(crate) fn begin<M: Message>(&mut self, version: i16) -> Result<(), DecodeError> {
        if !M::VERSIONS.contains(&version) {
            let kind = DecodeErrorKind::UnsupportedVersion { message: M::NAME, version };
            return Err(self.error(kind));
        }
        self.flexible = M::FLEXIBLE_FROM.is_some_and(|first| version >= first);
        Ok(())
    }

    pub(crate) fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { at: self.at, kind }
    }
}

/// Numbers.
impl Reader {
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        self.fixed().map(i8::from_be_bytes)
    }

    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        self.fixed().map(i16::from_be_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.fixed().map(u16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.fixed().map(i32::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_be_bytes)
    }

    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.fixed().map(i64::from_be_bytes)
    }

    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.fixed().map(f64::from_be_bytes)
    }

    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.fixed().map(Uuid)
    }

    /// Seven bits a byte, least significant first, at most 32 bits.
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.fixed()?;
            let bits = u32::from(byte & 0x7f);
            // The fifth byte has room for four bits only.
            if shift == 28 && byte > 0x0f {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.error(DecodeErrorKind::VarintTooLong))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.frame[self.at..self.end].first_chunk::<N>() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(self.truncated(N)),
        }
    }

    /// Takes from the memory budget of the frame.
    fn charge(&mut self, bytes: usize) -> Result<(), DecodeError> {
        match self.budget.checked_sub(bytes) {
            Some(left) => self.budget = left,
            None => return Err(self.error(DecodeErrorKind::TooMuchMemory)),
        }
        Ok(())
    }

    fn truncated(&self, wanted: usize) -> DecodeError {
        let remaining = self.remaining();
        self.error(DecodeErrorKind::Truncated { wanted, remaining })
    }
}

/// Strings and bytes.
impl Reader {
    pub fn string(&mut self) -> Result<Str, DecodeError> {
        let value = self.nullable_string()?;
        self.non_null(value)
    }

    pub fn nullable_string(&mut self) -> Result<Option<Str>, DecodeError> {
        match self.flexible {
            true => {
                let length = self.compact_length()?;
                self.text(length)
            }
            false => self.rigid_nullable_string(),
        }
    }

    /// A string whose length takes two bytes even in flexible versions.
    pub fn rigid_nullable_string(&mut self) -> Result<Option<Str>, DecodeError> {
        let length = self.i16()?;
        let length = self.signed_length(i32::from(length))?;
        self.text(length)
    }

    pub fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        let value = self.nullable_bytes()?;
        self.non_null(value)
    }

    pub fn nullable_bytes(&mut self) -> Result<Option<Bytes>, DecodeError> {
        match self.wide_length()? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    /// Record batches, opaque here.
    pub fn records(&mut self) -> Result<Bytes, DecodeError> {
        self.bytes()
    }

    pub fn nullable_records(&mut self) -> Result<Option<Bytes>, DecodeError> {
        self.nullable_bytes()
    }

    fn text(&mut self, length: Option<usize>) -> Result<Option<Str>, DecodeError> {
        let Some(length) = length else { return Ok(None) };
        let bytes = self.take(length)?;
        match Str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => self.mended_text(length).map(Some),
        }
    }

    /// The last `length` bytes with U+FFFD for what is not UTF-8, as Java reads them.
    fn mended_text(&mut self, length: usize) -> Result<Str, DecodeError> {
        // Three bytes may come to stand for one, and a string grows there by doubling: 1 + 2 + 4;
        // then the least that a string and its reference count take.
        self.charge(length.saturating_mul(7).saturating_add(64))?;
        Ok(Str::from_utf8_lossy(&self.frame[self.at - length..self.at]))
    }

    fn take(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length > self.remaining() {
            return Err(self.truncated(length));
        }
        let from = self.at;
        self.at += length;
        Ok(self.frame.slice(from..self.at))
    }

    fn non_null<T>(&self, value: Option<T>) -> Result<T, DecodeError> {
        value.ok_or(self.error(DecodeErrorKind::UnexpectedNull))
    }

    /// The length of bytes, records and arrays: four bytes, or compact.
    fn wide_length(&mut self) -> Result<Option<usize>, DecodeError> {
        match self.flexible {
            true => self.compact_length(),
            false => {
                let length = self.i32()?;
                self.signed_length(length)
            }
        }
    }

    /// One more than the length, so that 0 can stand for null.
    fn compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok(self.unsigned_varint()?.checked_sub(1).map(|length| length as usize))
    }

    fn signed_length(&self, length: i32) -> Result<Option<usize>, DecodeError> {
        match length {
            -1 => Ok(None),
            _ => match usize::try_from(length) {
                Ok(length) => Ok(Some(length)),
                Err(_) => Err(self.error(DecodeErrorKind::NegativeLength(length))),
            },
        }
    }
}

/// Arrays, structs and tagged fields.
impl Reader {
    /// `min_bytes` is the fewest bytes an element takes.
    pub fn array<T>(
        &mut self,
        min_bytes: usize,
        element: impl FnMut(&mut Reader) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let value = self.nullable_array(min_bytes, element)?;
        self.non_null(value)
    }

    pub fn nullable_array<T>(
        &mut self,
        min_bytes: usize,
        mut element: impl FnMut(&mut Reader) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(elements) = self.wide_length()? else { return Ok(None) };
        let mut values = self.reserve(elements, min_bytes)?;
        for _ in 0..elements {
            values.push(element(self)?);
        }
        Ok(Some(values))
    }

    pub fn structs<T: Fields>(&mut self, version: i16) -> Result<Vec<T>, DecodeError> {
        self.array(T::MIN_BYTES, |r| T::read(r, version))
    }

    pub fn nullable_structs<T: Fields>(
        &mut self,
        version: i16,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        self.nullable_array(T::MIN_BYTES, |r| T::read(r, version))
    }

    pub fn structure<T: Fields>(&mut self, version: i16) -> Result<T, DecodeError> {
        T::read(self, version)
    }

    /// A struct behind a byte that says whether it is there.
    pub fn nullable_structure<T: Fields>(
        &mut self,
        version: i16,
    ) -> Result<Option<T>, DecodeError> {
        match self.i8()? {
            ..0 => Ok(None),
            0.. => T::read(self, version).map(Some),
        }
    }

    /// Reads a struct's tagged fields; `known` is called with each tag and a reader that ends where
    /// the field does. What `known` leaves unread is skipped: unknown tags and what newer versions
    /// append.
    pub fn tags(
        &mut self,
        mut known: impl FnMut(&mut Reader, u32) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if !self.flexible {
            return Ok(());
        }
        let count = self.unsigned_varint()?;
        if count > TAGS_MAX {
            return Err(self.error(DecodeErrorKind::TooManyTags(count)));
        }
        for _ in 0..count {
            let tag = self.unsigned_varint()?;
            let length = self.unsigned_varint()? as usize;
            if length > self.remaining() {
                return Err(self.truncated(length));
            }
            let outer_end = std::mem::replace(&mut self.end, self.at + length);
            known(self, tag)?;
            self.at = self.end;
            self.end = outer_end;
        }
        Ok(())
    }

    pub fn skip_tags(&mut self) -> Result<(), DecodeError> {
        self.tags(|_, _| Ok(()))
    }

    /// Room for `elements`, once they are known to be possible and affordable.
    fn reserve<T>(&mut self, elements: usize, min_bytes: usize) -> Result<Vec<T>, DecodeError> {
        let remaining = self.remaining();
        if elements > remaining / min_bytes {
            return Err(self.error(DecodeErrorKind::ArrayTooLong { elements, remaining }));
        }
        self.charge(elements.saturating_mul(size_of::<T>()))?;
        Ok(Vec::with_capacity(elements))
    }
}
