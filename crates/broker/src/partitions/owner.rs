//! What the owner of a partition holds, and those who wait for it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use env::Disk;
use records::validate::ValidatedBatch;
use replication::{AckWaiters, FollowerFetch, LogEnds, Replica, Role};
use storage::{AppendError, Appended, PartitionLog, StorageError};
use types::{ErrorCode, LeaderEpoch, MonoTime, Offset, WallTime};

use super::few::Few;
use super::refused_runs::RefusedRuns;
use crate::leader_hints::LeaderHint;
use crate::limits::REQUESTS_PER_TURN;

/// Why a batch did not get into the partition.
#[derive(Clone, Debug)]
pub enum AppendRefused {
    /// The partition was deleted or closed while the batch was on its way.
    Gone(ErrorCode),
    /// This broker does not lead the partition, or no longer.
    NotLeader,
    /// Fewer replicas are in sync than `min.insync.replicas`; nothing was written.
    TooFewInSync,
    /// It was written, and then replicas fell out of sync: whether it is kept is open.
    TooFewInSyncAfterAppend,
    Log(AppendError),
}

impl AppendRefused {
    pub fn error_code(&self) -> ErrorCode {
        match self {
            AppendRefused::Gone(why) => *why,
            AppendRefused::NotLeader => ErrorCode::NotLeaderOrFollower,
            AppendRefused::TooFewInSync => ErrorCode::NotEnoughReplicas,
            AppendRefused::TooFewInSyncAfterAppend => ErrorCode::NotEnoughReplicasAfterAppend,
            AppendRefused::Log(error) => error.error_code(),
        }
    }

    /// A producer sent something else than what comes next.
    pub(super) fn is_broken_sequence(&self) -> bool {
        use AppendError::{FencedProducer, OutOfOrderSequence};
        matches!(self, AppendRefused::Log(OutOfOrderSequence { .. } | FencedProducer { .. }))
    }

    /// Who lost its place, or has too few in sync, has its clients ask again: nothing is wrong.
    pub fn log_level(&self) -> log::Level {
        match self {
            AppendRefused::Log(_) => log::Level::Error,
            _ => log::Level::Debug,
        }
    }
}

impl fmt::Display for AppendRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendRefused::Gone(_) => f.write_str("the partition is no longer served here"),
            AppendRefused::NotLeader => f.write_str("another broker leads the partition"),
            AppendRefused::TooFewInSync => {
                f.write_str("fewer replicas are in sync than min.insync.replicas")
            }
            AppendRefused::TooFewInSyncAfterAppend => f.write_str(
                "it was written, and fewer replicas are in sync than min.insync.replicas",
            ),
            AppendRefused::Log(error) => error.fmt(f),
        }
    }
}

/// Hears once when an append is acknowledged or refused. Must not call back into the partition.
pub enum AppendDone {
    Call(AppendCall),
    /// One of several that are answered together: the partition at this place of a request.
    Part(Arc<dyn HearAppended>, RequestPlace),
}

/// Who waits for one append.
pub type AppendCall = Box<dyn FnOnce(Result<Appended, AppendRefused>) + Send>;

/// Where in a request a partition stands: the index of its topic, and its own within that.
pub type RequestPlace = (u32, u32);

/// Who waits for several appends.
pub trait HearAppended: Send + Sync {
    /// Called once for each place.
    fn handle_appended(&self, at: RequestPlace, result: Result<Appended, NotAppended>);
}

/// Why an append was refused, and which other broker the partition knows as its leader then.
pub struct NotAppended {
    pub why: AppendRefused,
    pub leader: Option<LeaderHint>,
}

impl AppendDone {
    #[inline]
    pub(super) fn tell(
        self,
        result: Result<Appended, AppendRefused>,
        leader: impl FnOnce() -> Option<LeaderHint>,
    ) {
        match self {
            AppendDone::Call(call) => call(result),
            AppendDone::Part(whole, at) => {
                let refused = |why| NotAppended { why, leader: leader() };
                whole.handle_appended(at, result.map_err(refused));
            }
        }
    }
}

/// Called once when the gate has passed, or never will. Must not call back into the partition.
pub type GatePassed = Box<dyn FnOnce(Result<(), ErrorCode>) + Send>;

/// What the answer to an append waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// Until it is appended.
    None,
    /// Until the leader vouches for it. Where the leader is the whole in-sync set that is the gate:
    /// in Kafka what a sole replica acknowledged can be read at once, and clients do.
    Leader,
    /// Until the gate has passed it.
    All,
}

/// A client's batch on its way into a partition.
pub struct Append {
    pub batch: ValidatedBatch,
    pub acks: Acks,
    pub done: AppendDone,
}

/// Work for the next turn.
#[derive(Default)]
pub(super) struct Mailbox {
    pub(super) appends: Vec<Append>,
    /// Fetches by followers whose logs agree with this one.
    pub(super) fetches: Vec<(FollowerFetch, MonoTime)>,
    /// How far the log is durable, or why nobody knows: what the last commit said.
    pub(super) committed: Option<Result<Offset, StorageError>>,
}

/// The appends of a turn. Mostly it is one, for which nothing need be allocated.
pub(super) enum Appends {
    One(Append),
    Many(Vec<Append>),
}

impl Mailbox {
    pub(super) fn push(&mut self, append: Append) {
        match self.appends.len() {
            // What stays allocated for a partition that is written now and then.
            0 => self.appends.reserve_exact(1),
            // A connection brings so many, and a turn takes the room along.
            1 => self.appends.reserve(REQUESTS_PER_TURN - 1),
            _ => {}
        }
        self.appends.push(append);
    }

    /// What is here, for a turn.
    pub(super) fn take(&mut self) -> Work {
        let sole = if self.appends.len() == 1 { self.appends.pop() } else { None };
        let appends = match sole {
            Some(append) => Appends::One(append),
            None => Appends::Many(std::mem::take(&mut self.appends)),
        };
        let (fetches, committed) = (std::mem::take(&mut self.fetches), self.committed.take());
        Work { appends, fetches, committed }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.appends.is_empty() && self.fetches.is_empty() && self.committed.is_none()
    }
}

/// What a turn does.
pub(super) struct Work {
    pub(super) appends: Appends,
    pub(super) fetches: Vec<(FollowerFetch, MonoTime)>,
    pub(super) committed: Option<Result<Offset, StorageError>>,
}

pub(super) struct Owner<D: Disk> {
    /// `None` once the partition is closed or deleted.
    pub(super) log: Option<PartitionLog<D>>,
    pub(super) replica: Replica,
    /// Everything below survives power loss here.
    pub(super) durable: Offset,
    /// Who waits for the gate.
    pub(super) acks: AckWaiters<Waiter>,
    /// Who waits for the leader only.
    pub(super) leader_acks: AckWaiters<Waiter>,
    /// Where batches end that the gate has not passed, and their sizes.
    pub(super) hidden: VecDeque<(Offset, usize)>,
    /// A commit failed: the disk has the last word, and nobody asks it again.
    pub(super) is_broken: bool,
    /// When the first record was appended that is not known to be durable.
    pub(super) undurable_since: Option<WallTime>,
    pub(super) refused: RefusedRuns,
}

/// Who waits at the gate.
pub(super) enum Waiter {
    Append(AppendDone, Appended),
    /// Somebody who is to be told nothing that could be lost.
    Reader(GatePassed),
}

/// What a turn leaves to do once the baton is back: replies, wake-ups, a commit.
#[derive(Default)]
pub(super) struct TurnOutput {
    pub(super) replies: Few<(AppendDone, Result<Appended, AppendRefused>)>,
    pub(super) passed: Vec<(GatePassed, Result<(), ErrorCode>)>,
    pub(super) shown_bytes: usize,
    pub(super) high_watermark_moved: bool,
    pub(super) wants_sync: bool,
    pub(super) appended_bytes: usize,
    /// What a follower has is as durable as it will be: it may fetch again.
    pub(super) may_fetch: bool,
    /// Followers said how far they are.
    pub(super) heard_of_followers: bool,
}

impl<D: Disk> Owner<D> {
    /// The owner of a log all of which is durable.
    pub(super) fn of(log: PartitionLog<D>, replica: Replica) -> Owner<D> {
        Owner {
            durable: log.log_end(),
            log: Some(log),
            replica,
            acks: AckWaiters::default(),
            leader_acks: AckWaiters::default(),
            hidden: VecDeque::new(),
            is_broken: false,
            undurable_since: None,
            refused: RefusedRuns::default(),
        }
    }

    pub(super) fn note_appended(&mut self, log_end: Offset, bytes: usize, now: WallTime) {
        if let Some(leader) = self.replica.leader_mut() {
            leader.handle_append(log_end);
        }
        self.hidden.push_back((log_end, bytes));
        self.undurable_since.get_or_insert(now);
    }

    pub(super) fn note_durable(&mut self, offset: Offset) {
        let log_end = self.log.as_ref().map_or(offset, PartitionLog::log_end);
        self.durable = self.durable.max(offset.min(log_end));
        if let Some(leader) = self.replica.leader_mut() {
            leader.handle_durable(offset);
        }
        if offset >= log_end {
            self.undurable_since = None;
        }
    }

    /// Whether what is in the log is to be on disk, is not, and can still get there.
    pub(super) fn wants_sync(&self) -> bool {
        let Some(log) = self.log.as_ref().filter(|_| !self.is_broken) else { return false };
        match self.replica.role() {
            Role::Leader(leader) => leader.wants_sync(),
            Role::Follower(follower) => follower.vouches_by_disk() && self.durable < log.log_end(),
        }
    }

    /// How many bytes the gate has passed.
    pub(super) fn show_below(&mut self, position: Offset) -> usize {
        let passed = self.hidden.partition_point(|(end, _)| *end <= position);
        self.hidden.drain(..passed).map(|(_, bytes)| bytes).sum()
    }

    pub(super) fn refuse_waiters(&mut self, why: &AppendRefused, output: &mut TurnOutput) {
        self.refuse_gate_waiters(why, output);
        let waiters = self.leader_acks.drain();
        waiters.for_each(|waiter| output.refuse(waiter, why));
    }

    pub(super) fn refuse_gate_waiters(&mut self, why: &AppendRefused, output: &mut TurnOutput) {
        self.acks.drain().for_each(|waiter| output.refuse(waiter, why));
    }
}

impl TurnOutput {
    fn refuse(&mut self, waiter: Waiter, why: &AppendRefused) {
        match waiter {
            Waiter::Append(done, _) => self.replies.push((done, Err(why.clone()))),
            Waiter::Reader(then) => self.passed.push((then, Err(why.error_code()))),
        }
    }
}

/// How far `log` goes, of which everything below `durable` survives power loss.
pub(super) fn ends_of<D: Disk>(log: &PartitionLog<D>, durable: Offset) -> LogEnds {
    let (log_start, log_end) = (log.log_start(), log.log_end());
    let last = log.reader().leader_epoch_at(log_end.plus(-1)).filter(|_| log_start < log_end);
    let last_epoch = last.unwrap_or(LeaderEpoch::NONE);
    LogEnds { log_start, log_end, durable: durable.min(log_end), last_epoch }
}
