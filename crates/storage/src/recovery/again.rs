use crate::error::StorageError;
use crate::limits::SCAN_CHUNK_BYTES;
use crate::segment::Segment;
use env::{Disk, DiskFile};

/// Sound bytes that are written where they were read. The last process may have met an error of
/// writing them back: then the page cache has them, clean, and the disk has not, and no sync says
/// so any more.
pub(super) struct Again<'a, D: Disk> {
    segment: &'a Segment<D>,
    position: u64,
    bytes: Vec<u8>,
}

impl<'a, D: Disk> Again<'a, D> {
    pub(super) fn of(segment: &'a Segment<D>) -> Again<'a, D> {
        Again { segment, position: 0, bytes: Vec::new() }
    }

    /// Of a batch that follows on the one before.
    pub(super) fn push(&mut self, position: u64, bytes: &[u8]) -> Result<(), StorageError> {
        if self.bytes.is_empty() {
            self.position = position;
        }
        self.bytes.extend_from_slice(bytes);
        match self.bytes.len() < SCAN_CHUNK_BYTES {
            true => Ok(()),
            false => self.write(),
        }
    }

    pub(super) fn write(&mut self) -> Result<(), StorageError> {
        if !self.bytes.is_empty() {
            let (bytes, position) = (&self.bytes, self.position);
            self.segment.write("write segment again", |file| file.write_at(bytes, position))?;
            self.bytes.clear();
        }
        Ok(())
    }
}
