//! Offset index: relative offset → file position.   docs/formats/segment.md#offset-index
//!
//! `| relative_offset: u32 be | position: u32 be |` — 8 bytes, both columns strictly growing. The
//! offset is the last one of the batch that starts at the position.

use crate::file_names::FileKind;
use crate::index_file::{IndexEntry, IndexFile};
use bytes::Buf;

#[doc(alias = "OffsetPosition")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// Less the segment's base offset.
    pub(crate) relative_offset: u32,
    /// Where the batch starts in the segment.
    pub(crate) position: u32,
}

pub(crate) type OffsetIndex<D> = IndexFile<D, OffsetEntry>;

impl IndexEntry for OffsetEntry {
    const KIND: FileKind = FileKind::OffsetIndex;
    const BYTES: usize = 8;
    type Key = u32;

    fn key(&self) -> u32 {
        self.relative_offset
    }

    fn follows(&self, earlier: &OffsetEntry) -> bool {
        self.relative_offset > earlier.relative_offset && self.position > earlier.position
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.relative_offset.to_be_bytes());
        out.extend(self.position.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> OffsetEntry {
        let mut bytes = bytes;
        OffsetEntry { relative_offset: bytes.get_u32(), position: bytes.get_u32() }
    }
}
