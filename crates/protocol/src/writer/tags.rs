use super::{Writer, varint};
use crate::EncodeError;

impl Writer {
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::UNCOPIED_BYTES_MIN;

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
