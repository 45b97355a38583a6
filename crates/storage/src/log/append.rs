use super::PartitionLog;
use super::staged::Staged;
use crate::commit::Place;
use crate::error::{AppendError, StorageError};
use crate::frame::{Frame, checked_batch};
use crate::producer_state::{Marker, WrittenBatch};
use crate::txn_index::AbortedTransaction;
use bytes::Bytes;
use env::{Disk, DiskFile};
use records::control::ControlRecord;
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchHeader, RecordBatch, TimestampType};
use std::sync::atomic::Ordering;
use types::{LeaderEpoch, Offset, WallTime};

/// Who appends, and when.
#[derive(Clone, Copy, Debug)]
pub struct AppendContext {
    /// Stamped into the batch.
    pub leader_epoch: LeaderEpoch,
    pub now: WallTime,
    /// Clients keep sequences; coordinators write markers.
    pub origin: AppendOrigin,
}

/// Where a batch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "LogAppendInfo")]
pub struct Appended {
    pub base_offset: Offset,
    pub last_offset: Offset,
    /// What the producer is told; `None` where its own timestamps count.
    pub log_append_time: Option<WallTime>,
    pub log_start: Offset,
    /// It was here already: nothing was written, this is where it went then.
    pub duplicate: bool,
}

impl<D: Disk> PartitionLog<D> {
    /// Gives a batch its offsets and writes it as it is.
    ///
    /// # Errors
    /// [`AppendError`]; after [`AppendError::Storage`] the log is poisoned, but for a full disk:
    /// then nothing of the batch is left, and later there may be room.
    pub fn append(
        &mut self,
        batch: ValidatedBatch,
        context: AppendContext,
    ) -> Result<Appended, AppendError> {
        self.state.check_alive()?;
        let appended = self.stage(batch, context)?;
        self.write_staged(context.now)?;
        Ok(appended)
    }

    /// Writes batches that a leader has given their offsets and epochs.
    ///
    /// # Errors
    /// [`AppendError::Corrupt`] – a checksum fails; nothing after the batches before it was written
    /// [`AppendError::OffsetNotMonotonic`] – below the log end
    /// [`AppendError::Storage`] – the log is poisoned
    pub fn append_as_follower(
        &mut self,
        batches: Bytes,
        now: WallTime,
    ) -> Result<Appended, AppendError> {
        self.state.check_alive()?;
        let first = self.next_offset;
        let mut base_offset = None;
        let mut rest = batches;
        while !rest.is_empty() {
            let staged = self.stage_replicated(&mut rest, now);
            let base = match staged {
                Ok(base) => base,
                Err(error) => {
                    self.write_staged(now)?;
                    return Err(error);
                }
            };
            base_offset.get_or_insert(base);
        }
        self.write_staged(now)?;
        Ok(Appended {
            base_offset: base_offset.unwrap_or(first),
            last_offset: self.next_offset.plus(-1),
            log_append_time: None,
            log_start: self.log_start(),
            duplicate: false,
        })
    }

    pub(super) fn stage(
        &mut self,
        mut batch: ValidatedBatch,
        context: AppendContext,
    ) -> Result<Appended, AppendError> {
        let header = batch.header();
        let marker = match is_marker(header) {
            true => marker_of(header, &batch.to_bytes()),
            false => None,
        };
        if let Some(repeated) = self.admit(header, marker, context)? {
            return Ok(self.repeated(repeated, header.timestamp_type()));
        }
        if context.origin == AppendOrigin::Client {
            self.check_reserve(header.size_bytes() as u64, context.now)?;
        }
        batch.assign(self.next_offset, context.leader_epoch);
        let log_append_time = batch.log_append_time();
        let frame = Frame::of(batch.header());
        let (base_offset, last_offset) = (frame.base_offset, frame.last_offset);
        let staged = Staged::settled(frame, &batch);
        self.stage_frame(staged, marker, context.now)?;
        Ok(Appended {
            base_offset,
            last_offset,
            log_append_time,
            log_start: self.log_start(),
            duplicate: false,
        })
    }

    /// Whether producer state lets the batch in; `Some` if it is a repeat.
    fn admit(
        &self,
        header: &BatchHeader,
        marker: Option<Marker>,
        context: AppendContext,
    ) -> Result<Option<WrittenBatch>, AppendError> {
        match (marker, context.origin) {
            _ if !header.has_producer() => {}
            (Some(marker), _) => self.producers.check_marker(header, marker)?,
            (None, AppendOrigin::Coordinator) => self.producers.check_coordinator(header)?,
            (None, AppendOrigin::Client) => {
                if let Some(repeated) = self.producers.duplicate_of(header) {
                    return Ok(Some(repeated));
                }
                self.producers.check_client(header, self.beginnings.are_due(context.now))?;
            }
        }
        Ok(None)
    }

    fn repeated(&self, written: WrittenBatch, clock: TimestampType) -> Appended {
        let is_broker_time = clock == TimestampType::LogAppendTime;
        Appended {
            base_offset: written.base_offset(),
            last_offset: written.last_offset,
            log_append_time: is_broker_time.then_some(written.timestamp),
            log_start: self.log_start(),
            duplicate: true,
        }
    }

    /// Takes the first batch off `rest`.
    fn stage_replicated(&mut self, rest: &mut Bytes, now: WallTime) -> Result<Offset, AppendError> {
        let corrupt = |why: String| AppendError::Corrupt { at: self.next_offset, why };
        let frame = Frame::parse(rest).map_err(|error| corrupt(error.to_string()))?;
        checked_batch(rest).map_err(|error| corrupt(error.to_string()))?;
        let bytes = rest.split_to(frame.bytes as usize);
        if frame.base_offset < self.next_offset {
            self.begin_inside_batch(&frame, now)?;
        }
        self.check_reserve(frame.bytes, now)?;
        let base = frame.base_offset;
        if base > self.next_offset {
            self.state.holes_below.fetch_max(base.0, Ordering::AcqRel);
        }
        let marker = frame.header.as_ref().and_then(|header| marker_of(header, &bytes));
        self.stage_frame(Staged::as_it_is(frame, bytes), marker, now)?;
        Ok(base)
    }

    /// A follower whose leader's log starts in the middle of a batch gets the whole batch: an empty
    /// log may begin before its start. Source: KAFKA-6975.
    fn begin_inside_batch(&mut self, frame: &Frame, now: WallTime) -> Result<(), AppendError> {
        let log_end = self.next_offset;
        let is_empty =
            self.staged.is_empty() && self.log_start() == log_end && self.active.bytes == 0;
        if !is_empty || frame.last_offset < log_end {
            return Err(AppendError::OffsetNotMonotonic { log_end, got: frame.base_offset });
        }
        let (state, base) = (self.state.clone(), frame.base_offset);
        // A commit that runs says of the place where the log is now that all before it is durable,
        // and what is about to be written lies before it.
        let rolled = state.home.before_replacing_files().and_then(|_journal| {
            // The first segment says it no longer.
            state.home.keep_log_start(&state.partition, Some(log_end))?;
            self.roll_to(base, now)?;
            state.cut(|_| Ok(()))?;
            state.reset_committed(Place { segment_base: base, position: 0 });
            Ok(())
        });
        self.state.guard(rolled)?;
        Ok(())
    }

    /// Makes room for a batch that has its offsets, and takes note of it.
    fn stage_frame(
        &mut self,
        staged: Staged,
        marker: Option<Marker>,
        now: WallTime,
    ) -> Result<(), AppendError> {
        let frame = &staged.frame;
        let (batch_bytes, segment_bytes) = (frame.bytes, self.config.segment_bytes);
        if batch_bytes > segment_bytes {
            return Err(AppendError::LargerThanSegment { batch_bytes, segment_bytes });
        }
        self.is_untouched = false;
        let woken = self.active.wake(&self.config);
        self.state.guard_unless_full(woken)?;
        if self.must_roll(frame, now) {
            self.write_staged(now)?;
            self.roll_or_stay(frame.base_offset, now)?;
            let woken = self.active.wake(&self.config);
            self.state.guard_unless_full(woken)?;
        }
        let room = self.make_room(frame.bytes);
        self.state.guard_unless_full(room)?;
        if let Some(header) = &frame.header {
            let log_end = self.next_offset;
            let noted = self.state.change_epochs(|epochs| {
                epochs.note_batch(header.leader_epoch, header.base_offset, log_end)
            });
            // A full disk: the epoch begins with the next batch that finds room.
            self.state.guard_unless_full(noted)?;
            let noted = self.note_producer(header, marker);
            self.state.guard(noted)?;
        }
        self.next_offset = frame.next_offset();
        self.staged_bytes += frame.bytes;
        self.staged.push(staged);
        Ok(())
    }

    fn note_producer(
        &mut self,
        header: &BatchHeader,
        marker: Option<Marker>,
    ) -> Result<(), StorageError> {
        if !header.has_producer() {
            return Ok(());
        }
        let Some(aborted) = note_producer(&mut self.producers, header, marker) else {
            return Ok(());
        };
        self.active.segment.note_aborted(aborted)
    }

    /// Whether the batch must go to a new segment. Source: Kafka `LogSegment.shouldRoll`.
    fn must_roll(&self, frame: &Frame, now: WallTime) -> bool {
        let (active, config) = (&self.active, &self.config);
        let bytes = active.bytes + self.staged_bytes;
        let base = active.segment.base();
        if frame.last_offset.since(base) > i64::from(i32::MAX) {
            return true;
        }
        if bytes == 0 {
            return false;
        }
        // Positions are stored as i32.
        let segment_bytes = config.segment_bytes.min(i32::MAX as u64);
        let first = match active.first_timestamp {
            WallTime::NONE => {
                self.staged.first().map_or(WallTime::NONE, |one| one.frame.max_timestamp)
            }
            known => known,
        };
        let waited_ms = match first.0 >= 0 {
            true => frame.max_timestamp.0.saturating_sub(first.0),
            false => now.0.saturating_sub(active.since.0),
        };
        let patience_ms = config.segment_ms_max() - config.roll_jitter_ms(self.jitter_seed, base);
        // The staged batches may take an entry each.
        let entries = self.staged.len() + 1;
        let (offset_room, time_room) =
            (active.segment.offset_index.room(), active.segment.time_index.room());
        bytes + frame.bytes > segment_bytes
            || waited_ms > patience_ms
            || offset_room < entries
            || time_room < entries + 1 // one is kept for the last timestamp at roll
    }

    /// The one write; then readers see the batches.
    pub(super) fn write_staged(&mut self, now: WallTime) -> Result<(), StorageError> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let written = match self.settle().and_then(|()| self.write_and_index()) {
            Err(error) if error.is_full() => self.cut_back(now).and(Err(error)),
            written => written,
        };
        self.staged.clear();
        self.staged_bytes = 0;
        self.state.guard_unless_full(written)?;
        self.state.publish_unstable(self.producers.first_unstable());
        self.state.publish_end(self.next_offset);
        self.publish_undescribed();
        Ok(())
    }

    /// Before the first write after a crash: power loss must not bring back what the last process
    /// had truncated and let it mix with what is written now.
    fn settle(&mut self) -> Result<(), StorageError> {
        if self.is_unsettled {
            self.active.segment.sync_log()?;
            self.state.sync_dir()?;
            self.is_unsettled = false;
        }
        Ok(())
    }

    fn write_and_index(&mut self) -> Result<(), StorageError> {
        let active = &mut self.active;
        active.wake(&self.config)?;
        let staged = &self.staged;
        active.segment.write("append batch", |file| {
            if let [sole] = &staged[..] {
                return file.write_vectored_at(&mut sole.slices(), active.bytes);
            }
            let slices = staged.iter().flat_map(Staged::slices);
            let mut slices: Vec<_> = slices.filter(|slice| !slice.is_empty()).collect();
            file.write_vectored_at(&mut slices, active.bytes)
        })?;
        for Staged { frame, .. } in &self.staged {
            if active.bytes == 0 {
                active.first_timestamp = frame.max_timestamp;
            }
            active.rule.note(&active.segment, active.bytes, frame)?;
            active.bytes += frame.bytes;
        }
        active.segment.publish_bytes(active.bytes);
        Ok(())
    }
}

/// Takes note of a batch in the log; `Some` if it aborts a transaction that wrote here.
pub(crate) fn note_producer(
    producers: &mut crate::ProducerStates,
    header: &BatchHeader,
    marker: Option<Marker>,
) -> Option<AbortedTransaction> {
    let Some(marker) = marker else {
        // An empty control batch is all that compaction left of a transaction.
        if !header.is_control() {
            producers.note_batch(header);
        }
        return None;
    };
    let ended = producers.note_marker(header, marker)?;
    marker.is_abort.then_some(AbortedTransaction {
        producer_id: header.producer_id,
        first_offset: ended.first_offset,
        last_offset: header.base_offset,
        last_stable_offset: ended.last_stable_offset,
    })
}

/// What a transaction marker says; `None` for every other batch.
pub(crate) fn marker_of(header: &BatchHeader, bytes: &[u8]) -> Option<Marker> {
    if !is_marker(header) {
        return None;
    }
    let batch = RecordBatch::parse(&Bytes::copy_from_slice(bytes)).ok()?;
    let record = batch.records().ok()?.next()?.ok()?;
    match ControlRecord::from_record(&record).ok()? {
        ControlRecord::Abort { coordinator_epoch } => {
            Some(Marker { is_abort: true, coordinator_epoch })
        }
        ControlRecord::Commit { coordinator_epoch } => {
            Some(Marker { is_abort: false, coordinator_epoch })
        }
        _ => None,
    }
}

fn is_marker(header: &BatchHeader) -> bool {
    header.is_control() && header.has_producer()
}
