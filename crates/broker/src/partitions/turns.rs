//! Turns that a connection owes to partitions: one for all the requests that it brought at once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::WallTime;

/// A partition with a mailbox.
pub trait RunTurns: Send + Sync {
    /// Does what is in the mailbox, unless somebody is at it, who then takes it along.
    fn run_due(&self, now: WallTime);
}

/// Partitions to which the requests in hand have submitted something.
///
/// Requests of one read are taken to their partitions together, so that each partition writes what
/// it got with one system call (ADR 0006). Whoever submits notes it here; the connection runs them
/// before it goes on to anything that could tell the difference: another kind of request, or the
/// answers.
#[derive(Default)]
pub struct DueTurns {
    due: Mutex<Vec<Arc<dyn RunTurns>>>,
}

impl DueTurns {
    /// The partition has something in its mailbox.
    pub fn note(&self, partition: Arc<dyn RunTurns>) {
        let mut due = self.lock();
        // Most clients send one partition after another; noted twice, its second turn is empty.
        if !due.last().is_some_and(|last| Arc::ptr_eq(last, &partition)) {
            due.push(partition);
        }
    }

    pub fn run(&self, now: WallTime) {
        loop {
            let Some(partition) = self.lock().pop() else { return };
            partition.run_due(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<dyn RunTurns>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DueTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueTurns").field("due", &self.lock().len()).finish()
    }
}
