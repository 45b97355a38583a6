//! The commit journal of a log directory: two files, written in turn.   ADR 0007
//!
//! **Invariant:** what a frame holds is also in a segment's file, perhaps only in the page cache. A
//! half is written anew from its start only once all it holds has reached the disk in the segments.
//! Frame numbers only grow, so a frame of an earlier use never continues a later one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use env::{Disk, DiskFile, OpenMode};
use types::TopicPartition;

use super::dirty::{Dirty, Piece};
use super::frame::{Entry, FrameWriter, PAGE_BYTES};
use super::way::Held;
use crate::error::StorageError;
use crate::limits::{
    FILE_NAME_BYTES_MAX, JOURNAL_FILL_BYTES, JOURNAL_FILLING_BYTES_MAX, JOURNAL_FRAME_BYTES,
    JOURNAL_WRITE_BYTES,
};
use crate::log_state::LogState;

pub(crate) const HALVES: [&str; 2] = ["commit-journal-0", "commit-journal-1"];

pub(crate) struct CommitJournal<D: Disk> {
    disk: D,
    dir: PathBuf,
    halves: [Half<D>; 2],
    current: usize,
    /// What a half takes.
    half_bytes: u64,
    next_sequence: u64,
    /// No frame on disk would be replayed.
    is_blank: bool,
    frames: FrameWriter,
}

struct Half<D: Disk> {
    path: PathBuf,
    file: Option<Arc<D::File>>,
    /// Where the next frame goes; before it, all frames count.
    end: u64,
    /// Up to here all blocks have been written once: a sync of what is written over them says
    /// nothing to the file system's own journal, which takes as long as the sync itself.
    filled: u64,
    /// Its logs are on their way to the disk; until then it is not written.
    is_retiring: bool,
    logs: Logs<D>,
}

/// The logs that have frames in a half. A log holds its directory, and that this: they do not hold
/// each other.
pub(crate) type Logs<D> = BTreeMap<TopicPartition, Weak<LogState<D>>>;

/// A half that is full: once its logs are on disk it can be used again.
pub(crate) struct Retiring<D: Disk> {
    half: usize,
    pub(crate) logs: Logs<D>,
}

/// What came of an attempt to write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Durable.
    Yes,
    /// Neither half has room, or the disk has none: the segments themselves must be synced.
    NoRoom,
}

impl<D: Disk> CommitJournal<D> {
    /// A journal that is empty on disk.
    pub(crate) fn new(disk: D, dir: &Path) -> CommitJournal<D> {
        let half = |name: &str| Half {
            path: dir.join(name),
            file: None,
            end: 0,
            filled: 0,
            is_retiring: false,
            logs: Logs::new(),
        };
        CommitJournal {
            disk,
            dir: dir.to_owned(),
            halves: HALVES.map(half),
            current: 0,
            half_bytes: 0,
            next_sequence: 1,
            is_blank: true,
            frames: FrameWriter::default(),
        }
    }

    /// Until this is called there is no room in it.
    pub(crate) fn set_half_bytes(&mut self, bytes: u64) {
        self.half_bytes = bytes;
    }

    /// Bytes that a start after a crash would have to look at.
    pub(crate) fn bytes(&self) -> u64 {
        self.halves.iter().map(|half| half.end).sum()
    }

    /// Whether a start would find nothing to put back.
    pub(crate) fn is_blank(&self) -> bool {
        self.is_blank
    }

    /// Every log that has something in the journal.
    pub(crate) fn logs(&self) -> Vec<Arc<LogState<D>>> {
        let mut all = Logs::new();
        self.halves.iter().for_each(|half| all.extend(half.logs.clone()));
        all.values().filter_map(Weak::upgrade).collect()
    }

    /// What the half in use holds; `None` while the other one is on its way to the disk.
    pub(super) fn held(&self) -> Option<Held> {
        let half = &self.halves[self.current];
        let held = Held { bytes: half.end, logs: half.logs.len() as u64 };
        (!self.is_retiring()).then_some(held)
    }

    fn is_retiring(&self) -> bool {
        self.halves.iter().any(|half| half.is_retiring)
    }

    /// Whether there is room for so many bytes of a file where frames are written just now, and
    /// nothing is on its way to the disk that a sync would have to wait for.
    pub(crate) fn is_ready_for(&self, bytes: u64) -> bool {
        let half = &self.halves[self.current];
        let needed = needed_bytes(bytes, FILE_NAME_BYTES_MAX) + PAGE_BYTES;
        half.file.is_some()
            && half.end + needed <= half.filled.min(self.half_bytes)
            && !self.is_retiring()
    }

    /// Makes all pieces durable, with one sync. If that takes a fresh half, the full one is handed
    /// out, to be retired.
    pub(crate) fn write(
        &mut self,
        round: &[Dirty<D>],
    ) -> Result<(Written, Option<Retiring<D>>), StorageError> {
        let pieces = || round.iter().flat_map(|dirty| dirty.pieces.iter().map(move |p| (dirty, p)));
        let needed: u64 = pieces()
            .map(|(dirty, piece)| needed_bytes(piece.bytes(), dirty.dir_name().len()))
            .sum();
        let retiring = match self.make_room(needed + PAGE_BYTES) {
            Room::Here => None,
            Room::Turned(retiring) => Some(retiring),
            Room::None => return Ok((Written::NoRoom, None)),
        };
        self.is_blank = false;
        let was_new = self.halves[self.current].file.is_none();
        let file = match self.open(self.current) {
            Err(error) if error.is_full() => return Ok((Written::NoRoom, retiring)),
            opened => opened?,
        };
        let written = self.write_frames(&file, pieces());
        let durable = written.and_then(|end| {
            file.sync().map_err(|error| self.broken("sync commit journal", error))?;
            if was_new {
                let failed = StorageError::io("sync directory", &self.dir);
                self.disk.sync_dir(&self.dir).map_err(failed)?;
            }
            Ok(end)
        });
        match durable {
            Ok((end, sequence)) => {
                let half = &mut self.halves[self.current];
                half.end = end;
                self.next_sequence = sequence;
                for dirty in round {
                    half.logs.insert(dirty.log.partition.clone(), Arc::downgrade(&dirty.log));
                }
                Ok((Written::Yes, retiring))
            }
            Err(error) if error.is_full() => {
                // Everything is synced instead, and the half begins anew: no frame of then may
                // continue those that were written before there was no room.
                self.next_sequence += needed / PAGE_BYTES + 1;
                Ok((Written::NoRoom, retiring))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the frames behind what is there. Returns the end and the next frame's number; neither
    /// counts before a sync.
    fn write_frames<'a>(
        &mut self,
        file: &D::File,
        pieces: impl Iterator<Item = (&'a Dirty<D>, &'a Piece<D>)>,
    ) -> Result<(u64, u64), StorageError> {
        let (mut at, mut sequence) = (self.halves[self.current].end, self.next_sequence);
        self.frames.clear();
        self.frames.start();
        for (dirty, piece) in pieces {
            let mut from = piece.from;
            while from < piece.to {
                let overhead = FrameWriter::overhead(dirty.dir_name().len());
                let room = JOURNAL_FRAME_BYTES.saturating_sub(self.frames.len() + overhead);
                if room == 0 {
                    self.frames.finish(sequence);
                    sequence += 1;
                    if self.frames.frames().len() > JOURNAL_WRITE_BYTES - JOURNAL_FRAME_BYTES {
                        at += self.write_out(file, at)?;
                    }
                    self.frames.start();
                    continue;
                }
                let bytes = (piece.to - from).min(room as u64) as usize;
                let entry = Entry {
                    topic_id: dirty.log.topic_id,
                    dir: dirty.dir_name(),
                    segment_base: piece.segment.base(),
                    position: from,
                    bytes: &[],
                };
                piece.read(from, self.frames.push(entry, bytes))?;
                from += bytes as u64;
            }
        }
        if !self.frames.is_empty() {
            self.frames.finish(sequence);
            sequence += 1;
            at += self.write_out(file, at)?;
        }
        Ok((at, sequence))
    }

    /// Writes the frames that are finished and forgets them. Returns how long they were.
    fn write_out(&mut self, file: &D::File, at: u64) -> Result<u64, StorageError> {
        let half = &mut self.halves[self.current];
        let frames = self.frames.frames();
        let end = at + frames.len() as u64;
        if end > half.filled && frames.len() <= JOURNAL_FILLING_BYTES_MAX {
            let ahead = (end + JOURNAL_FILL_BYTES).min(self.half_bytes.max(end));
            // If there is no room, the frames will say so, and others may need what is left.
            match file.write_at(&vec![0; (ahead - end) as usize], end) {
                Ok(()) => half.filled = ahead,
                Err(_) => _ = file.set_len(half.filled.max(at)),
            }
        }
        let written = file.write_past_cache_at(frames, at);
        written.map_err(StorageError::io("write commit journal", &half.path))?;
        half.filled = half.filled.max(end);
        self.frames.clear();
        Ok(end - at)
    }

    fn make_room(&mut self, needed: u64) -> Room<D> {
        if needed > self.half_bytes {
            return Room::None;
        }
        if self.halves[self.current].end + needed <= self.half_bytes {
            return Room::Here;
        }
        self.turn().map_or(Room::None, Room::Turned)
    }

    /// Goes on in the other half, if that is free.
    pub(crate) fn turn(&mut self) -> Option<Retiring<D>> {
        let other = 1 - self.current;
        if self.halves[other].is_retiring {
            return None;
        }
        let half = self.current;
        self.halves[half].is_retiring = true;
        self.current = other;
        Some(Retiring { half, logs: self.halves[half].logs.clone() })
    }

    /// All that the half held is on disk in the segments.
    pub(crate) fn retired(&mut self, retiring: &Retiring<D>) -> Result<(), StorageError> {
        self.free(retiring.half)
    }

    /// All that the journal holds is on disk in the segments. A half that is on its way stays there
    /// until it has arrived.
    pub(crate) fn all_synced(&mut self) -> Result<(), StorageError> {
        for half in 0..HALVES.len() {
            if !self.halves[half].is_retiring && self.halves[half].end > 0 {
                self.free(half)?;
            }
        }
        Ok(())
    }

    /// What a half held needs not be put back. Not synced: if power loss takes that, a start puts
    /// back what is there. Without it a start after a kill would let go of all that memory has of
    /// those logs from there on, which may be gigabytes, and read it anew.
    fn free(&mut self, half: usize) -> Result<(), StorageError> {
        self.halves[half].free();
        let Some(file) = self.halves[half].file.clone() else { return Ok(()) };
        let disclaimed = file.write_past_cache_at(self.blank_frame(), 0);
        let failed = StorageError::io("free commit journal", &self.halves[half].path);
        match disclaimed.map_err(failed) {
            Err(error) if error.is_full() => Ok(()), // where blocks are never written twice
            disclaimed => disclaimed,
        }
    }

    /// Without entries, with a number that no frame behind it continues, and that none has to skip.
    fn blank_frame(&mut self) -> &[u8] {
        self.frames.clear();
        self.frames.start();
        self.frames.finish(u64::MAX);
        self.frames.frames()
    }

    /// After this a start finds nothing to put back: the files that frames speak of may be changed
    /// otherwise. All that the journal holds must be on disk in the segments.
    pub(crate) fn empty(&mut self) -> Result<(), StorageError> {
        for half in 0..HALVES.len() {
            if self.halves[half].file.is_none() {
                continue;
            }
            let file = self.open(half)?;
            let emptied = file.write_at(self.blank_frame(), 0).and_then(|()| file.sync());
            let half = &mut self.halves[half];
            emptied.map_err(StorageError::io("empty commit journal", &half.path))?;
            if !half.is_retiring {
                half.free();
            }
        }
        self.is_blank = true;
        Ok(())
    }

    /// The end of the directory's use: gives the space back. The journal must be blank.
    pub(crate) fn give_back(&mut self) -> Result<(), StorageError> {
        assert!(self.is_blank, "what a journal holds is not given away");
        for half in &mut self.halves {
            let Some(file) = half.file.take() else { continue };
            let cut = file.set_len(0).and_then(|()| file.sync());
            cut.map_err(StorageError::io("cut commit journal", &half.path))?;
            half.filled = 0;
        }
        Ok(())
    }

    fn open(&mut self, half: usize) -> Result<Arc<D::File>, StorageError> {
        let half = &mut self.halves[half];
        if let Some(file) = &half.file {
            return Ok(Arc::clone(file));
        }
        let file = self.disk.open(&half.path, OpenMode::Create);
        let file = Arc::new(file.map_err(StorageError::io("open commit journal", &half.path))?);
        half.filled = file.len().map_err(StorageError::io("measure commit journal", &half.path))?;
        half.file = Some(Arc::clone(&file));
        Ok(file)
    }

    fn broken(&self, what: &'static str, error: io::Error) -> StorageError {
        StorageError::io(what, &self.halves[self.current].path)(error)
    }
}

enum Room<D: Disk> {
    Here,
    Turned(Retiring<D>),
    None,
}

impl<D: Disk> Half<D> {
    fn free(&mut self) {
        self.end = 0;
        self.is_retiring = false;
        self.logs.clear();
    }
}

/// What so many bytes of a file take at most, wherever frames end.
fn needed_bytes(bytes: u64, dir_name_bytes: usize) -> u64 {
    let overhead = FrameWriter::overhead(dir_name_bytes) as u64;
    let frames = 2 + bytes / (JOURNAL_FRAME_BYTES as u64 / 2);
    bytes + frames * (overhead + PAGE_BYTES)
}
