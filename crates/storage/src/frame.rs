//! Stepping through the batches of a segment file without trusting what lies there.

use crate::error::StorageError;
use crate::limits::{HOP_BYTES_MIN, LOOKUP_CHUNK_BYTES, SCAN_CHUNK_BYTES};
use bytes::{Buf, Bytes};
use env::DiskFile;
use records::legacy::Stored;
use records::{BatchError, BatchHeader};
use std::path::Path;
use types::{Offset, WallTime};

/// What the head of a batch, or of an entry of the old formats 0 and 1, says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The whole of it.
    pub(crate) bytes: u64,
    /// Of an old compressed entry, whose head does not say, the last offset.
    pub(crate) base_offset: Offset,
    pub(crate) last_offset: Offset,
    pub(crate) max_timestamp: WallTime,
    /// `None` for the old formats.
    pub(crate) header: Option<BatchHeader>,
}

/// As much as a head needs: format 2's is the longest.
pub(crate) const HEAD_BYTES: usize = BatchHeader::BYTES;
/// Offset, size, CRC, magic, attributes, key length, value length; format 1 has a timestamp more.
const LEGACY_BYTES_MIN: i32 = 14;
const LEGACY_1_BYTES_MIN: i32 = 22;

impl Frame {
    /// Of a batch that has its offsets.
    pub(crate) fn of(header: &BatchHeader) -> Frame {
        Frame {
            bytes: header.size_bytes() as u64,
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            max_timestamp: header.max_timestamp,
            header: Some(header.clone()),
        }
    }

    /// Reads the head at the start of `bytes`; the rest need not be there.
    ///
    /// # Errors
    /// [`BatchError::Torn`] if not even the head is all there.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Frame, BatchError> {
        match BatchHeader::parse(bytes) {
            Ok(header) if header.base_offset.0 < 0 || header.last_offset_delta < 0 => {
                let what = "a negative offset";
                Err(BatchError::BadRecord { index: 0, what })
            }
            Ok(header) => Ok(Frame::of(&header)),
            Err(BatchError::LegacyMagic(magic)) => Frame::parse_legacy(bytes, magic),
            Err(error) => Err(error),
        }
    }

    fn parse_legacy(bytes: &[u8], magic: i8) -> Result<Frame, BatchError> {
        const HEAD: usize = 26;
        let torn = BatchError::Torn { needed: HEAD, available: bytes.len() };
        let mut head = bytes.get(..HEAD).ok_or(torn)?;
        let (offset, size) = (Offset(head.get_i64()), head.get_i32());
        head.advance(6); // CRC, magic, attributes
        let timestamp = WallTime(head.get_i64());
        let least = if magic == 0 { LEGACY_BYTES_MIN } else { LEGACY_1_BYTES_MIN };
        if size < least || offset.0 < 0 {
            return Err(BatchError::BadLength(size));
        }
        Ok(Frame {
            bytes: BatchHeader::LOG_OVERHEAD as u64 + size as u64,
            base_offset: offset,
            last_offset: offset,
            max_timestamp: if magic == 0 { WallTime::NONE } else { timestamp },
            header: None,
        })
    }

    pub(crate) fn next_offset(&self) -> Offset {
        self.last_offset.plus(1)
    }
}

/// The head of the batch at `position`, which is all there, its checksum checked.
pub(crate) fn checked_frame(bytes: &Bytes, position: usize) -> Result<Frame, BatchError> {
    let rest = &bytes[position..];
    let frame = Frame::parse(rest)?;
    match &frame.header {
        Some(header) => header.verify_crc(rest)?,
        None => _ = checked_batch(&bytes.slice(position..))?,
    }
    Ok(frame)
}

/// The whole batch at the start of `bytes`, its checksum checked.
pub(crate) fn checked_batch(bytes: &Bytes) -> Result<Stored, BatchError> {
    let stored = Stored::parse(bytes)?;
    match &stored {
        Stored::Batch(batch) => batch.verify_crc()?,
        Stored::Legacy(entry) => entry.verify_crc()?,
    }
    Ok(stored)
}

/// Why a scan went no further.
#[derive(Debug)]
pub(crate) enum ScanError {
    /// What lies at the position is no whole batch.
    Bad(String),
    Storage(StorageError),
}

/// Walks the batches of one file. Reads ahead in chunks, past bodies it does not need.
pub(crate) struct FrameScan<'a, F> {
    file: &'a F,
    path: &'a Path,
    position: u64,
    end: u64,
    chunk_bytes: usize,
    buffer: Bytes,
    buffer_at: u64,
    /// The size of the last batch.
    hopped_bytes: u64,
}

impl<'a, F: DiskFile> FrameScan<'a, F> {
    /// Over the bytes from `position` to `end`.
    pub(crate) fn new(file: &'a F, path: &'a Path, position: u64, end: u64) -> FrameScan<'a, F> {
        FrameScan {
            file,
            path,
            position,
            end,
            chunk_bytes: SCAN_CHUNK_BYTES,
            buffer: Bytes::new(),
            buffer_at: position,
            hopped_bytes: 0,
        }
    }

    pub(crate) fn with_chunk(mut self, bytes: usize) -> FrameScan<'a, F> {
        self.chunk_bytes = bytes;
        self
    }

    /// The next batch's position and head. Its body is known to fit before the end, no more.
    pub(crate) fn next_frame(&mut self) -> Result<Option<(u64, Frame)>, ScanError> {
        if self.position >= self.end {
            return Ok(None);
        }
        let left = self.end - self.position;
        let head = self.load(left.min(HEAD_BYTES as u64) as usize)?;
        let frame = Frame::parse(&head).map_err(|error| ScanError::Bad(error.to_string()))?;
        if frame.bytes > left {
            let why = format!("a batch of {} bytes has only {left} left", frame.bytes);
            return Err(ScanError::Bad(why));
        }
        let position = self.position;
        self.position += frame.bytes;
        self.hopped_bytes = frame.bytes;
        Ok(Some((position, frame)))
    }

    /// The next batch whole, its checksum checked. After an error the position is where it starts.
    pub(crate) fn next_checked(&mut self) -> Result<Option<(u64, Frame, Stored)>, ScanError> {
        let Some((position, frame)) = self.next_frame()? else { return Ok(None) };
        self.position = position;
        // Bounded by what is left of the file.
        let bytes = self.load(frame.bytes as usize)?;
        let stored = checked_batch(&bytes).map_err(|error| ScanError::Bad(error.to_string()))?;
        self.position += frame.bytes;
        Ok(Some((position, frame, stored)))
    }

    /// The batch that [`next_frame`](Self::next_frame) has just found, whole, unchecked.
    pub(crate) fn body(&mut self, position: u64, frame: &Frame) -> Result<Bytes, ScanError> {
        let after = std::mem::replace(&mut self.position, position);
        let bytes = self.load(frame.bytes as usize);
        self.position = after;
        bytes
    }

    /// How much is worth reading from here on. Between the heads of large batches lies nothing that
    /// a scan of heads alone would use.
    fn ahead_bytes(&self) -> usize {
        match self.hopped_bytes >= HOP_BYTES_MIN && self.chunk_bytes <= LOOKUP_CHUNK_BYTES {
            true => HEAD_BYTES,
            false => self.chunk_bytes,
        }
    }

    /// `count` bytes at the position.
    fn load(&mut self, count: usize) -> Result<Bytes, ScanError> {
        let skipped = self.position.wrapping_sub(self.buffer_at);
        let held = self.position >= self.buffer_at
            && skipped.saturating_add(count as u64) <= self.buffer.len() as u64;
        if !held {
            let left = self.end - self.position;
            let wanted = count.max((self.ahead_bytes() as u64).min(left) as usize);
            let mut fresh = vec![0; wanted];
            let got = self
                .file
                .read_at(&mut fresh, self.position)
                .map_err(|e| ScanError::Storage(StorageError::io("read segment", self.path)(e)))?;
            if got < count {
                let why = format!("the file ends {} bytes early", count - got);
                return Err(ScanError::Bad(why));
            }
            fresh.truncate(got);
            self.buffer = Bytes::from(fresh);
            self.buffer_at = self.position;
        }
        let from = (self.position - self.buffer_at) as usize;
        Ok(self.buffer.slice(from..from + count))
    }
}
