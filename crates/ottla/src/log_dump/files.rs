//! The files of a partition's directory, read from front to back.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use records::{BatchHeader, RecordBatch};

use crate::failure::{Exit, Failure, file_failure};

/// The batches of a segment, in order.
#[derive(Debug)]
pub struct BatchFile {
    path: String,
    file: BufReader<File>,
    position: u64,
    length: u64,
    has_ended: bool,
}

/// A batch and where it stands in its file.
#[derive(Debug)]
pub struct Found {
    pub position: u64,
    pub batch: RecordBatch,
}

impl Found {
    pub fn is_valid(&self) -> bool {
        self.batch.verify_crc().is_ok()
    }
}

impl BatchFile {
    pub fn open(path: &str) -> Result<BatchFile, Failure> {
        let file = File::open(path).map_err(|error| file_failure("open", path, &error))?;
        let length = file.metadata().map_err(|error| file_failure("open", path, &error))?.len();
        let file = BufReader::with_capacity(256 * 1024, file);
        Ok(BatchFile { path: path.to_owned(), file, position: 0, length, has_ended: false })
    }

    /// The next batch; `None` at the end, which in a preallocated segment is where zeros begin.
    fn read(&mut self) -> Result<Option<Found>, Failure> {
        let left = self.length - self.position;
        if left < BatchHeader::LOG_OVERHEAD as u64 {
            return Ok(None);
        }
        let mut overhead = [0; BatchHeader::LOG_OVERHEAD];
        self.fill(&mut overhead)?;
        let length = i32::from_be_bytes([overhead[8], overhead[9], overhead[10], overhead[11]]);
        if overhead == [0; BatchHeader::LOG_OVERHEAD] {
            return Ok(None);
        }
        let size = u64::try_from(length).map(|length| length + overhead.len() as u64);
        let Some(size) = size.ok().filter(|size| *size <= left) else {
            return Err(self.damaged(format!("a batch claims {length} bytes, {left} are left")));
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let mut bytes = vec![0; size];
        let (front, rest) = bytes.split_at_mut(overhead.len());
        front.copy_from_slice(&overhead);
        self.fill(rest)?;
        let batch = RecordBatch::parse(&Bytes::from(bytes))
            .map_err(|error| self.damaged(error.to_string()))?;
        let position = self.position;
        self.position += size as u64;
        Ok(Some(Found { position, batch }))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failure> {
        self.file.read_exact(bytes).map_err(|error| file_failure("read", &self.path, &error))
    }

    fn damaged(&self, why: String) -> Failure {
        let what = format!("read the batch at {} of {}", self.position, self.path);
        Failure::new(Exit::Failed, "CORRUPT_LOG", what, why)
    }
}

impl Iterator for BatchFile {
    type Item = Result<Found, Failure>;

    fn next(&mut self) -> Option<Result<Found, Failure>> {
        if self.has_ended {
            return None;
        }
        let found = self.read().transpose();
        self.has_ended = !matches!(found, Some(Ok(_)));
        found
    }
}

/// Relative offset and position, with the segment's base added. 8 bytes in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    pub offset: i64,
    pub position: i32,
}

/// A timestamp and the relative offset of its record, with the segment's base added. 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeIndexEntry {
    pub timestamp: i64,
    pub offset: i64,
}

/// The entries of an offset index. A tail of zeros was preallocated and holds nothing.
pub fn index_entries(path: &str) -> Result<Vec<IndexEntry>, Failure> {
    let base = base_offset(path);
    let entries = read_entries::<8>(path)?.into_iter().map(|entry| {
        let [a, b, c, d, e, f, g, h] = entry;
        IndexEntry {
            offset: base + i64::from(i32::from_be_bytes([a, b, c, d])),
            position: i32::from_be_bytes([e, f, g, h]),
        }
    });
    Ok(entries.collect())
}

/// The entries of a time index.
pub fn time_index_entries(path: &str) -> Result<Vec<TimeIndexEntry>, Failure> {
    let base = base_offset(path);
    let entries = read_entries::<12>(path)?.into_iter().map(|entry| {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = entry;
        TimeIndexEntry {
            timestamp: i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            offset: base + i64::from(i32::from_be_bytes([i, j, k, l])),
        }
    });
    Ok(entries.collect())
}

fn read_entries<const N: usize>(path: &str) -> Result<Vec<[u8; N]>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| file_failure("read", path, &error))?;
    let (entries, _) = bytes.as_chunks::<N>();
    let used = entries.iter().rposition(|entry| *entry != [0; N]).map_or(0, |last| last + 1);
    Ok(entries[..used].to_vec())
}

/// The offset that a file's name begins with.
pub fn base_offset(path: &str) -> i64 {
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('.').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use records::{BatchBuilder, NewRecord};
    use types::{Offset, WallTime};

    use super::*;

    fn batch(base: i64) -> Bytes {
        let mut builder = BatchBuilder::new().base_offset(Offset(base));
        let value = Some(&b"v"[..]);
        builder.push(NewRecord { timestamp: WallTime(5), value, ..NewRecord::default() });
        builder.build().into_bytes()
    }

    #[test]
    fn a_preallocated_segment_ends_where_its_zeros_begin() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("00000000000000000000.log");
        let mut bytes = [batch(0), batch(1)].concat();
        bytes.extend([0; 500]);
        std::fs::write(&path, bytes).unwrap();
        let found: Vec<_> =
            BatchFile::open(path.to_str().unwrap()).unwrap().map(Result::unwrap).collect();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(Found::is_valid));
        assert_eq!(found[1].position, batch(0).len() as u64);
    }

    #[test]
    fn a_length_beyond_the_file_is_told_and_ends_the_reading() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.log");
        let whole = batch(0);
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let mut file = BatchFile::open(path.to_str().unwrap()).unwrap();
        assert_eq!(file.next().unwrap().unwrap_err().code, "CORRUPT_LOG");
        assert!(file.next().is_none());
    }

    #[test]
    fn index_entries_get_the_base_offset_of_their_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("00000000000000000100.index");
        let mut bytes = [0, 0, 0, 5, 0, 0, 1, 0].to_vec();
        bytes.extend([0; 16]);
        std::fs::write(&path, bytes).unwrap();
        let entries = index_entries(path.to_str().unwrap()).unwrap();
        assert_eq!(entries, [IndexEntry { offset: 105, position: 256 }]);
    }
}
