//! How the logs of a directory are made durable.

use std::sync::Arc;

use env::{Background, Clock, Env, Lane};
use storage::limits::JOURNAL_BYTES;
use storage::{CommitParts, GroupCommit, LogDir, RunJob};
use types::{MonoTime, WallTime};

/// Commits the logs of a directory together, beside those who serve.
pub(super) fn of_dir<E: Env>(env: &E, dir: &LogDir<E::Disk>) -> GroupCommit<E::Disk> {
    let path = dir.path().display().to_string();
    let lane = |work: &str| {
        let lane = env.background().lane(&format!("{work} {path}"));
        Box::new(move |job| lane.run(job)) as RunJob
    };
    dir.group_commit(CommitParts {
        commits: lane("commit"),
        checkpoints: lane("checkpoint"),
        clock: Arc::new(Time(env.clone())),
        journal_bytes: JOURNAL_BYTES,
    })
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
