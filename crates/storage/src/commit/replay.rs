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
use crate::limits::RESTORED_AT_ONCE_BYTES;
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

impl Replayed {
    fn add(&mut self, more: Replayed) {
        self.frames += more.frames;
        self.bytes += more.bytes;
        self.restored += more.restored;
        self.passed_over += more.passed_over;
    }
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
        let (mut at, mut expected) = (0, None);
        loop {
            let (mut frames, mut bytes) = (Vec::new(), 0);
            while bytes < RESTORED_AT_ONCE_BYTES
                && let Some(head) = half.head(at)?
                && expected.is_none_or(|expected| expected == head.sequence)
            {
                let mut frame = vec![0; head.bytes];
                let got = half.read(&mut frame, at)?;
                frame.truncate(got);
                bytes += head.bytes;
                at += head.padded_bytes();
                expected = Some(head.sequence.wrapping_add(1));
                frames.push((head, frame));
            }
            let whole = frames.iter().map_while(|(head, frame)| head.entries(frame));
            let whole: Vec<_> = whole.collect();
            let is_end = frames.is_empty() || whole.len() < frames.len();
            self.replayed.frames +=
                whole.iter().filter(|entries| !entries.is_empty()).count() as u64;
            self.restore(whole.into_iter().flatten())?;
            if is_end {
                return Ok(());
            }
        }
    }

    /// Those of a segment in their order: a later one may hold other bytes for the same place.
    fn restore<'e>(&mut self, all: impl Iterator<Item = Entry<'e>>) -> Result<(), StorageError> {
        let mut segments = BTreeMap::<_, Vec<_>>::new();
        for entry in all {
            segments.entry((entry.dir, entry.segment_base)).or_default().push(entry);
        }
        let segments = segments.into_iter().map(|((name, base), entries)| {
            let dir = self.dir.join(name);
            let path = dir.join(OffsetFile::live(base, FileKind::Log).name());
            let read_anew = self.read_anew.remove(&path).unwrap_or(u64::MAX);
            Segment { name, dir, path, entries, read_anew, replayed: Replayed::default() }
        });
        let segments = segments.collect();
        for restored in self.disk.side_by_side(segments, |segment| segment.restore(self.disk)) {
            let Segment { path, read_anew, replayed, .. } = restored?;
            self.read_anew.insert(path, read_anew);
            self.replayed.add(replayed);
        }
        Ok(())
    }
}

/// What some frames have of one segment.
struct Segment<'e> {
    /// Of the partition's directory.
    name: &'e str,
    dir: PathBuf,
    path: PathBuf,
    entries: Vec<Entry<'e>>,
    read_anew: u64,
    replayed: Replayed,
}

impl Segment<'_> {
    /// Writes the entries' bytes where they belong, also if they are there: memory may keep what it
    /// was advised to let go of.
    fn restore<D: Disk>(mut self, disk: &D) -> Result<Self, StorageError> {
        self.replayed.bytes = self.entries.iter().map(|entry| entry.bytes.len() as u64).sum();
        // A name from a file becomes part of a path only if it is a partition's.
        let topic_id = match parse_partition_dir(self.name) {
            Some(_) => read_topic_id(disk, &self.dir)?,
            None => None,
        };
        let count = self.entries.len();
        self.entries.retain(|entry| topic_id == Some(entry.topic_id));
        self.replayed.passed_over = (count - self.entries.len()) as u64;
        let Some(first) = self.entries.iter().map(|entry| entry.position).min() else {
            return Ok(self);
        };
        let file = match disk.open(&self.path, OpenMode::ReadWrite) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Its name was on disk before the entries were: it was removed since.
                self.replayed.passed_over = count as u64;
                return Ok(self);
            }
            Err(error) => return Err(StorageError::io("open segment", &self.path)(error)),
        };
        self.write(&file, first).map_err(StorageError::io("restore segment", &self.path))?;
        Ok(self)
    }

    fn write<F: DiskFile>(&mut self, file: &F, first: u64) -> io::Result<()> {
        // Entries are few where large commits went by without the journal.
        file.read_nothing_ahead();
        if first < self.read_anew {
            file.forget_cached(first)?;
            self.read_anew = first;
        }
        for entry in &self.entries {
            let mut there = vec![0; entry.bytes.len()];
            let got = file.read_at(&mut there, entry.position)?;
            if there[..got] != *entry.bytes {
                self.replayed.restored += entry.bytes.len() as u64;
            }
            file.write_at(entry.bytes, entry.position)?;
        }
        Ok(())
    }
}
