//! Turns that a connection owes to partitions: one for all the requests that it brought at once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::WallTime;

/// A partition with a mailbox.
pub trait RunTurns: Send + Sync {
    /// Does what is in the mailbox, unless somebody is at it, who then takes it along. `may_wait`
    /// says whether the thread may wait for the disk as long as that is fast.
    fn run_due(&self, now: WallTime, may_wait: &dyn Fn() -> bool);
}

/// Partitions to which the requests in hand have submitted something.
///
/// Requests of one read are taken to their partitions together, so that each partition writes what
/// it got with one system call (ADR 0006). Whoever submits notes it here; the connection runs them
/// before it goes on to anything that could tell the difference: another kind of request, or the
/// answers.
#[derive(Default)]
pub struct DueTurns {
    due: Mutex<Due>,
}

#[derive(Default)]
struct Due {
    partitions: Vec<Arc<dyn RunTurns>>,
    /// When the last of them was noted: the time of its turn, which is not far.
    noted: WallTime,
}

impl DueTurns {
    /// The partition has something in its mailbox.
    pub fn note(&self, partition: Arc<dyn RunTurns>, now: WallTime) {
        let mut due = self.lock();
        due.noted = now;
        // Most clients send one partition after another; noted twice, its second turn is empty.
        if !due.partitions.last().is_some_and(|last| Arc::ptr_eq(last, &partition)) {
            due.partitions.push(partition);
        }
    }

    pub fn run(&self) {
        self.run_where(&|| false);
    }

    /// Runs them; with `may_wait`, records of a sole partition may be made durable on the spot.
    pub fn run_where(&self, may_wait: &dyn Fn() -> bool) {
        loop {
            let mut due = self.lock();
            let (Some(partition), noted) = (due.partitions.pop(), due.noted) else { return };
            drop(due);
            partition.run_due(noted, may_wait);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DueTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueTurns").field("due", &self.lock().partitions.len()).finish()
    }
}
