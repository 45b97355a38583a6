use crate::frame::Frame;
use bytes::Bytes;
use records::BatchHeader;
use records::validate::ValidatedBatch;
use std::io::IoSlice;

/// A batch that has its offsets and awaits the write.
pub(crate) struct Staged {
    pub(crate) frame: Frame,
    /// As settled here; `None` where a leader has settled it and `rest` is all of the batch.
    head: Option<[u8; BatchHeader::BYTES]>,
    rest: Bytes,
}

impl Staged {
    /// A batch that was given its place here: only its head was written anew.
    pub(crate) fn settled(frame: Frame, batch: &ValidatedBatch) -> Staged {
        Staged { frame, head: Some(batch.head()), rest: batch.records().clone() }
    }

    pub(crate) fn as_it_is(frame: Frame, bytes: Bytes) -> Staged {
        Staged { frame, head: None, rest: bytes }
    }

    /// What is written, piece by piece.
    pub(crate) fn slices(&self) -> impl Iterator<Item = IoSlice<'_>> {
        let head = self.head.as_ref().map(|head| IoSlice::new(head));
        head.into_iter().chain([IoSlice::new(&self.rest)])
    }
}
