//! A partition of this broker: one owner at a time for writes, any number of readers.

mod gate;

use std::sync::atomic::{AtomicI16, AtomicI32, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};

use arc_swap::ArcSwap;
use env::Disk;
use records::validate::{AppendOrigin, ValidatedBatch};
use replication::AckGate;
use storage::{
    AppendContext, AppendError, Appended, EpochEnd, GroupCommit, LogReader, OnCommit, PartitionLog,
};
use types::{ErrorCode, LeaderEpoch, Offset, TopicPartition, Uuid, WallTime};

use crate::fetch_wait::FetchWait;
use crate::log_store::DirIndex;
use crate::metrics::TopicMetrics;
use crate::partitions::owner::{
    Append, AppendDone, AppendRefused, Mailbox, Owner, TurnOutput, Waiter,
};
use crate::settings::PartitionSettings;

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
    /// Bytes that have become visible since the start: what fetches wait for.
    shown_bytes: AtomicU64,
    leader_epoch: AtomicI32,
    owner: Mutex<Owner<D>>,
    mailbox: Mutex<Mailbox>,
    fetch_waits: Mutex<Vec<Arc<FetchWait<D>>>>,
    settings: ArcSwap<PartitionSettings>,
    /// An error code once the partition is not served here any more; 0 before.
    gone: AtomicI16,
    this: Weak<Partition<D>>,
}

/// A log and the directory it is in.
pub type PlacedLog<D> = (DirIndex, PartitionLog<D>);

/// What takes a log's place, and who makes it durable there.
pub type Successor<D> = (PlacedLog<D>, GroupCommit<D>);

/// Where a partition's log is, for those who only read it, and who makes it durable there.
struct Place<D: Disk> {
    dir: DirIndex,
    reader: LogReader<D>,
    commit: GroupCommit<D>,
    on_commit: Arc<dyn OnCommit>,
    /// Counts the places there were: a commit of an earlier one says nothing of this.
    number: u64,
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
    pub commit: GroupCommit<D>,
}

impl<D: Disk> Partition<D> {
    /// A partition whose log is durable: its directory has finished loading, or the log is empty.
    pub fn new(parts: PartitionParts<D>) -> Arc<Partition<D>> {
        let PartitionParts { id, topic_id, dir, mut log, leader_epoch, .. } = parts;
        let PartitionParts { settings, metrics, commit, .. } = parts;
        let reader = log.reader();
        let log_end = reader.log_end();
        log.note_high_watermark(log_end);
        Arc::new_cyclic(|this| Partition {
            id,
            topic_id,
            place: ArcSwap::from_pointee(Place {
                dir,
                reader,
                commit,
                on_commit: gate::listener(this, 0),
                number: 0,
            }),
            metrics,
            high_watermark: AtomicI64::new(log_end.0),
            leader_epoch: AtomicI32::new(leader_epoch.0),
            shown_bytes: AtomicU64::new(0),
            owner: Mutex::new(Owner::of(log, AckGate::open_at(log_end, settings.gate))),
            mailbox: Mutex::default(),
            fetch_waits: Mutex::default(),
            settings: ArcSwap::from_pointee(settings),
            gone: AtomicI16::new(ErrorCode::None.code()),
            this: this.clone(),
        })
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

    /// Bytes of batches that consumers were shown since the start. Only for differences.
    pub fn shown_bytes(&self) -> u64 {
        self.shown_bytes.load(Ordering::Acquire)
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
        let (config, gate) = (Arc::clone(&settings.log), settings.gate);
        self.settings.store(Arc::new(settings));
        let mut owner = lock(&self.owner);
        if let Some(log) = owner.log.as_mut() {
            log.set_config(config);
        }
        let mut output = TurnOutput::default();
        owner.gate.set_rules(gate);
        self.open_gate(&mut owner, &mut output);
        drop(owner);
        self.deliver(output);
        self.run_turns_if_waiting(now);
    }

    /// Appends, now or at the end of the turn that is running. `done` is called exactly once.
    pub fn append(&self, append: Append, now: WallTime) {
        lock(&self.mailbox).appends.push(append);
        self.run_turns(now);
    }

    /// Appends before returning, so that the caller can go on from what is now in the log.
    /// `acknowledged` is called once the gate has passed the batch, or never will; not at all after
    /// an error here.
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
            owner.note_appended(self.reader().log_end(), bytes, now);
            let waiter = Waiter::Append(acknowledged, *appended);
            let log_end = owner.gate.log_end();
            owner.acks.push(log_end, waiter);
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
        successor: impl FnOnce(&mut PartitionLog<D>) -> Result<Successor<D>, F>,
    ) -> Option<Result<PlacedLog<D>, F>> {
        let mut owner = lock(&self.owner);
        let before = self.dir();
        let successor = successor(owner.log.as_mut()?);
        let mut output = TurnOutput::default();
        let replaced = successor.map(|((dir, mut next), commit)| {
            next.set_config(Arc::clone(&self.settings().log));
            next.note_high_watermark(self.high_watermark());
            let number = self.place.load().number + 1;
            let on_commit = gate::listener(&self.this, number);
            let reader = next.reader();
            self.place.store(Arc::new(Place { dir, reader, commit, on_commit, number }));
            // A copy is whole and closed before it takes a place: all of it is durable.
            owner.note_durable(next.log_end());
            let log = owner.log.replace(next);
            self.open_gate(&mut owner, &mut output);
            log.map(|log| (before, log))
        });
        drop(owner);
        self.deliver(output);
        self.run_turns_if_waiting(now);
        replaced.transpose()
    }

    /// Takes the log out, for closing or deleting. Appends and fetches that come later, and those
    /// that wait, are answered with `why`.
    pub fn take_log(&self, why: ErrorCode, now: WallTime) -> Option<PartitionLog<D>> {
        self.gone.store(why.code(), Ordering::Release);
        let mut owner = lock(&self.owner);
        let log = owner.log.take();
        let mut output = TurnOutput::default();
        owner.refuse_waiters(&AppendRefused::Gone(why), &mut output);
        drop(owner);
        self.deliver(output);
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

    /// Returns how many were answered.
    fn run_turns(&self, now: WallTime) -> usize {
        let mut answered = 0;
        loop {
            let mut owner = match self.owner.try_lock() {
                Ok(owner) => owner,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return answered,
            };
            let work = std::mem::take(&mut *lock(&self.mailbox));
            let output = self.turn(&mut owner, work, now);
            drop(owner);
            answered += self.deliver(output);
            if lock(&self.mailbox).is_empty() {
                return answered;
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
    fn turn(&self, owner: &mut Owner<D>, work: Mailbox, now: WallTime) -> TurnOutput {
        let mut output = TurnOutput::default();
        match work.committed {
            None => {}
            Some(Ok(offset)) => owner.note_durable(offset),
            Some(Err(error)) => {
                owner.is_broken = true;
                let refused = AppendRefused::Log(AppendError::Storage(error));
                owner.refuse_waiters(&refused, &mut output);
            }
        }
        for Append { batch, origin, wait_for_gate, done } in work.appends {
            let bytes = batch.size_bytes();
            match self.append_to_log(owner, batch, origin, now) {
                Ok(appended) => {
                    if !appended.duplicate {
                        owner.note_appended(self.reader().log_end(), bytes, now);
                    }
                    if wait_for_gate && appended.last_offset >= owner.gate.position() {
                        let log_end = owner.gate.log_end();
                        owner.acks.push(log_end, Waiter::Append(done, appended));
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

    /// Returns how many waited for the gate and were answered.
    fn deliver(&self, output: TurnOutput) -> usize {
        if output.wants_sync {
            self.request_commit();
        }
        let answered = output.replies.len() + output.passed.len();
        for (done, result) in output.replies {
            done(result);
        }
        for (then, result) in output.passed {
            then(result);
        }
        if output.shown_bytes > 0 {
            let waits = lock(&self.fetch_waits).clone();
            for wait in waits {
                wait.handle_appended(output.shown_bytes);
            }
        }
        answered
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
