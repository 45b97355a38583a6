//! The gate that acknowledges, and the commits that move it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use env::Disk;
use storage::{OnCommit, PartitionLog, StorageError};
use types::{ErrorCode, Offset, WallTime};

use super::{Partition, lock};
use crate::partitions::owner::{GatePassed, Owner, TurnOutput, Waiter};

impl<D: Disk> Partition<D> {
    /// Calls `then` once everything that is in the log now has passed the gate: whoever tells
    /// others of it must not tell what power loss could take back.
    pub fn after_gate(&self, then: GatePassed) {
        let mut owner = self.look();
        let gate = owner.replica.leader().map(|leader| (leader.high_watermark(), leader.log_end()));
        match gate {
            Some((position, log_end)) if position < log_end && owner.log.is_some() => {
                owner.acks.push(log_end, Waiter::Reader(then));
            }
            Some(_) => {
                drop(owner);
                then(Ok(()));
            }
            None => {
                drop(owner);
                then(Err(ErrorCode::NotLeaderOrFollower));
            }
        }
    }

    /// Asks for a commit if the oldest record that may not be durable was appended before `due`.
    pub fn flush_older_than(&self, due: WallTime) {
        let owner = self.look();
        let is_due = owner.undurable_since.is_some_and(|since| since <= due);
        drop(owner);
        if is_due {
            self.request_commit();
        }
    }

    pub(super) fn complete_fetch_waits(&self) {
        // Completing a wait takes the list's lock again.
        let waits = std::mem::take(&mut *lock(&self.fetch_waits));
        for wait in waits {
            wait.complete();
        }
        self.note_changed_urgently();
    }

    /// Followers that wait for records hear at once what else has changed.
    pub(super) fn answer_followers(&self) {
        let waits = lock(&self.fetch_waits).clone();
        for wait in waits.iter().filter(|wait| wait.is_of_follower()) {
            wait.complete();
        }
        self.note_changed_urgently();
    }

    pub(super) fn request_commit(&self) {
        let place = self.place.load();
        place.commit.request(&place.reader, || Arc::clone(&place.on_commit));
    }

    /// Those who wait may have been answered when this returns.
    pub(super) fn commit_here(&self) {
        let place = self.place.load_full();
        place.commit.request_here(&place.reader, || Arc::clone(&place.on_commit));
    }

    /// Asks for a commit of what somebody waits for to be durable here.
    pub fn commit_if_wanted(&self) {
        let wants_sync = self.look().wants_sync();
        if wants_sync {
            self.request_commit();
        }
    }

    /// Moves the gate as far as it may go, shows what it has passed and lets go of who waited.
    /// Syncs what somebody waits for, so that they hear that it is kept. Refused instead, a client
    /// that is not idempotent would write again what the closing of the log keeps.
    pub fn settle(&self, now: WallTime) {
        self.own(now, |owner, output| {
            if !owner.wants_sync() {
                return;
            }
            // A log that cannot be synced says so when it is closed, and its waiters are refused.
            if let Some(Ok(durable)) = owner.log.as_mut().map(PartitionLog::flush) {
                owner.note_durable(durable);
                self.open_gate(owner, output);
            }
        });
    }

    pub(super) fn open_gate(&self, owner: &mut Owner<D>, output: &mut TurnOutput) {
        if let Some(leader) = owner.replica.leader_mut() {
            let passed = leader.poll_high_watermark();
            let (position, vouched) = (leader.high_watermark(), leader.vouched_here());
            if let Some(passed) = passed {
                self.show_below(owner, passed, output);
            }
            let acked = owner.acks.release_below(position);
            for waiter in acked.chain(owner.leader_acks.release_below(vouched)) {
                match waiter {
                    Waiter::Append(done, appended) => output.replies.push((done, Ok(appended))),
                    Waiter::Reader(then) => output.passed.push((then, Ok(()))),
                }
            }
        }
        output.wants_sync = owner.wants_sync();
    }

    /// Everything below `passed` is committed.
    pub(super) fn show_below(&self, owner: &mut Owner<D>, passed: Offset, output: &mut TurnOutput) {
        self.high_watermark.store(passed.0, Ordering::Release);
        if let Some(log) = &mut owner.log {
            log.note_high_watermark(passed);
        }
        let shown = owner.show_below(passed);
        self.shown_bytes.fetch_add(shown as u64, Ordering::AcqRel);
        output.shown_bytes += shown;
        output.high_watermark_moved = true;
    }
}

/// Whoever hears of the commits of a partition's log in its `number`th place.
pub(super) fn listener<D: Disk>(partition: &Weak<Partition<D>>, number: u64) -> Arc<dyn OnCommit> {
    Arc::new(Listener { partition: partition.clone(), number })
}

/// Commits that wait do not keep the partition.
struct Listener<D: Disk> {
    partition: Weak<Partition<D>>,
    number: u64,
}

impl<D: Disk> OnCommit for Listener<D> {
    fn handle_committed(
        self: Arc<Self>,
        outcome: Result<Offset, StorageError>,
        now: WallTime,
    ) -> usize {
        let Some(partition) = self.partition.upgrade() else { return 0 };
        let mut mailbox = lock(&partition.mailbox);
        // Under the lock: who forgets commits counts the place up first and then looks in here.
        let is_of_now = partition.place.load().number == self.number;
        if is_of_now {
            mailbox.committed = Some(outcome);
        }
        drop(mailbox);
        if !is_of_now {
            // Whoever waits for what is there instead was told that a commit is on its way.
            partition.commit_if_wanted();
            return 0;
        }
        partition.run_turns(now)
    }
}
