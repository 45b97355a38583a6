//! Whole batches, and how to step through a run of them.

use bytes::{Bytes, BytesMut};
use types::{LeaderEpoch, Offset};

use crate::compression;
use crate::error::BatchError;
use crate::header::{self, BatchHeader};
use crate::limits;
use crate::record::Records;

/// A header and the bytes it heads, header included. Cheap to clone.
///
/// **Invariant:** `bytes.len() == header.size_bytes()`. The checksum is as yet unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "DefaultRecordBatch")]
pub struct RecordBatch {
    header: BatchHeader,
    bytes: Bytes,
}

impl RecordBatch {
    /// The batch at the start of `bytes`; what follows it is left alone.
    ///
    /// # Errors
    /// See [`BatchHeader::parse`]; [`BatchError::Torn`] if the records are not all there.
    pub fn parse(bytes: &Bytes) -> Result<RecordBatch, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        let needed = header.size_bytes();
        if bytes.len() < needed {
            return Err(BatchError::Torn { needed, available: bytes.len() });
        }
        Ok(RecordBatch { header, bytes: bytes.slice(..needed) })
    }

    pub(crate) fn from_parts(header: BatchHeader, bytes: Bytes) -> RecordBatch {
        assert_eq!(header.size_bytes(), bytes.len(), "a batch is as long as its header says");
        RecordBatch { header, bytes }
    }

    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch as it lies on disk.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn base_offset(&self) -> Offset {
        self.header.base_offset
    }

    pub fn last_offset(&self) -> Offset {
        self.header.last_offset()
    }

    pub fn next_offset(&self) -> Offset {
        self.header.next_offset()
    }

    /// The block of records, compressed as the attributes say.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(BatchHeader::BYTES..)
    }

    /// Whether the checksum belongs to the bytes.
    ///
    /// # Errors
    /// [`BatchError::BadChecksum`]
    pub fn verify_crc(&self) -> Result<(), BatchError> {
        self.header.verify_crc(&self.bytes)
    }

    /// The records, decompressed all at once, within [`limits::decompressed_bytes_max`].
    ///
    /// # Errors
    /// What the block or the count is wrong about; each record may fail for itself.
    pub fn records(&self) -> Result<Records, BatchError> {
        let codec = self.header.compression()?;
        if self.header.records_count == 0 {
            // Emptied by compaction: there is no block, not even a compressed nothing.
            return Records::new(&self.header, Bytes::new());
        }
        let payload = self.payload();
        let limit = limits::decompressed_bytes_max(payload.len());
        Records::new(&self.header, compression::decompress(codec, &payload, limit)?)
    }

    /// The same batch elsewhere in a log, under another leader: copies the bytes, keeps the
    /// checksum.
    pub fn moved_to(&self, base_offset: Offset, leader_epoch: LeaderEpoch) -> RecordBatch {
        let mut bytes = BytesMut::from(&self.bytes[..]);
        header::patch_base_offset(&mut bytes, base_offset);
        header::patch_leader_epoch(&mut bytes, leader_epoch);
        let header = BatchHeader { base_offset, leader_epoch, ..self.header.clone() };
        RecordBatch { header, bytes: bytes.freeze() }
    }
}

/// The batches in `bytes`, one after another. Checksums stay unchecked. Ends after the first error;
/// a fetched slice normally ends with [`BatchError::Torn`].
pub fn batches(bytes: &Bytes) -> Batches {
    Batches { rest: bytes.clone() }
}

/// See [`batches`].
#[derive(Clone, Debug)]
pub struct Batches {
    rest: Bytes,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, BatchError>;

    fn next(&mut self) -> Option<Result<RecordBatch, BatchError>> {
        if self.rest.is_empty() {
            return None;
        }
        let batch = RecordBatch::parse(&self.rest);
        match &batch {
            Ok(batch) => self.rest = self.rest.slice(batch.size_bytes()..),
            Err(_) => self.rest = Bytes::new(),
        }
        Some(batch)
    }
}

/// The headers in `bytes` with the position where each batch starts, without touching the records.
/// Ends after the first error, [`BatchError::Torn`] if the last batch is not all there.
pub fn headers(bytes: &[u8]) -> HeaderScan<'_> {
    HeaderScan { bytes, position: 0 }
}

/// See [`headers`].
#[derive(Clone, Debug)]
pub struct HeaderScan<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl HeaderScan<'_> {
    /// Where the next batch starts; after the end or an error, where the sound part ends.
    pub fn position(&self) -> usize {
        self.position
    }
}

impl Iterator for HeaderScan<'_> {
    type Item = Result<(usize, BatchHeader), BatchError>;

    fn next(&mut self) -> Option<Result<(usize, BatchHeader), BatchError>> {
        let rest = self.bytes.get(self.position..).filter(|rest| !rest.is_empty())?;
        let parsed = BatchHeader::parse(rest).and_then(|header| {
            let needed = header.size_bytes();
            match rest.len() < needed {
                true => Err(BatchError::Torn { needed, available: rest.len() }),
                false => Ok(header),
            }
        });
        let header = match parsed {
            Ok(header) => header,
            Err(error) => {
                self.bytes = &[];
                return Some(Err(error));
            }
        };
        let start = self.position;
        self.position += header.size_bytes();
        Some(Ok((start, header)))
    }
}
