mod segment_read;

use crate::error::{ReadError, StorageError};
use crate::frame::checked_frame;
use crate::limits::{READ_BYTES_MAX, READ_RETRIES_MAX};
use crate::log_state::{LogState, SegmentList, floor_segment};
use crate::metrics::LogDirMetrics;
use crate::txn_index::AbortedTransaction;
use bytes::Bytes;
use env::Disk;
use segment_read::{Found, Reach, read_segment};
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
    /// For the disk, if need be.
    waits: bool,
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
        let at_least_one = at_least_one_batch;
        let wanted = Wanted { from, bound: up_to, bytes_max, at_least_one, waits: true };
        Ok(self.read_wanted(wanted)?.unwrap_or_else(|| ReadSlice::empty(from)))
    }

    /// [`read`](Self::read) if it need not wait for the disk, as far as can be told at once; else
    /// `None`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_at_hand(
        &self,
        from: Offset,
        bytes_max: usize,
        up_to: Offset,
        at_least_one_batch: bool,
    ) -> Result<Option<ReadSlice>, ReadError> {
        let at_least_one = at_least_one_batch;
        self.read_wanted(Wanted { from, bound: up_to, bytes_max, at_least_one, waits: false })
    }

    fn read_wanted(&self, wanted: Wanted) -> Result<Option<ReadSlice>, ReadError> {
        let wanted = Wanted { bytes_max: wanted.bytes_max.min(READ_BYTES_MAX), ..wanted };
        let read = self.retrying(|segments| self.read_once(segments, wanted));
        read.map_err(|error| self.note_damage(error, wanted.from))
    }

    /// Whether such a read would be answered without waiting for the disk, as far as can be told at
    /// once. What is wrong with it the read says.
    pub fn is_at_hand(&self, from: Offset, bytes_max: usize) -> bool {
        if from < self.log_start() || from >= self.log_end() {
            return true;
        }
        let (_, segments) = self.state.snapshot();
        let at = floor_segment(&segments, from);
        let is_last = at + 1 == segments.len();
        let asked = Reach::of(&segments[at], from, bytes_max.min(READ_BYTES_MAX));
        let is_tail = |reach: &Reach| is_last && reach.is_warm_tail();
        asked.is_ok_and(|reach| is_tail(&reach) || reach.is_at_hand(&segments[at]))
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

    fn read_once(
        &self,
        segments: &SegmentList<D>,
        wanted: Wanted,
    ) -> Result<Option<ReadSlice>, ReadError> {
        let (asked, log_start, log_end) = (wanted.from, self.log_start(), self.log_end());
        if asked < log_start || asked > log_end {
            return Err(ReadError::OffsetOutOfRange { asked, log_start, log_end });
        }
        let wanted = Wanted { bound: wanted.bound.min(log_end), ..wanted };
        if asked >= wanted.bound {
            return Ok(Some(ReadSlice::empty(asked)));
        }
        for (at, segment) in segments.iter().enumerate().skip(floor_segment(segments, asked)) {
            if segment.base() >= wanted.bound {
                break;
            }
            match read_segment(segment, wanted, at + 1 == segments.len())? {
                Found::Slice(slice) => return sound(slice, segment.log_path()).map(Some),
                Found::NotAtHand => return Ok(None),
                Found::Behind => {}
            }
        }
        Ok(Some(ReadSlice::empty(asked)))
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

/// The leading batches of `slice` whose checksums fit: a disk that rots must not be believed.
fn sound(slice: ReadSlice, path: &Path) -> Result<ReadSlice, ReadError> {
    let mut position = 0;
    let mut sound = ReadSlice { next_offset: slice.base_offset, ..slice };
    while position < sound.bytes.len() {
        match checked_frame(&sound.bytes, position) {
            // The checksum does not cover the offset.
            Ok(frame) if frame.base_offset < sound.next_offset => {
                sound.bytes.truncate(position);
                break;
            }
            Ok(frame) => {
                position += frame.bytes as usize;
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
