//! Puts back what a power loss took: bytes that were committed in the journal and had not reached
//! their segments.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use env::{Disk, DiskFile, OpenMode};

use super::frame::{Entry, FrameHead, HEADER_BYTES};
use super::journal::HALVES;
use crate::error::StorageError;
use crate::file_names::{FileKind, OffsetFile, parse_partition_dir};
use crate::log_dirs::read_topic_id;

/// What a start found in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Whole commits.
    pub frames: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes that were not in the segments any more, or not the same.
    pub restored: u64,
    /// Entries of partitions or segments that are gone.
    pub passed_over: u64,
}

/// Replays the journal of a directory whose logs are not open yet, then empties it. Doing it again
/// does nothing more.
///
/// # Errors
/// [`StorageError`]: the directory cannot be used.
pub(crate) fn replay<D: Disk>(disk: &D, dir: &Path) -> Result<Replayed, StorageError> {
    let mut halves = Vec::new();
    for name in HALVES {
        let path = dir.join(name);
        match disk.open(&path, OpenMode::ReadWrite) {
            Ok(file) => halves.push(Half { path, file }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StorageError::io("open commit journal", &path)(error)),
        }
    }
    let mut heads = Vec::new();
    for half in &halves {
        heads.extend(half.head(0)?.map(|head| (head.sequence, half)));
    }
    // The older half first: a later frame may hold other bytes for the same place.
    heads.sort_by_key(|(sequence, _)| *sequence);
    let mut restoring =
        Restoring { disk, dir, read_anew: BTreeMap::new(), replayed: Replayed::default() };
    for (_, half) in heads {
        restoring.half(half)?;
    }
    let replayed = restoring.replayed;
    if let (Some(half), true) = (halves.first(), replayed.frames > 0) {
        let failed = StorageError::io("sync file system of", dir);
        half.file.sync_file_system().map_err(failed)?;
    }
    for half in &halves {
        let failed = StorageError::io("empty commit journal", &half.path);
        half.empty().map_err(failed)?;
    }
    Ok(replayed)
}

struct Half<F> {
    path: PathBuf,
    file: F,
}

impl<F: DiskFile> Half<F> {
    fn head(&self, at: u64) -> Result<Option<FrameHead>, StorageError> {
        let mut bytes = [0; HEADER_BYTES];
        let got = self.read(&mut bytes, at)?;
        Ok(FrameHead::parse(&bytes[..got]))
    }

    /// Cut to nothing, it holds no frame of an earlier use.
    fn empty(&self) -> io::Result<()> {
        if self.file.len()? == 0 {
            return Ok(());
        }
        // An error that the last process was not told of is told now, and is about what goes.
        _ = self.file.sync();
        self.file.set_len(0)?;
        self.file.sync()
    }

    fn read(&self, into: &mut [u8], at: u64) -> Result<usize, StorageError> {
        let failed = StorageError::io("read commit journal", &self.path);
        self.file.read_at(into, at).map_err(failed)
    }
}

struct Restoring<'a, D: Disk> {
    disk: &'a D,
    dir: &'a Path,
    /// Segments, and from where on memory has nothing of them but what the disk has.
    read_anew: BTreeMap<PathBuf, u64>,
    replayed: Replayed,
}

impl<D: Disk> Restoring<'_, D> {
    /// All frames from the start on whose numbers follow one on another; the first that is torn, or
    /// left from an earlier use, is the end.
    fn half(&mut self, half: &Half<D::File>) -> Result<(), StorageError> {
        let mut at = 0;
        let mut expected = None;
        while let Some(head) = half.head(at)? {
            if expected.is_some_and(|expected| expected != head.sequence) {
                break;
            }
            let mut frame = vec![0; head.bytes];
            let got = half.read(&mut frame, at)?;
            let Some(entries) = head.entries(&frame[..got]) else { break };
            for entry in entries {
                self.restore(&entry)?;
            }
            self.replayed.frames += 1;
            expected = Some(head.sequence + 1);
            at += head.padded_bytes();
        }
        Ok(())
    }

    /// Writes an entry's bytes where they belong, also if they are there: memory may keep what it
    /// was advised to let go of.
    fn restore(&mut self, entry: &Entry<'_>) -> Result<(), StorageError> {
        self.replayed.bytes += entry.bytes.len() as u64;
        // A name from a file becomes part of a path only if it is a partition's.
        let is_partition = parse_partition_dir(entry.dir).is_some();
        let partition_dir = self.dir.join(entry.dir);
        if !is_partition || read_topic_id(self.disk, &partition_dir)? != Some(entry.topic_id) {
            self.replayed.passed_over += 1;
            return Ok(());
        }
        let path = partition_dir.join(OffsetFile::live(entry.segment_base, FileKind::Log).name());
        let file = match self.disk.open(&path, OpenMode::ReadWrite) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Its name was on disk before the entry was: it was removed since.
                self.replayed.passed_over += 1;
                return Ok(());
            }
            Err(error) => return Err(StorageError::io("open segment", &path)(error)),
        };
        let mut there = vec![0; entry.bytes.len()];
        let written = (|| {
            let read_anew = self.read_anew.entry(path.clone()).or_insert(u64::MAX);
            if entry.position < *read_anew {
                file.forget_cached(entry.position)?;
                *read_anew = entry.position;
            }
            let got = file.read_at(&mut there, entry.position)?;
            if there[..got] != *entry.bytes {
                self.replayed.restored += entry.bytes.len() as u64;
            }
            file.write_at(entry.bytes, entry.position)
        })();
        written.map_err(StorageError::io("restore segment", &path))
    }
}
