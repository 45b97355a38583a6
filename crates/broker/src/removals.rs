//! Files and directories that were renamed out of the way go later, and elsewhere.
//!
//! `file.delete.delay.ms` is there for readers that know a segment and have not opened its file
//! yet. Freeing a gigabyte takes the file system a while: nobody who serves waits for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use env::{Background, Clock, Env, Lane};
use storage::{Remover, StorageError};

use crate::timers::{Expire, Timers};

/// Where work that blocks is done for `E`.
pub type LaneOf<E> = <<E as Env>::Background as Background>::Lane;

/// What is to go.
pub enum Doomed {
    Dir(PathBuf),
    Files(Vec<PathBuf>),
}

/// Removes what is renamed already, so that a crash leaves it to the next start.
pub struct Removals<E: Env> {
    env: E,
    timers: Arc<Timers>,
    lane: LaneOf<E>,
}

struct Waiting<E: Env> {
    lane: LaneOf<E>,
    remover: Remover<E::Disk>,
    doomed: Doomed,
}

impl<E: Env> Removals<E> {
    pub fn new(env: E, timers: Arc<Timers>) -> Removals<E> {
        let lane = env.background().lane("retention");
        Removals { env, timers, lane }
    }

    /// Where files are removed, and where retention decides on them.
    pub fn lane(&self) -> &LaneOf<E> {
        &self.lane
    }

    /// Removes after `delay_ms`; at once if records are being refused for want of space.
    pub fn remove_after(&self, delay_ms: i64, remover: Remover<E::Disk>, doomed: Doomed) {
        remover.metrics().awaiting_removal.add(doomed.count());
        let delay_ms = if remover.is_short_of_space() { 0 } else { delay_ms };
        let waiting = Arc::new(Waiting::<E> { lane: self.lane.clone(), remover, doomed });
        match u64::try_from(delay_ms) {
            Ok(delay_ms) if delay_ms > 0 => {
                let due = self.env.clock().mono().plus(Duration::from_millis(delay_ms));
                self.timers.register(due, waiting);
            }
            _ => waiting.hand_over(),
        }
    }
}

impl Doomed {
    fn count(&self) -> i64 {
        match self {
            Doomed::Dir(_) => 1,
            Doomed::Files(files) => files.len() as i64,
        }
    }
}

impl<E: Env> Waiting<E> {
    fn hand_over(self: Arc<Self>) {
        let lane = self.lane.clone();
        lane.run(Box::new(move || {
            if let Err(error) = self.remove() {
                log::error!(
                    target: "kafka.log.LogManager",
                    "{error}; the next start tries again"
                );
            }
        }));
    }

    fn remove(&self) -> Result<(), StorageError> {
        self.remover.metrics().awaiting_removal.add(-self.doomed.count());
        match &self.doomed {
            Doomed::Dir(path) => self.remover.remove_dir(path),
            Doomed::Files(paths) => self.remover.remove_files(paths),
        }
    }
}

impl<E: Env> Expire for Waiting<E> {
    fn expire(self: Arc<Self>, _now: types::MonoTime) {
        self.hand_over();
    }
}
