//! Group commit: what was appended to the logs of a directory survives power loss, for all of them
//! with one sync.   ADR 0007
//!
//! While one commit runs, work for the next one gathers; there is no timer. What is committed goes
//! into a journal first; the segments reach the disk when the journal's half is full, or when
//! somebody asks.

mod dirty;
mod frame;
mod journal;
mod replay;
mod way;
mod whole;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use env::{Clock, Disk, Job};
use types::{MonoTime, Offset, WallTime};

use crate::error::StorageError;
use crate::limits::COMMIT_HERE_BYTES_MAX;
use crate::log_dir_state::LogDirState;
use crate::log_state::LogState;
use crate::reader::LogReader;

pub(crate) use dirty::Place;
use dirty::{Dirty, bytes_of_sole_segment};
pub(crate) use frame::{FrameHead, HEADER_BYTES};
pub(crate) use journal::{CommitJournal, HALVES};
use journal::{Retiring, Written};
pub use replay::Replayed;
pub(crate) use replay::replay;
use way::Way;
use whole::before_sync;
pub(crate) use whole::{sync_beside, sync_everything};

/// Somebody who waits for a log to be committed.
pub trait OnCommit: Send + Sync {
    /// Everything below the offset survives power loss; or nobody knows what does. Returns how many
    /// acknowledgements left because of it.
    fn handle_committed(
        self: Arc<Self>,
        outcome: Result<Offset, StorageError>,
        now: WallTime,
    ) -> usize;
}

/// Takes a job to another thread, in order.
pub type RunJob = Box<dyn Fn(Job) + Send + Sync>;

/// Does a job that usually takes so long on the spot, or says no: [`env::Lane::run_here`].
pub type RunHere = Box<dyn Fn(Duration, Job) -> bool + Send + Sync>;

/// Looks for something to come true for a moment, and says whether it did: [`env::Lane::linger`].
pub type Linger = Box<dyn Fn(&dyn Fn() -> bool) -> bool + Send + Sync>;

/// What a group commit is made of.
pub struct CommitParts {
    /// Where commits run, one after another.
    pub commits: RunJob,
    /// How whoever asks for a commit makes it, with nobody else about.
    pub here: RunHere,
    /// How the thread of the commits waits for the next one before it sleeps.
    pub linger: Linger,
    /// Where segments are brought to the disk so that the journal can be used again.
    pub checkpoints: RunJob,
    pub clock: Arc<dyn Clock>,
    /// Of one half of the journal: see [`JOURNAL_BYTES`](crate::limits::JOURNAL_BYTES).
    pub journal_bytes: u64,
    /// See [`RECOVERY_POINTS_BYTES`](crate::limits::RECOVERY_POINTS_BYTES).
    pub recovery_points_bytes: u64,
}

/// Commits the logs of one directory together. Clones share it.
///
/// **Invariant:** one commit at a time; an append that asks while one runs is in the next.
pub struct GroupCommit<D: Disk> {
    shared: Arc<Shared<D>>,
}

struct Shared<D: Disk> {
    home: Arc<LogDirState<D>>,
    parts: CommitParts,
    gathering: Mutex<Gathering<D>>,
    /// Bytes that were synced in the segments themselves since the recovery points were written
    /// down.
    synced_bytes: AtomicU64,
    /// How long commits have taken lately, in nanoseconds: each counts for an eighth.
    usually_ns: AtomicU64,
}

struct Gathering<D: Disk> {
    waiting: Vec<Waiting<D>>,
    is_running: bool,
    /// When the last round ended.
    ended: MonoTime,
}

struct Waiting<D: Disk> {
    log: Arc<LogState<D>>,
    then: Arc<dyn OnCommit>,
    /// Asked by somebody who makes commits: the next one is not looked out for.
    makes_commits: bool,
}

impl<D: Disk> Clone for GroupCommit<D> {
    fn clone(&self) -> GroupCommit<D> {
        GroupCommit { shared: Arc::clone(&self.shared) }
    }
}

impl<D: Disk> GroupCommit<D> {
    pub(crate) fn new(home: Arc<LogDirState<D>>, parts: CommitParts) -> GroupCommit<D> {
        let gathering = Mutex::new(Gathering {
            waiting: Vec::new(),
            is_running: false,
            ended: MonoTime::default(),
        });
        home.lock_journal().set_half_bytes(parts.journal_bytes);
        let (synced_bytes, usually_ns) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let shared = Arc::new(Shared { home, parts, gathering, synced_bytes, usually_ns });
        let weak = Arc::downgrade(&shared);
        shared.home.dirty_files.on_crowded(Box::new(move || {
            if let Some(shared) = weak.upgrade() {
                let home = Arc::clone(&shared.home);
                (shared.parts.checkpoints)(Box::new(move || whole::sync_dirty_files(&home)));
            }
        }));
        GroupCommit { shared }
    }

    /// Asks for everything in the log to be committed. `then` hears of it once, or is already
    /// waiting.
    pub fn request(&self, log: &LogReader<D>, then: impl FnOnce() -> Arc<dyn OnCommit>) {
        if self.ask(&log.state, then, false) {
            self.begin_round();
        }
    }

    /// The same, by somebody who may wait for the disk about as long as a thread is woken: if
    /// nothing else is to be committed, and it is one small write and one sync that have been fast
    /// lately, `then` has heard of it when this returns.
    pub fn request_here(&self, log: &LogReader<D>, then: impl FnOnce() -> Arc<dyn OnCommit>) {
        if !self.ask(&log.state, then, true) {
            return;
        }
        let (this, log) = (self.clone(), Arc::clone(&log.state));
        let usually = Duration::from_nanos(self.shared.usually_ns.load(Ordering::Relaxed));
        if !(self.shared.parts.here)(usually, Box::new(move || this.run_round_here(&log))) {
            self.begin_round();
        }
    }

    /// Whether the caller is to see to a round.
    fn ask(
        &self,
        log: &Arc<LogState<D>>,
        then: impl FnOnce() -> Arc<dyn OnCommit>,
        makes_commits: bool,
    ) -> bool {
        if log.is_commit_asked.swap(true, Ordering::AcqRel) {
            return false;
        }
        let mut gathering = self.shared.lock();
        gathering.waiting.push(Waiting { log: Arc::clone(log), then: then(), makes_commits });
        !std::mem::replace(&mut gathering.is_running, true)
    }

    fn begin_round(&self) {
        let this = self.clone();
        (self.shared.parts.commits)(Box::new(move || this.run_round()));
    }

    fn run_round_here(&self, log: &Arc<LogState<D>>) {
        let journal = self.shared.home.try_lock_journal();
        let Some(journal) = journal.filter(|journal| is_small(journal, log)) else {
            return self.begin_round();
        };
        self.shared.home.metrics.commits_here.increment();
        self.commit_waiting(journal);
        self.end_round();
    }

    fn run_round(&self) {
        let began = self.shared.parts.clock.mono();
        let is_brisk = began.since(self.shared.lock().ended) <= BRISK;
        let is_lone = self.commit_waiting(self.shared.home.lock_journal());
        if is_lone && is_brisk {
            // A lone producer asks again as soon as it has its answer, and would wait longer for a
            // thread to wake up than for the disk. A crowd is better served by gathering meanwhile.
            (self.shared.parts.linger)(&|| !self.shared.lock().waiting.is_empty());
        }
        self.end_round();
    }

    fn end_round(&self) {
        let mut gathering = self.shared.lock();
        gathering.ended = self.shared.parts.clock.mono();
        gathering.is_running = !gathering.waiting.is_empty();
        if gathering.is_running {
            drop(gathering);
            self.begin_round();
        }
    }

    /// Whether it was for one alone, who waits for others to make it. The journal is held also
    /// against truncation: what is cut off while it is written down would come back.
    fn commit_waiting(&self, mut journal: MutexGuard<'_, CommitJournal<D>>) -> bool {
        let began = self.shared.parts.clock.mono();
        let waiting = std::mem::take(&mut self.shared.lock().waiting);
        for one in &waiting {
            // What is appended from here on asks anew.
            one.log.is_commit_asked.store(false, Ordering::Release);
        }
        let outcomes = self.commit(&mut journal, &waiting);
        drop(journal);
        let is_lone = waiting.len() == 1 && !waiting[0].makes_commits;
        let took = self.shared.parts.clock.mono().since(began);
        self.note_took(took);
        let now = self.shared.parts.clock.wall();
        let acknowledged = waiting
            .into_iter()
            .zip(outcomes)
            .map(|(one, outcome)| one.then.handle_committed(outcome, now))
            .sum::<usize>();
        let metrics = &self.shared.home.metrics;
        metrics.sync.observe_time(took);
        metrics.commit_appends.observe(acknowledged as u64);
        is_lone
    }

    /// Only one round runs at a time.
    fn note_took(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let usually = match self.shared.usually_ns.load(Ordering::Relaxed) {
            u64::MAX => took,
            usually => usually - usually / USUALLY_PARTS + took / USUALLY_PARTS,
        };
        self.shared.usually_ns.store(usually, Ordering::Relaxed);
    }

    /// One outcome a log, in their order.
    fn commit(
        &self,
        journal: &mut CommitJournal<D>,
        waiting: &[Waiting<D>],
    ) -> Vec<Result<Offset, StorageError>> {
        let dirty: Vec<_> = waiting.iter().map(|one| Dirty::of(&one.log)).collect();
        let outcome =
            |dirty: &Result<Dirty<D>, _>| dirty.as_ref().map(|d| d.to).map_err(Clone::clone);
        let outcomes: Vec<Result<_, StorageError>> = dirty.iter().map(outcome).collect();
        let round: Vec<Dirty<D>> = dirty.into_iter().flatten().collect();
        match self.commit_round(journal, &round) {
            Ok(()) => outcomes,
            Err(error) => {
                // After a failed sync nobody knows what is on the disk.
                self.shared.home.take_offline(&error);
                waiting.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    fn commit_round(
        &self,
        journal: &mut CommitJournal<D>,
        round: &[Dirty<D>],
    ) -> Result<(), StorageError> {
        let bytes: u64 = round.iter().map(Dirty::bytes).sum();
        let metrics = &self.shared.home.metrics;
        metrics.commit_bytes.add(bytes);
        if bytes == 0 {
            return Ok(());
        }
        // The frames must lead to files that are there.
        let names: Vec<_> = round.iter().filter(|dirty| dirty.needs_names()).collect();
        let is_known = round.iter().all(|dirty| !dirty.log.topic_id.is_zero());
        let way = Way::of(round, bytes, journal);
        if way != Way::Segments && is_known && names.len() <= NAMES_APART_MAX {
            for dirty in names {
                dirty.sync_names()?;
            }
            if self.write_to_journal(journal, round, way)? == Written::Yes {
                round.iter().for_each(Dirty::note_committed);
                metrics.journal_used_bytes.set(journal.bytes() as i64);
                return Ok(());
            }
        }
        metrics.commits_without_journal.increment();
        let logs = round.iter().map(|dirty| Arc::clone(&dirty.log)).chain(journal.logs());
        sync_everything(&self.shared.home, journal, logs.collect())?;
        metrics.journal_used_bytes.set(journal.bytes() as i64);
        self.note_synced_bytes(bytes);
        Ok(())
    }

    fn write_to_journal(
        &self,
        journal: &mut CommitJournal<D>,
        round: &[Dirty<D>],
        way: Way,
    ) -> Result<Written, StorageError> {
        let turned = if way == Way::OtherHalf { journal.turn() } else { None };
        turned.into_iter().for_each(|retiring| self.retire(retiring));
        let (written, retiring) = journal.write(round)?;
        retiring.into_iter().for_each(|retiring| self.retire(retiring));
        Ok(written)
    }

    /// However fast a node is written to, a start after a crash reads no more than what came since
    /// the recovery points were written down.
    fn note_synced_bytes(&self, bytes: u64) {
        let so_far = self.shared.synced_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if so_far < self.shared.parts.recovery_points_bytes {
            return;
        }
        self.shared.synced_bytes.store(0, Ordering::Relaxed);
        let home = Arc::clone(&self.shared.home);
        (self.shared.parts.checkpoints)(Box::new(move || write_recovery_points(&home)));
    }

    /// Brings what the journal holds to the disk beside the commits, and makes it free.
    pub fn checkpoint(&self) -> Result<(), StorageError> {
        let mut journal = self.shared.home.lock_journal();
        if journal.bytes() > 0
            && let Some(retiring) = journal.turn()
        {
            drop(journal);
            self.retire(retiring);
        }
        Ok(())
    }

    fn retire(&self, retiring: Retiring<D>) {
        let this = self.clone();
        (self.shared.parts.checkpoints)(Box::new(move || this.finish_retiring(&retiring)));
    }

    fn finish_retiring(&self, retiring: &Retiring<D>) {
        let home = &self.shared.home;
        let logs: Vec<_> = retiring.logs.values().filter_map(Weak::upgrade).collect();
        let freed = before_sync(logs.iter()).and_then(|before| {
            home.sync_file_system(&home.sync_beside)?;
            let mut journal = home.lock_journal();
            for log in before {
                log.note_synced();
            }
            let freed = journal.retired(retiring);
            home.metrics.journal_used_bytes.set(journal.bytes() as i64);
            freed
        });
        match freed {
            Ok(()) => {
                home.metrics.journal_checkpoints.increment();
                write_recovery_points(home);
            }
            Err(error) => {
                home.take_offline(&error);
                let waiting = std::mem::take(&mut self.shared.lock().waiting);
                let now = self.shared.parts.clock.wall();
                for one in waiting {
                    one.then.handle_committed(Err(error.clone()), now);
                }
            }
        }
    }
}

/// A request that comes so soon after a commit was waiting for it.
const BRISK: Duration = Duration::from_micros(200);

/// A commit among so many says how long one usually takes.
const USUALLY_PARTS: u64 = 8;

/// Whether what the log has to commit is one small write to the journal and one sync of it.
fn is_small<D: Disk>(journal: &CommitJournal<D>, log: &LogState<D>) -> bool {
    let bytes = bytes_of_sole_segment(log).filter(|bytes| *bytes <= COMMIT_HERE_BYTES_MAX);
    bytes.is_some_and(|bytes| !log.topic_id.is_zero() && journal.is_ready_for(bytes))
}

/// Names are synced log by log up to so many; with more, one sync of the file system is cheaper.
const NAMES_APART_MAX: usize = 4;

fn write_recovery_points<D: Disk>(home: &LogDirState<D>) {
    match home.checkpoint_recovery_points() {
        Err(error) if error.is_full() => home.metrics.errors.count(&error),
        Err(error) => home.take_offline(&error),
        Ok(()) => {}
    }
}

impl<D: Disk> Shared<D> {
    fn lock(&self) -> MutexGuard<'_, Gathering<D>> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
