//! A partition of this broker: one owner at a time for writes, any number of readers.

mod appends;
mod baton;
mod deletions;
mod gate;
mod log;
mod role;
mod watchers;

pub use role::Followed;

use std::sync::atomic::{AtomicBool, AtomicI16, AtomicI32, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use env::Disk;
use records::validate::{AppendOrigin, ProduceRules, ValidatedBatch};
use replication::{PartitionState, Replica};
use storage::{
    AppendContext, AppendError, Appended, EpochEnd, GroupCommit, LogReader, OnCommit, PartitionLog,
};
use types::{BrokerId, ErrorCode, LeaderEpoch, MonoTime, Offset, TopicPartition, Uuid, WallTime};

use self::baton::Baton;
use crate::deletion_wait::DeletionWait;
use crate::fetch_changes::FetchChanges;
use crate::fetch_wait::FetchWait;
use crate::log_store::DirIndex;
use crate::metrics::TopicMetrics;
use crate::partitions::owner::{
    Append, AppendCall, AppendDone, AppendRefused, Mailbox, Owner, TurnOutput, Waiter, Work,
    ends_of,
};
use crate::replicas::IsrHint;
use crate::settings::PartitionSettings;

/// A partition that has a replica here: this broker leads it, or follows who does.
///
/// Writes go through a **mailbox and a baton**: whoever brings work puts it in the mailbox; if the
/// baton is free it runs the turn itself, else whoever has it takes the work along.
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
    /// Bytes that have been appended since the start: what fetches of followers wait for.
    appended_bytes: AtomicU64,
    leader_epoch: AtomicI32,
    leads: AtomicBool,
    /// Other brokers have a replica, too.
    has_others: AtomicBool,
    baton: Baton<D>,
    mailbox: Mutex<Mailbox>,
    fetch_waits: Mutex<Vec<Arc<FetchWait<D>>>>,
    /// Sessions of followers that are told when there is something to fetch.
    watchers: Mutex<Vec<Weak<FetchChanges>>>,
    deletion_waits: Mutex<Vec<Arc<DeletionWait<D>>>>,
    settings: ArcSwap<PartitionSettings>,
    /// An error code once the partition is not served here any more; 0 before.
    gone: AtomicI16,
    on_synced: OnSynced<D>,
    isr_hint: IsrHint,
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
    pub broker: BrokerId,
    /// What the metadata says of it.
    pub state: PartitionState,
    /// What was known to be committed before. A sole replica knows that all of its log is.
    pub high_watermark: Offset,
    pub now: MonoTime,
    pub settings: PartitionSettings,
    pub metrics: Arc<TopicMetrics>,
    pub commit: GroupCommit<D>,
    /// Called when a follower may fetch again. It is called without any lock of the partition.
    pub on_synced: OnSynced<D>,
    /// Set when a follower that is not in sync says how far it is.
    pub isr_hint: IsrHint,
}

/// Hears that what a follower has is as durable as it is to be.
pub type OnSynced<D> = Arc<dyn Fn(&Partition<D>) + Send + Sync>;

impl<D: Disk> Partition<D> {
    /// A partition whose log is durable: its directory has finished loading, or the log is empty.
    pub fn new(parts: PartitionParts<D>) -> Arc<Partition<D>> {
        let PartitionParts { id, topic_id, dir, mut log, broker, state, .. } = parts;
        let PartitionParts { high_watermark, now, settings, metrics, commit, .. } = parts;
        let PartitionParts { on_synced, isr_hint, .. } = parts;
        let reader = log.reader();
        let ends = ends_of(&log, log.log_end());
        let rules = settings.leader_rules();
        let mut replica = Replica::new(broker, &state, ends, high_watermark, rules, now);
        if let Some(leader) = replica.leader_mut() {
            leader.poll_high_watermark();
        }
        let high_watermark = replica.high_watermark();
        log.note_high_watermark(high_watermark);
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
            high_watermark: AtomicI64::new(high_watermark.0),
            leader_epoch: AtomicI32::new(state.leader_epoch.0),
            has_others: AtomicBool::new(state.replicas.len() > 1),
            leads: AtomicBool::new(replica.leader().is_some()),
            shown_bytes: AtomicU64::new(0),
            appended_bytes: AtomicU64::new(0),
            baton: Baton::new(Owner::of(log, replica)),
            mailbox: Mutex::default(),
            fetch_waits: Mutex::default(),
            watchers: Mutex::default(),
            deletion_waits: Mutex::default(),
            settings: ArcSwap::from_pointee(settings),
            gone: AtomicI16::new(ErrorCode::None.code()),
            on_synced,
            isr_hint,
            this: this.clone(),
        })
    }

    /// Reads the log beside its owner.
    pub fn reader(&self) -> LogReader<D> {
        self.place.load().reader.clone()
    }

    /// See [`LogReader::is_write_down_due`].
    pub fn is_write_down_due(&self) -> bool {
        self.place.load().reader.is_write_down_due()
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

    /// Bytes of batches that were appended since the start. Only for differences.
    pub fn appended_bytes(&self) -> u64 {
        self.appended_bytes.load(Ordering::Acquire)
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

    /// What the topic's configuration means here. Changes take effect with the next request.
    pub fn settings(&self) -> Arc<PartitionSettings> {
        self.settings.load_full()
    }

    /// What batches of the topic must be, now.
    pub fn produce_rules(&self) -> ProduceRules {
        self.settings.load().produce_rules.clone()
    }

    pub fn set_settings(&self, settings: PartitionSettings, now: WallTime) {
        let (config, rules) = (Arc::clone(&settings.log), settings.leader_rules());
        self.settings.store(Arc::new(settings));
        self.own(now, |owner, output| {
            if let Some(log) = owner.log.as_mut() {
                log.set_config(config);
            }
            owner.replica.set_rules(rules);
            self.open_gate(owner, output);
        });
    }

    /// Leaves a batch for the next turn, which the caller sees to
    /// ([`RunTurns`](super::turns::RunTurns)); somebody else's turn may take it along before.
    /// `done` is called exactly once.
    pub fn submit(&self, append: Append) {
        lock(&self.mailbox).push(append);
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
        acknowledged: AppendCall,
    ) -> Result<Appended, AppendRefused> {
        self.own(now, |owner, output| {
            let earlier = lock(&self.mailbox).take();
            *output = self.turn(owner, earlier, now);
            let bytes = batch.size_bytes();
            if owner.replica.leader().is_some_and(|leader| leader.is_under_min_isr()) {
                return Err(AppendRefused::TooFewInSync);
            }
            let appended = self.append_one(owner, batch, now)?;
            let log_end = self.reader().log_end();
            owner.note_appended(log_end, bytes, now);
            output.appended_bytes += bytes;
            let done = AppendDone::Call(acknowledged);
            owner.acks.push(log_end, Waiter::Append(done, appended));
            self.open_gate(owner, output);
            Ok(appended)
        })
    }

    /// # Errors
    /// Why the partition can no longer be used through this broker.
    pub fn check_here(&self) -> Result<(), ErrorCode> {
        match ErrorCode::from_code(self.gone.load(Ordering::Acquire)) {
            None | Some(ErrorCode::None) => Ok(()),
            Some(why) => Err(why),
        }
    }

    /// One turn: everything in the mailbox, in order, then one step of the gate.
    fn turn(&self, owner: &mut Owner<D>, work: Work, now: WallTime) -> TurnOutput {
        let mut output = TurnOutput::default();
        let heard_of_commit = work.committed.is_some();
        match work.committed {
            None => {}
            Some(Ok(offset)) => owner.note_durable(offset),
            Some(Err(error)) => {
                owner.is_broken = true;
                let refused = AppendRefused::Log(AppendError::Storage(error));
                owner.refuse_waiters(&refused, &mut output);
            }
        }
        output.heard_of_followers = !work.fetches.is_empty();
        for (fetch, at) in work.fetches {
            self.hear_of_follower(owner, &fetch, at);
        }
        self.append_all(owner, work.appends, now, &mut output);
        self.open_gate(owner, &mut output);
        output.may_fetch = heard_of_commit && owner.replica.follower().is_some();
        output
    }

    fn append_one(
        &self,
        owner: &mut Owner<D>,
        batch: ValidatedBatch,
        now: WallTime,
    ) -> Result<Appended, AppendRefused> {
        let context = self.append_context(AppendOrigin::Coordinator, now);
        let (bytes, records) = (batch.size_bytes(), batch.records_count());
        let appended = self.log_of(owner)?.append(batch, context).map_err(AppendRefused::Log)?;
        if !appended.duplicate {
            self.metrics.note_appended(bytes, records);
        }
        Ok(appended)
    }

    fn append_context(&self, origin: AppendOrigin, now: WallTime) -> AppendContext {
        AppendContext { leader_epoch: self.leader_epoch(), now, origin }
    }

    fn log_of<'a>(
        &self,
        owner: &'a mut Owner<D>,
    ) -> Result<&'a mut PartitionLog<D>, AppendRefused> {
        self.check_here().map_err(AppendRefused::Gone)?;
        if owner.replica.leader().is_none() {
            return Err(AppendRefused::NotLeader);
        }
        owner.log.as_mut().ok_or(AppendRefused::Gone(ErrorCode::NotLeaderOrFollower))
    }

    /// Returns how many waited for the gate and were answered.
    fn deliver(&self, output: TurnOutput) -> usize {
        if output.wants_sync {
            self.request_commit();
        }
        let answered = output.replies.len() + output.passed.len();
        for (done, result) in output.replies {
            done.tell(result, || self.leader_elsewhere());
        }
        for (then, result) in output.passed {
            then(result);
        }
        if output.may_fetch {
            (self.on_synced)(self);
        }
        if output.heard_of_followers {
            self.check_deletions();
        }
        if output.shown_bytes > 0 || output.appended_bytes > 0 {
            self.appended_bytes.fetch_add(output.appended_bytes as u64, Ordering::AcqRel);
            let waits = lock(&self.fetch_waits).clone();
            for wait in waits {
                wait.handle_more(output.appended_bytes, output.shown_bytes);
            }
        }
        if output.appended_bytes > 0 || output.high_watermark_moved {
            self.note_changed(output.appended_bytes);
        }
        answered
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
