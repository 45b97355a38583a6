pub(crate) mod append;
mod beginnings;
pub(crate) mod cut;
mod retaining;
mod room;
mod staged;
mod written_down;

use crate::config::LogConfig;
use crate::error::StorageError;
use crate::flush::LogFlusher;
use crate::index_rule::IndexRule;
use crate::log_state::LogState;
use crate::producer_state::ProducerStates;
use crate::reader::LogReader;
use crate::segment::Segment;
use env::Disk;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use types::{EpochEnd, LeaderEpoch, Offset, ProducerId, TopicPartition, WallTime};

pub(crate) use beginnings::Beginnings;

pub use append::{AppendContext, Appended};

/// The one writer's handle on a partition's log.
///
/// **Invariant:** there is one of it per directory; whoever holds it `&mut` owns the partition.
/// **Errors:** after a [`StorageError`] every call answers [`StorageError::Poisoned`].
/// **Source:** Kafka `UnifiedLog`, `LocalLog`.
#[doc(alias = "UnifiedLog")]
#[doc(alias = "LocalLog")]
pub struct PartitionLog<D: Disk> {
    pub(crate) state: Arc<LogState<D>>,
    pub(crate) config: Arc<LogConfig>,
    pub(crate) producers: ProducerStates,
    pub(crate) beginnings: Beginnings,
    pub(crate) active: Active<D>,
    /// The log end once `staged` is written.
    pub(crate) next_offset: Offset,
    /// Batches that have their offsets and await the one write.
    pub(crate) staged: Vec<staged::Staged>,
    pub(crate) staged_bytes: u64,
    /// The last process did not end well: what it left may be in the page cache only, a truncation
    /// included.
    pub(crate) is_unsettled: bool,
    /// Spreads the rolls of different logs.
    pub(crate) jitter_seed: u64,
    /// Renamed to `.deleted`.
    pub(crate) deleted: Vec<PathBuf>,
    /// The offsets of the producer snapshots there are, oldest first.
    pub(crate) snapshots: Vec<Offset>,
    /// Everything is as a clean stop left it, or empty: a close has nothing to do.
    pub(crate) is_untouched: bool,
}

/// A flusher, and up to where it is to flush.
pub type FlushDue<D> = (LogFlusher<D>, Offset);

/// What only the writer knows of the segment it appends to.
pub(crate) struct Active<D: Disk> {
    pub(crate) segment: Arc<Segment<D>>,
    pub(crate) bytes: u64,
    pub(crate) rule: IndexRule,
    /// The latest timestamp of the first batch: what `segment.ms` counts from.
    pub(crate) first_timestamp: WallTime,
    /// What it counts from if that batch has none.
    pub(crate) since: WallTime,
    pub(crate) reserved_bytes: u64,
    /// What a start needs to know of the batches before is written down, or was looked up.
    pub(crate) written_down: u64,
    /// The indexes grow and what is to be known for an append is known. Not before the first one:
    /// most partitions are idle.
    is_awake: bool,
}

impl<D: Disk> Active<D> {
    pub(crate) fn empty(segment: Arc<Segment<D>>, config: &LogConfig, now: WallTime) -> Active<D> {
        Active {
            segment,
            bytes: 0,
            rule: IndexRule::new(config),
            first_timestamp: WallTime::NONE,
            since: now,
            reserved_bytes: 0,
            written_down: 0,
            is_awake: false,
        }
    }

    /// Goes on at the end of a segment that was there.
    pub(crate) fn resume(
        segment: Arc<Segment<D>>,
        config: &LogConfig,
        now: WallTime,
    ) -> Result<Active<D>, StorageError> {
        let bytes = segment.bytes()?;
        let empty = Active::empty(segment, config, now);
        Ok(Active { bytes, reserved_bytes: bytes, written_down: bytes, ..empty })
    }

    /// Before anything is appended, or the segment is closed.
    pub(crate) fn wake(&mut self, config: &LogConfig) -> Result<(), StorageError> {
        if self.is_awake {
            return Ok(());
        }
        let segment = &self.segment;
        if self.bytes == 0 {
            segment.offset_index.start(config.segment_index_bytes)?;
            segment.time_index.start(config.segment_index_bytes)?;
        } else {
            segment.offset_index.resume(config.segment_index_bytes)?;
            segment.time_index.resume(config.segment_index_bytes)?;
            self.rule = IndexRule::resume(segment, self.bytes, segment.latest()?, config)?;
            self.first_timestamp = segment.first_timestamp()?;
        }
        self.is_awake = true;
        Ok(())
    }
}

impl<D: Disk> PartitionLog<D> {
    pub fn partition(&self) -> &TopicPartition {
        &self.state.partition
    }

    pub fn reader(&self) -> LogReader<D> {
        LogReader { state: self.state.clone() }
    }

    /// Syncs on another thread while this one goes on appending.
    pub fn flusher(&self) -> LogFlusher<D> {
        LogFlusher { state: self.state.clone() }
    }

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

    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// Takes effect with the next batch, roll or retention plan.
    pub fn set_config(&mut self, config: Arc<LogConfig>) {
        self.active.rule.set_interval(&config);
        self.config = config;
    }

    /// What is known of the producers that wrote here.
    pub fn producers(&self) -> &ProducerStates {
        &self.producers
    }

    /// Forgets producers that were silent for `producer.id.expiration.ms`.
    pub fn expire_producers(&mut self, now: WallTime) {
        if self.producers.expire(now, self.config.producer_id_expiration_ms) {
            self.beginnings.note_forgotten();
        }
    }

    /// For so long a client's producer that cannot have written here before begins with sequence 0:
    /// anything else is [`AppendError::OutOfOrderSequence`](crate::AppendError).
    pub fn expect_beginnings(&mut self, within: Range<WallTime>) {
        self.beginnings.set_due(within);
    }

    /// To be told whenever the high watermark moves, and once after the log was opened: the ends of
    /// transactions below it are settled.
    pub fn note_high_watermark(&mut self, high_watermark: Offset) {
        self.producers.note_high_watermark(high_watermark);
        self.state.publish_unstable(self.producers.first_unstable());
    }

    /// Everything below is decided: committed, aborted or outside any transaction.
    #[doc(alias = "LSO")]
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        self.reader().last_stable_offset(high_watermark)
    }

    /// Where `epoch` ends here: see [`LeaderEpochCache::end_of`](crate::LeaderEpochCache::end_of).
    pub fn epoch_end_offset(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        self.reader().epoch_end_offset(epoch)
    }

    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.reader().latest_epoch()
    }

    /// Notes that a new leader begins at the log end, before it has written anything. It touches no
    /// file: a broker may begin thousands at once, and an epoch without records need not outlive
    /// its leader.
    ///
    /// # Errors
    /// [`StorageError`]: the log is out of use.
    pub fn begin_epoch(&mut self, epoch: LeaderEpoch) -> Result<(), StorageError> {
        self.state.check_alive()?;
        self.state.begin_epoch(epoch, self.next_offset);
        Ok(())
    }

    /// Makes everything written so far survive power loss, and says up to where.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn flush(&mut self) -> Result<Offset, StorageError> {
        self.flusher().flush_to(self.log_end())
    }

    /// The offset that Kafka would flush to after the last roll: everything in closed segments.
    /// `None` if that is durable.
    pub fn flush_due(&self) -> Option<Offset> {
        Some(self.active.segment.base()).filter(|base| *base > self.recovery_point())
    }

    /// Closes the active segment and starts another, unless it is empty. Says whether it did.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned, but for a full disk: then it stays as it was.
    pub fn roll(&mut self, now: WallTime) -> Result<bool, StorageError> {
        self.state.check_alive()?;
        let is_empty = self.active.bytes == 0;
        if !is_empty {
            self.roll_or_stay(self.next_offset, now)?;
        }
        Ok(!is_empty)
    }

    /// Closes the active segment if its first batch has waited for `max.compaction.lag.ms`, though
    /// nothing is appended that would. Says whether it did.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn roll_when_overdue(&mut self, now: WallTime) -> Result<bool, StorageError> {
        self.state.check_alive()?;
        if self.active.bytes == 0 || self.config.segment_ms_max() == i64::MAX {
            return Ok(false);
        }
        let first = self.active.segment.first_timestamp()?;
        let waited_ms = now.0.saturating_sub(first.0);
        match first.0 >= 0 && waited_ms > self.config.max_compaction_lag_ms {
            true => self.roll(now),
            false => Ok(false),
        }
    }

    /// Starts a segment at `base`; an empty active one goes. Nothing is staged.
    fn roll_to(&mut self, base: Offset, now: WallTime) -> Result<(), StorageError> {
        self.is_untouched = false;
        let mut list = self.state.segments().to_vec();
        if self.active.bytes == 0 {
            if self.active.segment.base() == base {
                return Ok(());
            }
            list.pop();
            self.rename_deleted(&self.active.segment.clone())?;
        } else {
            self.active.wake(&self.config)?;
            self.active.segment.seal()?;
            self.take_snapshot(base)?;
            if self.active.segment.names.is_any() {
                // Never flushed. Power loss must not take this segment's name and leave the next
                // one's.
                self.flusher().sync_names([&self.active.segment])?;
            }
        }
        let segment = Arc::new(Segment::create(&self.state.dir, base)?);
        list.push(segment.clone());
        self.state.set_segments(list);
        self.active = Active::empty(segment, &self.config, now);
        Ok(())
    }

    /// Producers with a transaction open, and where it began: the oldest first.
    pub fn ongoing_transactions(&self) -> Vec<(ProducerId, Offset)> {
        let start = |(id, state): (ProducerId, &crate::ProducerState)| {
            state.transaction_start.map(|start| (id, start))
        };
        let mut ongoing: Vec<_> = self.producers.iter().filter_map(start).collect();
        ongoing.sort_by_key(|(_, start)| *start);
        ongoing
    }

    /// Files that were renamed to `.deleted`: to be removed by whoever may block, once
    /// `file.delete.delay.ms` has passed. What is left at a crash goes when the log is opened.
    pub fn take_deleted(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.deleted)
    }

    /// Completes indexes and producer state, so that the next opening may trust it all. It may once
    /// the directory is [closed](crate::LogDir::close): one sync there serves every log.
    ///
    /// # Errors
    /// [`StorageError`]: the directory must not be marked as cleanly shut down.
    pub fn close(mut self) -> Result<(), StorageError> {
        self.state.check_alive()?;
        if self.is_untouched {
            self.state.home.closed(&self.state);
            return Ok(());
        }
        let completed = self.complete();
        self.state.guard(completed)?;
        self.state.home.closing(self.state.clone());
        Ok(())
    }

    fn complete(&mut self) -> Result<(), StorageError> {
        if self.active.bytes > 0 {
            self.active.wake(&self.config)?;
            self.active.segment.seal()?;
        }
        self.take_snapshot(self.log_end())?;
        self.prune_snapshots()?;
        for path in &self.deleted {
            _ = self.state.disk.remove_file(path); // gone at the next opening at the latest
        }
        Ok(())
    }
}
