//! What the owner of a partition holds, and those who wait for it.

use std::collections::VecDeque;
use std::fmt;

use env::Disk;
use records::validate::{AppendOrigin, ValidatedBatch};
use replication::{AckGate, AckWaiters};
use storage::{AppendError, Appended, PartitionLog, StorageError};
use types::{ErrorCode, Offset, WallTime};

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

/// Called once when the gate has passed, or never will. Must not call back into the partition.
pub type GatePassed = Box<dyn FnOnce(Result<(), ErrorCode>) + Send>;

/// A batch on its way into a partition.
pub struct Append {
    pub batch: ValidatedBatch,
    pub origin: AppendOrigin,
    /// False: answer once it is appended (acks=0). True: once the gate has passed it. acks=1 waits
    /// as well: in Kafka what a sole replica acknowledged can be read at once, and clients do.
    pub wait_for_gate: bool,
    pub done: AppendDone,
}

/// Work for the next turn.
#[derive(Default)]
pub(super) struct Mailbox {
    pub(super) appends: Vec<Append>,
    /// How far the log is durable, or why nobody knows: what the last commit said.
    pub(super) committed: Option<Result<Offset, StorageError>>,
}

impl Mailbox {
    pub(super) fn is_empty(&self) -> bool {
        self.appends.is_empty() && self.committed.is_none()
    }
}

pub(super) struct Owner<D: Disk> {
    /// `None` once the partition is closed or deleted.
    pub(super) log: Option<PartitionLog<D>>,
    pub(super) gate: AckGate,
    pub(super) acks: AckWaiters<Waiter>,
    /// Where batches end that the gate has not passed, and their sizes.
    pub(super) hidden: VecDeque<(Offset, usize)>,
    /// A commit failed: the disk has the last word, and nobody asks it again.
    pub(super) is_broken: bool,
    /// When the first record was appended that is not known to be durable.
    pub(super) undurable_since: Option<WallTime>,
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
    pub(super) replies: Vec<(AppendDone, Result<Appended, AppendRefused>)>,
    pub(super) passed: Vec<(GatePassed, Result<(), ErrorCode>)>,
    pub(super) shown_bytes: usize,
    pub(super) wants_sync: bool,
}

impl<D: Disk> Owner<D> {
    pub(super) fn of(log: PartitionLog<D>, gate: AckGate) -> Owner<D> {
        Owner {
            log: Some(log),
            gate,
            acks: AckWaiters::default(),
            hidden: VecDeque::new(),
            is_broken: false,
            undurable_since: None,
        }
    }

    pub(super) fn note_appended(&mut self, log_end: Offset, bytes: usize, now: WallTime) {
        self.gate.handle_append(log_end);
        self.hidden.push_back((log_end, bytes));
        self.undurable_since.get_or_insert(now);
    }

    pub(super) fn note_durable(&mut self, offset: Offset) {
        self.gate.handle_durable(offset);
        if offset >= self.gate.log_end() {
            self.undurable_since = None;
        }
    }

    /// How many bytes the gate has passed.
    pub(super) fn show_below(&mut self, position: Offset) -> usize {
        let passed = self.hidden.partition_point(|(end, _)| *end <= position);
        self.hidden.drain(..passed).map(|(_, bytes)| bytes).sum()
    }

    pub(super) fn refuse_waiters(&mut self, why: &AppendRefused, output: &mut TurnOutput) {
        for waiter in self.acks.drain() {
            match waiter {
                Waiter::Append(done, _) => output.replies.push((done, Err(why.clone()))),
                Waiter::Reader(then) => output.passed.push((then, Err(why.error_code()))),
            }
        }
    }
}
