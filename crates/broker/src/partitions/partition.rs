//! A partition of this broker: one owner at a time for writes, any number of readers.

use std::fmt;
use std::sync::atomic::{AtomicI16, AtomicI32, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use arc_swap::ArcSwap;
use env::Disk;
use records::validate::{AppendOrigin, ValidatedBatch};
use replication::{AckWaiters, HighWatermark};
use storage::{AppendContext, AppendError, Appended, EpochEnd, LogReader, PartitionLog};
use types::{ErrorCode, LeaderEpoch, Offset, TopicPartition, Uuid, WallTime};

use crate::fetch_wait::FetchWait;
use crate::log_store::DirIndex;
use crate::metrics::TopicMetrics;
use crate::settings::PartitionSettings;

/// Why a batch did not get into the partition.
#[derive(Clone, Debug)]
pub enum AppendRefused {
    /// The partition was deleted or closed while the batch was on its way.
    Gone(ErrorCode),
    Log(AppendError),
}

impl AppendRefused {
    pub fn error_code(&self) -> ErrorCode {
        match self {
            AppendRefused::Gone(why) => *why,
            AppendRefused::Log(error) => error.error_code(),
        }
    }
}

impl fmt::Display for AppendRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendRefused::Gone(_) => f.write_str("the partition is no longer served here"),
            AppendRefused::Log(error) => error.fmt(f),
        }
    }
}

/// Called once when an append is acknowledged or refused. Must not call back into the partition.
pub type AppendDone = Box<dyn FnOnce(Result<Appended, AppendRefused>) + Send>;

/// A batch on its way into a partition.
pub struct Append {
    pub batch: ValidatedBatch,
    pub origin: AppendOrigin,
    /// False: answer once the leader has it (acks=1). True: once the gate has passed it (acks=all).
    pub wait_for_gate: bool,
    pub done: AppendDone,
}

/// A partition that this broker leads.
///
/// Writes go through a **mailbox and a baton**: whoever brings work puts it in the mailbox; if the
/// baton (`owner`) is free it runs the turn itself, else the present owner takes the work along.
/// Uncontended work never changes thread and contended work batches by itself (ADR 0006).
///
/// **Invariant:** `log_start <= high_watermark <= log_end`.
#[doc(alias = "cluster.Partition")]
pub struct Partition<D: Disk> {
    pub id: TopicPartition,
    pub topic_id: Uuid,
    /// A move to another log directory replaces both, under the baton.
    place: ArcSwap<Place<D>>,
    pub metrics: Arc<TopicMetrics>,
    high_watermark: AtomicI64,
    leader_epoch: AtomicI32,
    owner: Mutex<Owner<D>>,
    mailbox: Mutex<Vec<Append>>,
    fetch_waits: Mutex<Vec<Arc<FetchWait<D>>>>,
    settings: ArcSwap<PartitionSettings>,
    /// An error code once the partition is not served here any more; 0 before.
    gone: AtomicI16,
}

/// A log and the directory it is in.
pub type PlacedLog<D> = (DirIndex, PartitionLog<D>);

/// Where a partition's log is, for those who only read it.
struct Place<D: Disk> {
    dir: DirIndex,
    reader: LogReader<D>,
}

struct Owner<D: Disk> {
    /// `None` once the partition is closed or deleted.
    log: Option<PartitionLog<D>>,
    high_watermark: HighWatermark,
    acks: AckWaiters<(AppendDone, Appended)>,
}

/// What a turn leaves to do once the baton is back: replies and wake-ups.
#[derive(Default)]
struct TurnOutput {
    replies: Vec<(AppendDone, Result<Appended, AppendRefused>)>,
    appended_bytes: usize,
}

/// What a partition is made of.
pub struct PartitionParts<D: Disk> {
    pub id: TopicPartition,
    pub topic_id: Uuid,
    pub dir: DirIndex,
    pub log: PartitionLog<D>,
    pub leader_epoch: LeaderEpoch,
    pub settings: PartitionSettings,
    pub metrics: Arc<TopicMetrics>,
}

impl<D: Disk> Partition<D> {
    pub fn new(parts: PartitionParts<D>) -> Partition<D> {
        let PartitionParts { id, topic_id, dir, mut log, leader_epoch, settings, metrics } = parts;
        let reader = log.reader();
        // The only replica: what is in the log is committed.
        let log_end = reader.log_end();
        log.note_high_watermark(log_end);
        Partition {
            id,
            topic_id,
            place: ArcSwap::from_pointee(Place { dir, reader }),
            metrics,
            high_watermark: AtomicI64::new(log_end.0),
            leader_epoch: AtomicI32::new(leader_epoch.0),
            owner: Mutex::new(Owner {
                log: Some(log),
                high_watermark: HighWatermark::at(log_end),
                acks: AckWaiters::default(),
            }),
            mailbox: Mutex::default(),
            fetch_waits: Mutex::default(),
            settings: ArcSwap::from_pointee(settings),
            gone: AtomicI16::new(ErrorCode::None.code()),
        }
    }

    /// Reads the log beside its owner.
    pub fn reader(&self) -> LogReader<D> {
        self.place.load().reader.clone()
    }

    /// The log directory it is in.
    pub fn dir(&self) -> DirIndex {
        self.place.load().dir
    }

    /// Consumers read below this.
    pub fn high_watermark(&self) -> Offset {
        Offset(self.high_watermark.load(Ordering::Acquire))
    }

    /// Below this no transaction is open: where read_committed consumers stop.
    pub fn last_stable_offset(&self) -> Offset {
        self.reader().last_stable_offset(self.high_watermark())
    }

    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(self.leader_epoch.load(Ordering::Acquire))
    }

    /// Where an epoch ends here; `None` if nothing is known of it, nor of one after it. Today's
    /// leader knows its own epoch before it has written anything.
    pub fn epoch_end(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        if epoch == self.leader_epoch() {
            return Some(EpochEnd { epoch, end_offset: self.reader().log_end() });
        }
        self.reader().epoch_end_offset(epoch)
    }

    pub fn set_leader_epoch(&self, epoch: LeaderEpoch) {
        self.leader_epoch.fetch_max(epoch.0, Ordering::AcqRel);
    }

    /// What the topic's configuration means here. Changes take effect with the next request.
    pub fn settings(&self) -> Arc<PartitionSettings> {
        self.settings.load_full()
    }

    pub fn set_settings(&self, settings: PartitionSettings, now: WallTime) {
        let config = Arc::clone(&settings.log);
        self.settings.store(Arc::new(settings));
        self.with_log(now, |log| log.set_config(config));
    }

    /// Appends, now or at the end of the turn that is running. `done` is called exactly once.
    pub fn append(&self, append: Append, now: WallTime) {
        lock(&self.mailbox).push(append);
        self.run_turns(now);
    }

    /// Appends before returning, so that the caller can go on from what is now in the log.
    /// `acknowledged` is called once the gate has passed the batch; never after an error.
    ///
    /// # Errors
    /// The batch is not in the log.
    pub fn append_now(
        &self,
        batch: ValidatedBatch,
        now: WallTime,
        acknowledged: AppendDone,
    ) -> Result<Appended, AppendRefused> {
        let mut owner = lock(&self.owner);
        let earlier = std::mem::take(&mut *lock(&self.mailbox));
        let mut output = self.turn(&mut owner, earlier, now);
        let bytes = batch.size_bytes();
        let result = self.append_to_log(&mut owner, batch, AppendOrigin::Coordinator, now);
        if let Ok(appended) = &result {
            output.appended_bytes += bytes;
            owner.acks.push(self.reader().log_end(), (acknowledged, *appended));
            self.open_gate(&mut owner, &mut output);
        }
        drop(owner);
        self.deliver(output);
        self.run_turns_if_waiting(now);
        result
    }

    /// Does something with the log that is no append; `None` if it is closed.
    pub fn with_log<T>(
        &self,
        now: WallTime,
        act: impl FnOnce(&mut PartitionLog<D>) -> T,
    ) -> Option<T> {
        let mut owner = lock(&self.owner);
        let result = owner.log.as_mut().map(act);
        drop(owner);
        self.run_turns_if_waiting(now);
        result
    }

    /// Lets a log in another directory take this one's place, with nobody appending meanwhile.
    /// Returns the one that was, and where it is; `None` if the partition is closed.
    pub fn replace_log<F>(
        &self,
        now: WallTime,
        successor: impl FnOnce(&mut PartitionLog<D>) -> Result<PlacedLog<D>, F>,
    ) -> Option<Result<PlacedLog<D>, F>> {
        let mut owner = lock(&self.owner);
        let log = owner.log.as_mut()?;
        let before = self.dir();
        let replaced = successor(log).map(|(dir, mut next)| {
            next.set_config(Arc::clone(&self.settings().log));
            next.note_high_watermark(self.high_watermark());
            self.place.store(Arc::new(Place { dir, reader: next.reader() }));
            (before, std::mem::replace(log, next))
        });
        drop(owner);
        self.run_turns_if_waiting(now);
        Some(replaced)
    }

    /// Takes the log out, for closing or deleting. Appends and fetches that come later, and those
    /// that wait, are answered with `why`.
    pub fn take_log(&self, why: ErrorCode, now: WallTime) -> Option<PartitionLog<D>> {
        self.gone.store(why.code(), Ordering::Release);
        let log = lock(&self.owner).log.take();
        self.run_turns_if_waiting(now);
        // Completing a wait takes the list's lock again.
        let waits = std::mem::take(&mut *lock(&self.fetch_waits));
        for wait in waits {
            wait.complete();
        }
        log
    }

    /// # Errors
    /// Why the partition can no longer be used through this broker.
    pub fn check_here(&self) -> Result<(), ErrorCode> {
        match ErrorCode::from_code(self.gone.load(Ordering::Acquire)) {
            None | Some(ErrorCode::None) => Ok(()),
            Some(why) => Err(why),
        }
    }

    fn run_turns(&self, now: WallTime) {
        loop {
            let mut owner = match self.owner.try_lock() {
                Ok(owner) => owner,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let work = std::mem::take(&mut *lock(&self.mailbox));
            let output = self.turn(&mut owner, work, now);
            drop(owner);
            self.deliver(output);
            if lock(&self.mailbox).is_empty() {
                return;
            }
        }
    }

    /// Work that arrived meanwhile found the baton taken.
    fn run_turns_if_waiting(&self, now: WallTime) {
        if !lock(&self.mailbox).is_empty() {
            self.run_turns(now);
        }
    }

    /// One turn: everything in the mailbox, in order, then one step of the gate.
    fn turn(&self, owner: &mut Owner<D>, work: Vec<Append>, now: WallTime) -> TurnOutput {
        let mut output = TurnOutput::default();
        for Append { batch, origin, wait_for_gate, done } in work {
            let bytes = batch.size_bytes();
            match self.append_to_log(owner, batch, origin, now) {
                Ok(appended) => {
                    if !appended.duplicate {
                        output.appended_bytes += bytes;
                    }
                    if wait_for_gate && appended.last_offset >= owner.high_watermark.offset() {
                        owner.acks.push(self.reader().log_end(), (done, appended));
                    } else {
                        output.replies.push((done, Ok(appended)));
                    }
                }
                Err(error) => output.replies.push((done, Err(error))),
            }
        }
        self.open_gate(owner, &mut output);
        output
    }

    fn append_to_log(
        &self,
        owner: &mut Owner<D>,
        batch: ValidatedBatch,
        origin: AppendOrigin,
        now: WallTime,
    ) -> Result<Appended, AppendRefused> {
        let context = AppendContext { leader_epoch: self.leader_epoch(), now, origin };
        self.check_here().map_err(AppendRefused::Gone)?;
        let gone = AppendRefused::Gone(ErrorCode::NotLeaderOrFollower);
        let log = owner.log.as_mut().ok_or(gone)?;
        let (bytes, records) = (batch.size_bytes(), batch.records_count());
        let appended = log.append(batch, context).map_err(AppendRefused::Log)?;
        if !appended.duplicate {
            self.metrics.note_appended(bytes, records);
        }
        Ok(appended)
    }

    /// The leader is the whole in-sync set and its log is the measure of durability, so the gate
    /// stands at the log end. Group commit and followers' progress narrow it here, and only here.
    fn open_gate(&self, owner: &mut Owner<D>, output: &mut TurnOutput) {
        let log_end = self.reader().log_end();
        if let Some(passed) = owner.high_watermark.advance_to(log_end, log_end) {
            self.high_watermark.store(passed.0, Ordering::Release);
            if let Some(log) = &mut owner.log {
                log.note_high_watermark(passed);
            }
        }
        let released = owner.acks.release_below(owner.high_watermark.offset());
        output.replies.extend(released.map(|(done, appended)| (done, Ok(appended))));
    }

    fn deliver(&self, output: TurnOutput) {
        for (done, result) in output.replies {
            done(result);
        }
        if output.appended_bytes > 0 {
            let waits = lock(&self.fetch_waits).clone();
            for wait in waits {
                wait.handle_appended(output.appended_bytes);
            }
        }
    }

    pub(crate) fn add_fetch_wait(&self, wait: Arc<FetchWait<D>>) {
        lock(&self.fetch_waits).push(wait);
    }

    pub(crate) fn remove_fetch_wait(&self, wait: &Arc<FetchWait<D>>) {
        lock(&self.fetch_waits).retain(|other| !Arc::ptr_eq(other, wait));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
