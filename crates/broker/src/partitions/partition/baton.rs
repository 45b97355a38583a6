//! Whoever has the baton runs the turns, for all who have brought something (ADR 0006).

use std::sync::TryLockError;

use env::Disk;
use types::WallTime;

use super::{Partition, lock};
use crate::partitions::turns::RunTurns;

impl<D: Disk> Partition<D> {
    /// Returns how many were answered.
    pub(super) fn run_turns(&self, now: WallTime) -> usize {
        self.run_turns_where(now, &|| false)
    }

    fn run_turns_where(&self, now: WallTime, may_wait: &dyn Fn() -> bool) -> usize {
        let mut answered = 0;
        loop {
            let mut owner = match self.owner.try_lock() {
                Ok(owner) => owner,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return answered,
            };
            let work = lock(&self.mailbox).take();
            let mut output = self.turn(&mut owner, work, now);
            drop(owner);
            let commits_here = output.wants_sync && may_wait();
            output.wants_sync &= !commits_here;
            answered += self.deliver(output);
            if commits_here {
                self.commit_here();
            }
            if lock(&self.mailbox).is_empty() {
                return answered;
            }
        }
    }

    /// Work that arrived meanwhile found the baton taken.
    pub(super) fn run_turns_if_waiting(&self, now: WallTime) {
        if !lock(&self.mailbox).is_empty() {
            self.run_turns(now);
        }
    }
}

impl<D: Disk> RunTurns for Partition<D> {
    fn run_due(&self, now: WallTime, may_wait: &dyn Fn() -> bool) {
        self.run_turns_where(now, may_wait);
    }
}
