//! Compaction: of each key the newest record stays, offsets stay what they are.   ADR 0008
//!
//! A cleaning is a value that its owner drives: [`Cleaning::step`] reads and writes a bounded
//! piece, beside the log's writer and readers; [`PartitionLog::put_in_place`] is the short moment
//! in which the writer's log gets the cleaned segments for those they replace;
//! [`PartitionLog::finish_cleaning`] writes down how far it went. When to clean what is decided in
//! [`assess`].
//!
//! **Architecture Invariant:** until `put_in_place` nothing of the log has changed; a cleaning
//! that fails or is dropped leaves files that end in `.cleaned`, which mean nothing.

mod choice;
mod filter;
mod grouping;
mod kept_producers;
mod key_hash;
mod offset_map;
mod output;
mod passes;
mod put_in_place;
mod transactions;

pub use choice::{Assessment, CleaningFacts, SegmentToClean, ToClean, WhyNot, assess};
pub use put_in_place::Placed;

use crate::config::LogConfig;
use crate::error::{ReadError, StorageError};
use crate::log::PartitionLog;
use crate::log_state::{LogState, SegmentList};
use crate::reader::LogReader;
use crate::segment::Segment;
use env::Disk;
use filter::Filter;
use kept_producers::KeptProducers;
use key_hash::KeyHash;
use offset_map::OffsetMap;
use output::Output;
use passes::{FilterPass, MapPass};
use std::fmt;
use std::sync::Arc;
use transactions::SeenTransactions;
use types::{Offset, WallTime};

/// What a broker gives its cleaners.
#[derive(Clone, Copy, Debug)]
pub struct CleanerSettings {
    /// `log.cleaner.dedupe.buffer.size`: memory for the keys of one cleaning.
    pub dedupe_buffer_bytes: u64,
    /// `log.cleaner.io.buffer.load.factor`: how full it gets.
    pub load_factor: f64,
    /// By chance: keys are told apart under it.
    pub secret: [u8; 16],
}

/// How far a piece of work brought a cleaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more; so many bytes were read and written.
    Worked(u64),
    /// The log's writer must [`put_in_place`](PartitionLog::put_in_place) what is ready.
    Ready,
    /// All is in place: [`finish_cleaning`](PartitionLog::finish_cleaning).
    Done,
}

/// Why a cleaning goes no further. Nothing of the log is lost.
#[derive(Clone, Debug)]
pub enum CleaningError {
    /// The log was truncated, trimmed, closed or deleted meanwhile: begin again.
    Moved,
    /// What lies on the disk is damaged, or the disk fails.
    Storage(StorageError),
}

impl From<StorageError> for CleaningError {
    fn from(error: StorageError) -> CleaningError {
        CleaningError::Storage(error)
    }
}

impl fmt::Display for CleaningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CleaningError::Moved => f.write_str("the log changed while it was cleaned"),
            CleaningError::Storage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CleaningError {}

/// What a cleaning did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CleanerStats")]
pub struct CleaningReport {
    pub bytes_read: u64,
    pub bytes_written: u64,
    pub records_read: u64,
    /// Of the segments that were cleaned, before and after.
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub segments_before: usize,
    pub segments_after: usize,
    pub keys: usize,
}

/// One cleaning of one log, from its beginning to as far as the keys fit the buffer.
///
/// **Invariant:** memory is the buffer, one batch at a time, and what is known of producers and
/// aborted transactions; never more for more keys.
#[doc(alias = "Cleaner")]
pub struct Cleaning<D: Disk> {
    state: Arc<LogState<D>>,
    config: Arc<LogConfig>,
    /// All segments below `end`.
    segments: Vec<Arc<Segment<D>>>,
    end: Offset,
    /// As of when nothing had been cut off.
    truncations: u64,
    first_dirty: Offset,
    filter: Filter,
    phase: Phase<D>,
    report: CleaningReport,
}

enum Phase<D: Disk> {
    /// Reads the dirty part and notes where each key is.
    Map(MapPass),
    /// Reads all and writes what stays.
    Filter(Box<FilterPass<D>>),
    Done,
}

impl<D: Disk> LogReader<D> {
    /// What [`assess`] decides by.
    ///
    /// # Errors
    /// [`ReadError::Storage`]
    pub fn cleaning_facts(
        &self,
        high_watermark: Offset,
        config: &LogConfig,
    ) -> Result<CleaningFacts, ReadError> {
        let (log_start, log_end) = (self.log_start(), self.log_end());
        let segments = self.retrying(|segments| Ok(segment_facts(segments, log_end, config)?))?;
        Ok(CleaningFacts {
            segments,
            log_start,
            log_end,
            last_stable_offset: self.last_stable_offset(high_watermark),
            open_transaction: None,
            checkpoint: self.state.home.cleaner_offset(&self.state.partition),
        })
    }
}

fn segment_facts<D: Disk>(
    segments: &SegmentList<D>,
    log_end: Offset,
    config: &LogConfig,
) -> Result<Vec<SegmentToClean>, StorageError> {
    let fact = |(index, segment): (usize, &Arc<Segment<D>>)| {
        let is_active = index + 1 == segments.len();
        let asks_first = config.max_compaction_lag_ms < i64::MAX && !is_active;
        let asks_latest = config.min_compaction_lag_ms > 0 && !is_active;
        Ok(SegmentToClean {
            base: segment.base(),
            end: segments.get(index + 1).map_or(log_end, |next| next.base()),
            bytes: segment.bytes()?,
            first_timestamp: match asks_first {
                true => segment.first_timestamp()?,
                false => WallTime::NONE,
            },
            latest_timestamp: match asks_latest {
                true => segment.latest()?.timestamp,
                false => WallTime::NONE,
            },
        })
    };
    segments.iter().enumerate().map(fact).collect()
}

impl<D: Disk> PartitionLog<D> {
    /// Begins to clean what [`assess`] has found. `None` if the log is not durable up to
    /// `to_clean.flush_to`, or nothing is left to do.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn begin_cleaning(
        &self,
        to_clean: &ToClean,
        settings: &CleanerSettings,
        now: WallTime,
    ) -> Result<Option<Cleaning<D>>, StorageError> {
        self.state.check_alive()?;
        let (truncations, segments) = self.state.snapshot();
        let is_in = |pair: &&[Arc<Segment<D>>]| pair[1].base() <= to_clean.end;
        let count = segments.windows(2).take_while(is_in).count();
        let end = segments[count].base();
        let first_dirty = to_clean.first_dirty;
        if end <= first_dirty || self.recovery_point() < to_clean.flush_to {
            return Ok(None);
        }
        let keys_max = end.since(first_dirty) as u64;
        let hash = KeyHash::new(settings.secret);
        let buffer = settings.dedupe_buffer_bytes;
        let filter = Filter {
            map: OffsetMap::new(hash, buffer, settings.load_factor, keys_max),
            covered: first_dirty,
            transactions: SeenTransactions::new(Vec::new()),
            producers: KeptProducers::of(self.producers()),
            now,
            horizon: WallTime(now.0.saturating_add(self.config.delete_retention_ms)),
        };
        Ok(Some(Cleaning {
            state: self.state.clone(),
            config: self.config.clone(),
            segments: segments[..count].to_vec(),
            end,
            truncations,
            first_dirty,
            filter,
            phase: Phase::Map(MapPass::from(&segments[..count], first_dirty)),
            report: CleaningReport::default(),
        }))
    }
}

impl<D: Disk> Cleaning<D> {
    /// Does about `bytes_max` of work, at least one batch. Blocks on the disk, not on the log's
    /// writer.
    ///
    /// # Errors
    /// [`CleaningError`]; then only [`give_up`](Self::give_up) is left to do.
    pub fn step(&mut self, bytes_max: u64) -> Result<Step, CleaningError> {
        let stepped = self.check_unmoved().and_then(|()| match &self.phase {
            Phase::Map(_) => self.map(bytes_max),
            Phase::Filter(pass) if pass.is_ready() => Ok(Step::Ready),
            Phase::Filter(_) => self.filter(bytes_max),
            Phase::Done => Ok(Step::Done),
        });
        // Files of segments that have gone are no sign of a bad disk.
        stepped.map_err(|error| match self.check_unmoved() {
            Ok(()) => error,
            Err(moved) => moved,
        })
    }

    /// Below it every key is there once, when all is done.
    pub fn cleaned_to(&self) -> Offset {
        self.filter.covered
    }

    pub fn report(&self) -> CleaningReport {
        CleaningReport { keys: self.filter.map.len(), ..self.report }
    }

    /// Removes what was written and not put in place.
    ///
    /// # Errors
    /// [`StorageError`]: then the next opening of the log removes it.
    pub fn give_up(self) -> Result<(), StorageError> {
        match self.phase {
            Phase::Filter(pass) => pass.discard(&self.state.disk),
            Phase::Map(_) | Phase::Done => Ok(()),
        }
    }

    fn check_unmoved(&self) -> Result<(), CleaningError> {
        let is_there = self.state.check_alive().is_ok() && self.state.is_unmoved(self.truncations);
        let segments = self.state.segments();
        let first = self.segments.first().map(|segment| segment.base());
        // Retention takes segments from the front.
        let is_whole = first.is_none_or(|first| segments[0].base() <= first);
        match is_there && is_whole {
            true => Ok(()),
            false => Err(CleaningError::Moved),
        }
    }

    /// The aborted transactions that touch what lies between `from` and `end`.
    fn aborted_from(&self, from: Offset) -> Result<SeenTransactions, CleaningError> {
        let reader = LogReader { state: self.state.clone() };
        match reader.aborted_transactions(from, self.end) {
            Ok(aborted) => Ok(SeenTransactions::new(aborted)),
            Err(ReadError::Storage(error)) => Err(error.into()),
            Err(_) => Err(CleaningError::Moved),
        }
    }
}
