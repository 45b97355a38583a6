//! How the logs of a directory are made durable.

use std::sync::Arc;

use env::{Background, Clock, Disk, Env, Lane};
use storage::limits::{
    JOURNAL_BYTES, JOURNAL_BYTES_MIN, JOURNAL_DISK_SHARE, RECOVERY_POINTS_BYTES,
};
use storage::{CommitParts, GroupCommit, LogDir, RunJob};
use types::{MonoTime, WallTime};

use crate::removals::LaneOf;

/// Commits the logs of a directory together, beside those who serve.
pub(super) fn of_dir<E: Env>(env: &E, dir: &LogDir<E::Disk>) -> GroupCommit<E::Disk> {
    let path = dir.path().display().to_string();
    let lane = |work: &str| env.background().lane(&format!("{work} {path}"));
    let run = |lane: LaneOf<E>| Box::new(move |job| lane.run(job)) as RunJob;
    let (commits, checkpoints) = (lane("commit"), lane("checkpoint"));
    let (lingering, brief) = (commits.clone(), commits.clone());
    dir.group_commit(CommitParts {
        commits: run(commits),
        here: Box::new(move |usually, job| brief.run_here(usually, job)),
        linger: Box::new(move |until| lingering.linger(until)),
        checkpoints: run(checkpoints),
        clock: Arc::new(Time(env.clone())),
        journal_bytes: journal_bytes(dir),
        recovery_points_bytes: RECOVERY_POINTS_BYTES,
    })
}

/// Both halves together take a small part of a disk, however small that is.
fn journal_bytes<D: Disk>(dir: &LogDir<D>) -> u64 {
    let total = dir.space().map_or(u64::MAX, |(total, _)| total);
    JOURNAL_BYTES.min((total / JOURNAL_DISK_SHARE).max(JOURNAL_BYTES_MIN))
}

/// The world's clock, for those who need no more of the world.
struct Time<E>(E);

impl<E: Env> Clock for Time<E> {
    fn mono(&self) -> MonoTime {
        self.0.clock().mono()
    }

    fn wall(&self) -> WallTime {
        self.0.clock().wall()
    }
}
