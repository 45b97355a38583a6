//! The log itself: looked after, put elsewhere, taken away.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use env::Disk;
use storage::PartitionLog;
use types::{ErrorCode, WallTime};

use super::{Partition, Place, PlacedLog, Successor, gate};
use crate::partitions::owner::AppendRefused;

impl<D: Disk> Partition<D> {
    /// Does something with the log that is no append; `None` if it is closed.
    pub fn with_log<T>(
        &self,
        now: WallTime,
        act: impl FnOnce(&mut PartitionLog<D>) -> T,
    ) -> Option<T> {
        let (result, is_shorter) = self.own(now, |owner, _| {
            let log = owner.log.as_mut()?;
            let log_start = log.log_start();
            let result = act(log);
            Some((result, log_start < log.log_start()))
        })?;
        if is_shorter {
            self.note_changed(0);
        }
        Some(result)
    }

    /// Lets a log in another directory take this one's place, with nobody appending meanwhile.
    /// Returns the one that was, and where it is; `None` if the partition is closed.
    pub fn replace_log<F>(
        &self,
        now: WallTime,
        successor: impl FnOnce(&mut PartitionLog<D>) -> Result<Successor<D>, F>,
    ) -> Option<Result<PlacedLog<D>, F>> {
        self.own(now, |owner, output| {
            let before = self.dir();
            let successor = successor(owner.log.as_mut()?);
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
                self.open_gate(owner, output);
                log.map(|log| (before, log))
            });
            replaced.transpose()
        })
    }

    /// Takes the log out, for closing or deleting. Appends and fetches that come later, and those
    /// that wait, are answered with `why`.
    pub fn take_log(&self, why: ErrorCode, now: WallTime) -> Option<PartitionLog<D>> {
        self.gone.store(why.code(), Ordering::Release);
        let log = self.own(now, |owner, output| {
            owner.refuse_waiters(&AppendRefused::Gone(why), output);
            owner.log.take()
        });
        self.complete_fetch_waits();
        self.check_deletions();
        log
    }
}
