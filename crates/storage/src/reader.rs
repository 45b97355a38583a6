use crate::error::{ReadError, StorageError};
use crate::frame::{Frame, checked_batch};
use crate::limits::{LOOKUP_CHUNK_BYTES, READ_BYTES_MAX, READ_RETRIES_MAX};
use crate::log_state::{LogState, SegmentList, floor_segment};
use crate::metrics::LogDirMetrics;
use crate::segment::Segment;
use crate::txn_index::AbortedTransaction;
use bytes::{Buf, Bytes};
use env::{Disk, DiskFile};
use records::BatchError;
use std::path::Path;
use std::sync::Arc;
use types::{EpochEnd, LeaderEpoch, Offset, TopicPartition};

/// Reads a log beside its writer. Cheap to clone; any number may read at once.
///
/// **Invariant:** it sees whole batches below the log end as of the call, and waits for the writer
/// at most while a truncation cuts files.
#[doc(alias = "LogView")]
pub struct LogReader<D: Disk> {
    pub(crate) state: Arc<LogState<D>>,
}

/// Whole batches, one after another, as they lie on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "FetchDataInfo")]
pub struct ReadSlice {
    /// Empty if nothing was there to read.
    pub bytes: Bytes,
    /// Of the first batch; below the offset asked for if that lies inside the batch.
    pub base_offset: Offset,
    /// After the last batch; the offset asked for if `bytes` is empty.
    pub next_offset: Offset,
    /// The leader that wrote the first batch.
    pub first_batch_epoch: Option<LeaderEpoch>,
}

impl ReadSlice {
    fn empty(at: Offset) -> ReadSlice {
        ReadSlice { bytes: Bytes::new(), base_offset: at, next_offset: at, first_batch_epoch: None }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// What to read.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    from: Offset,
    /// No batch reaches up to here.
    bound: Offset,
    bytes_max: usize,
    /// The first batch even if it is larger than `bytes_max`.
    at_least_one: bool,
}

impl<D: Disk> Clone for LogReader<D> {
    fn clone(&self) -> LogReader<D> {
        LogReader { state: self.state.clone() }
    }
}

impl<D: Disk> LogReader<D> {
    pub fn partition(&self) -> &TopicPartition {
        &self.state.partition
    }

    pub fn dir(&self) -> &Path {
        &self.state.dir.path
    }

    /// What is counted of the directory that the log is in.
    pub fn dir_metrics(&self) -> &Arc<LogDirMetrics> {
        &self.state.home.metrics
    }

    /// The first offset that may be read. Only grows, but for a reset of a follower.
    pub fn log_start(&self) -> Offset {
        self.state.log_start()
    }

    /// The offset that the next record gets.
    #[doc(alias = "LEO")]
    pub fn log_end(&self) -> Offset {
        self.state.log_end()
    }

    /// Everything below survives power loss.
    pub fn recovery_point(&self) -> Offset {
        self.state.recovery_point()
    }

    /// Everything below is decided: committed, aborted or outside any transaction.
    #[doc(alias = "LSO")]
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        let first = self.state.first_unstable().map(|first| first.max(self.log_start()));
        first.map_or(high_watermark, |first| first.min(high_watermark))
    }

    /// The epoch of the leader that wrote the record at `offset`.
    pub fn leader_epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.state.epochs(|epochs| epochs.epoch_at(offset))
    }

    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.state.epochs(|epochs| epochs.latest().map(|latest| latest.epoch))
    }

    /// Where `epoch` ends here: see [`LeaderEpochCache::end_of`](crate::LeaderEpochCache::end_of).
    pub fn epoch_end_offset(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        self.state.epochs(|epochs| epochs.end_of(epoch, self.log_end()))
    }

    pub fn segment_count(&self) -> usize {
        self.state.segments().len()
    }

    /// Of all segments; indexes do not count.
    ///
    /// # Errors
    /// [`ReadError::Storage`]
    pub fn size_bytes(&self) -> Result<u64, ReadError> {
        self.retrying(|segments| {
            let sizes: Result<u64, StorageError> =
                segments.iter().map(|segment| segment.bytes()).sum();
            Ok(sizes?)
        })
    }

    /// Batches from the one that holds `from` on: at most `bytes_max` bytes, none that reaches
    /// `up_to`. With `at_least_one_batch` the first one comes whatever its size.
    ///
    /// # Errors
    /// [`ReadError::OffsetOutOfRange`] – below the log start or above the log end
    /// [`ReadError::Moved`] – truncated again and again while it was read
    /// [`ReadError::Corrupt`] – the first batch is not what was written. What comes after sound
    /// batches is left to the next read.
    /// [`ReadError::Storage`] – the disk failed
    pub fn read(
        &self,
        from: Offset,
        bytes_max: usize,
        up_to: Offset,
        at_least_one_batch: bool,
    ) -> Result<ReadSlice, ReadError> {
        let bytes_max = bytes_max.min(READ_BYTES_MAX);
        let wanted = Wanted { from, bound: up_to, bytes_max, at_least_one: at_least_one_batch };
        let read = self.retrying(|segments| self.read_once(segments, wanted));
        read.map_err(|error| self.note_damage(error, from))
    }

    /// Bytes at `from` that are no batch at all were found by looking for one.
    fn note_damage(&self, error: ReadError, from: Offset) -> ReadError {
        let (path, at, why) = match error {
            ReadError::Storage(StorageError::Corrupt { path, why }) => (path, from, why),
            ReadError::Corrupt { path, at, why, .. } => (path, at, why),
            other => return other,
        };
        self.state.home.metrics.corrupt_batches.increment();
        let is_first = self.state.home.damage.note(&path, at);
        ReadError::Corrupt { path, at, why, is_first }
    }

    fn read_once(&self, segments: &SegmentList<D>, wanted: Wanted) -> Result<ReadSlice, ReadError> {
        let (asked, log_start, log_end) = (wanted.from, self.log_start(), self.log_end());
        if asked < log_start || asked > log_end {
            return Err(ReadError::OffsetOutOfRange { asked, log_start, log_end });
        }
        let wanted = Wanted { bound: wanted.bound.min(log_end), ..wanted };
        if asked >= wanted.bound {
            return Ok(ReadSlice::empty(asked));
        }
        for segment in &segments[floor_segment(segments, asked)..] {
            if segment.base() >= wanted.bound {
                break;
            }
            if let Some(slice) = read_segment(segment, wanted)? {
                return sound(slice, segment.log_path());
            }
        }
        Ok(ReadSlice::empty(asked))
    }

    /// The aborted transactions with records from `from` on that began below `up_to`.
    ///
    /// # Errors
    /// [`ReadError::Storage`]
    ///
    /// # Source
    /// Kafka `TransactionIndex.collectAbortedTxns`.
    pub fn aborted_transactions(
        &self,
        from: Offset,
        up_to: Offset,
    ) -> Result<Vec<AbortedTransaction>, ReadError> {
        self.retrying(|segments| {
            let mut found = Vec::new();
            for segment in &segments[floor_segment(segments, from)..] {
                let is_complete = segment.txn_index.ask(|aborted| {
                    let touches = |one: &&AbortedTransaction| {
                        one.last_offset >= from && one.first_offset < up_to
                    };
                    found.extend(aborted.iter().filter(touches).copied());
                    // Whatever is aborted later began after this was stable.
                    aborted.iter().any(|one| one.last_stable_offset >= up_to)
                })?;
                if is_complete {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// Runs `read` on the segments; again if bytes were cut off or segments removed meanwhile.
    pub(crate) fn retrying<T>(
        &self,
        read: impl Fn(&SegmentList<D>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        for _ in 0..READ_RETRIES_MAX {
            if self.state.is_retired() {
                return Err(ReadError::Moved);
            }
            self.state.check_alive()?;
            let (truncations, segments) = self.state.snapshot();
            let outcome = read(&segments);
            if !self.state.is_unmoved(truncations) {
                continue;
            }
            return match outcome {
                // A segment was removed before its file was first opened.
                Err(ReadError::Storage(error)) if error.is_not_found() => continue,
                // One bad batch does not take the log away from those who read others.
                Err(ReadError::Storage(error @ StorageError::Io { .. })) => {
                    Err(self.state.poison(error).into())
                }
                outcome => outcome,
            };
        }
        Err(ReadError::Moved)
    }
}

/// `None` if all of the segment lies before the offset wanted.
fn read_segment<D: Disk>(
    segment: &Segment<D>,
    wanted: Wanted,
) -> Result<Option<ReadSlice>, StorageError> {
    let end = segment.bytes()?;
    let entry = segment.floor_entry(wanted.from)?;
    let entry = entry.filter(|entry| u64::from(entry.position) < end);
    let start = entry.map_or(0, |entry| u64::from(entry.position));
    // One read serves both: the few batches between the index entry and `from`, and the answer.
    let count = (LOOKUP_CHUNK_BYTES + wanted.bytes_max).min((end - start) as usize);
    let buffer = load(segment, start, count)?;
    let is_end = start + count as u64 == end;
    let is_borne_out = match (&entry, Frame::parse(&buffer)) {
        (Some(entry), Ok(first)) => segment.bears_out(entry, &first),
        _ => entry.is_none(),
    };
    let picked = if is_borne_out { pick(&buffer, wanted, is_end) } else { Picked::Unclear };
    match picked {
        Picked::Slice(slice) => return Ok(Some(slice)),
        Picked::Nothing => return Ok(None),
        Picked::Unclear => {}
    }
    // The first batch lies further on, or is larger than what was read, or the index leads astray.
    let Some((position, frame)) = segment.find(wanted.from)? else { return Ok(None) };
    let count = match frame.bytes as usize > wanted.bytes_max {
        true if wanted.at_least_one => frame.bytes as usize,
        _ => wanted.bytes_max.min((end - position) as usize),
    };
    let buffer = load(segment, position, count)?;
    match pick(&buffer, wanted, false) {
        Picked::Slice(slice) => Ok(Some(slice)),
        // Not one batch fits.
        Picked::Nothing | Picked::Unclear => Ok(Some(ReadSlice::empty(wanted.from))),
    }
}

/// The leading batches of `slice` whose checksums fit: a disk that rots must not be believed.
fn sound(slice: ReadSlice, path: &Path) -> Result<ReadSlice, ReadError> {
    let mut rest = slice.bytes.clone();
    let mut sound = ReadSlice { next_offset: slice.base_offset, ..slice };
    while !rest.is_empty() {
        let position = sound.bytes.len() - rest.len();
        let checked = Frame::parse(&rest).and_then(|frame| checked_batch(&rest).map(|_| frame));
        match checked {
            // The checksum does not cover the offset.
            Ok(frame) if frame.base_offset < sound.next_offset => {
                sound.bytes.truncate(position);
                break;
            }
            Ok(frame) => {
                rest.advance(frame.bytes as usize);
                sound.next_offset = frame.next_offset();
            }
            Err(error) if position == 0 => {
                let (path, at) = (path.to_owned(), sound.base_offset);
                return Err(ReadError::Corrupt {
                    path,
                    at,
                    why: error.to_string(),
                    is_first: false,
                });
            }
            Err(_) => {
                sound.bytes.truncate(position);
                break;
            }
        }
    }
    Ok(sound)
}

fn load<D: Disk>(segment: &Segment<D>, position: u64, count: usize) -> Result<Bytes, StorageError> {
    let mut buffer = vec![0; count];
    let failed = StorageError::io("read segment", segment.log_path());
    let got = segment.file()?.read_at(&mut buffer, position).map_err(failed)?;
    buffer.truncate(got);
    Ok(Bytes::from(buffer))
}

enum Picked {
    Slice(ReadSlice),
    /// Every batch up to the end lies before the offset wanted.
    Nothing,
    /// The buffer does not show the first batch wanted.
    Unclear,
}

/// Cuts the batches wanted out of `buffer`, which starts with a batch. `is_end` if no batch follows
/// the buffer.
fn pick(buffer: &Bytes, wanted: Wanted, is_end: bool) -> Picked {
    let mut position = 0;
    let mut first: Option<(usize, Frame)> = None;
    let mut next_offset = wanted.from;
    while position < buffer.len() {
        let frame = match Frame::parse(&buffer[position..]) {
            Ok(frame) => frame,
            Err(_) if first.is_none() => return Picked::Unclear,
            // What is sound is served; the next read meets the trouble.
            Err(BatchError::Torn { .. } | _) => break,
        };
        let end = position.saturating_add(frame.bytes as usize);
        if frame.last_offset < wanted.from {
            if first.is_some() {
                // It goes back behind a batch that does not: what it says of itself is not to be
                // believed, its length least of all.
                break;
            }
            position = end;
            continue;
        }
        let taken = first.as_ref().map_or(0, |(start, _)| end - start);
        let is_first = first.is_none();
        let fits = match is_first {
            true => wanted.at_least_one || frame.bytes as usize <= wanted.bytes_max,
            false => taken <= wanted.bytes_max,
        };
        if frame.last_offset >= wanted.bound || !fits {
            break;
        }
        if end > buffer.len() {
            match is_first {
                true => return Picked::Unclear,
                false => break,
            }
        }
        next_offset = frame.next_offset();
        first.get_or_insert((position, frame));
        position = end;
    }
    match first {
        Some((start, frame)) => Picked::Slice(ReadSlice {
            bytes: buffer.slice(start..position),
            base_offset: frame.base_offset,
            next_offset,
            first_batch_epoch: frame.header.map(|header| header.leader_epoch),
        }),
        None if position < buffer.len() => Picked::Slice(ReadSlice::empty(wanted.from)),
        None if is_end && position == buffer.len() => Picked::Nothing,
        None => Picked::Unclear,
    }
}
