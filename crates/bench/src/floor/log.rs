//! The floor's file: reserved ahead, written at its end, read where arithmetic says.

use std::fs::File;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, pwritev};

const RESERVE_BYTES: u64 = 1 << 30;

/// All batches are alike, so that offsets and positions follow from each other.
pub struct FloorLog {
    file: File,
    reserved: u64,
    end: u64,
    next_offset: i64,
    batch_bytes: u64,
    batch_records: i64,
}

impl FloorLog {
    pub fn new(file: File) -> FloorLog {
        FloorLog { file, reserved: 0, end: 0, next_offset: 0, batch_bytes: 1, batch_records: 1 }
    }

    /// Checks a batch and writes its base offset and leader epoch into it.
    pub fn place(&mut self, batch: &mut [u8]) -> io::Result<i64> {
        const CRC: Range<usize> = 17..21;
        const LAST_DELTA: Range<usize> = 23..27;
        let field = |range: Range<usize>| batch.get(range)?.first_chunk::<4>().copied();
        let (crc, delta) =
            field(CRC.clone()).zip(field(LAST_DELTA)).ok_or(io::ErrorKind::UnexpectedEof)?;
        if records::crc32c(&batch[CRC.end..]) != u32::from_be_bytes(crc) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "wrong checksum"));
        }
        let base = self.next_offset;
        batch[..8].copy_from_slice(&base.to_be_bytes());
        batch[12..16].copy_from_slice(&0_i32.to_be_bytes());
        self.batch_bytes = batch.len() as u64;
        self.batch_records = i64::from(i32::from_be_bytes(delta)) + 1;
        self.next_offset += self.batch_records;
        Ok(base)
    }

    pub fn write(&mut self, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        while self.end + bytes as u64 > self.reserved {
            fallocate(&self.file, FallocateFlags::KEEP_SIZE, self.reserved, RESERVE_BYTES)?;
            self.reserved += RESERVE_BYTES;
        }
        while !slices.is_empty() {
            match pwritev(&self.file, slices, self.end) {
                Ok(written) => {
                    self.end += written as u64;
                    IoSlice::advance_slices(&mut slices, written);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whole batches from `offset` on, at most `bytes_max`.
    pub fn find(&self, offset: i64, bytes_max: usize) -> Range<u64> {
        let start = ((offset / self.batch_records) as u64 * self.batch_bytes).min(self.end);
        let fits = bytes_max as u64 / self.batch_bytes * self.batch_bytes;
        start..self.end.min(start + fits)
    }

    /// Adds `range` of the file to `out`.
    pub fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> io::Result<()> {
        let at = out.len();
        out.resize(at + (range.end - range.start) as usize, 0);
        self.file.read_exact_at(&mut out[at..], range.start)
    }
}
