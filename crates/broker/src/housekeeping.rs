//! What a broker does from time to time without being asked.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use env::{Background, Clock, Env, Lane};
use storage::{StorageError, retention};
use types::{MonoTime, WallTime};

use crate::log_store::LogStore;
use crate::node::Node;
use crate::partitions::Partition;
use crate::timers::Expire;

/// One recurring task.
pub struct Housekeeping<E: Env> {
    node: Weak<Node<E>>,
    interval: Duration,
    task: Task,
    /// Syncing and removing files take their time, and nobody waits for them.
    lane: <E::Background as Background>::Lane,
}

#[derive(Clone, Copy, Debug)]
enum Task {
    /// Forgets silent producers, syncs what was written, writes down what the next start may take
    /// for granted: `log.flush.offset.checkpoint.interval.ms`.
    Checkpoint,
    /// Lets go of segments that are too old or too many: `log.retention.check.interval.ms`.
    Retention,
}

impl<E: Env> Housekeeping<E> {
    pub fn start(node: &Arc<Node<E>>) {
        let log = &node.settings.config.log;
        let checkpoint_ms = i64::from(log.flush_offset_checkpoint_interval_ms);
        let tasks =
            [(Task::Checkpoint, checkpoint_ms), (Task::Retention, log.retention_check_interval_ms)];
        for (task, interval_ms) in tasks {
            let interval = Duration::from_millis(interval_ms.max(1000) as u64);
            let lane = node.env().background().lane("housekeeping");
            let this = Arc::new(Housekeeping { node: Arc::downgrade(node), interval, task, lane });
            this.rest(node, node.env().clock().mono());
        }
    }

    fn rest(self: Arc<Self>, node: &Node<E>, now: MonoTime) {
        node.timers.register(now.plus(self.interval), self);
    }
}

impl<E: Env> Expire for Housekeeping<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let lane = self.lane.clone();
        lane.run(Box::new(move || self.work()));
    }
}

impl<E: Env> Housekeeping<E> {
    fn work(self: Arc<Self>) {
        let Some(node) = self.node.upgrade() else { return };
        let wall = node.env().clock().wall();
        match self.task {
            Task::Checkpoint => checkpoint(&node, wall),
            Task::Retention => {
                for partition in node.partitions.all() {
                    complain(&partition.id, retain(&partition, &node.log_store, wall));
                }
            }
        }
        let now = node.env().clock().mono();
        self.rest(&node, now);
    }
}

fn checkpoint<E: Env>(node: &Node<E>, now: WallTime) {
    let mut due = Vec::new();
    for partition in node.partitions.all() {
        let prepared = partition.with_log(now, |log| {
            log.expire_producers(now);
            log.checkpoint()
        });
        match prepared.transpose() {
            Ok(flush) => due.extend(flush.flatten()),
            Err(error) => complain(&partition.id, Err(error)),
        }
    }
    // Appends go on beside it.
    complain(&"checkpoint", storage::flush_together(due));
    node.log_store.checkpoint();
}

fn complain(about: &dyn fmt::Display, outcome: Result<(), StorageError>) {
    if let Err(error) = outcome {
        log::error!(target: "kafka.log.LogManager", "{about}: {error}");
    }
}

fn retain<E: Env>(
    partition: &Partition<E::Disk>,
    store: &LogStore<E>,
    now: WallTime,
) -> Result<(), StorageError> {
    let kept = partition.with_log(now, |log| {
        let facts = log.segment_facts()?;
        let (start, end) = (log.log_start(), partition.high_watermark());
        let Some(plan) = retention::plan(&facts, start, end, now, log.config()) else {
            return Ok(());
        };
        if plan.roll_first {
            log.roll(now)?;
        }
        let log_start = log.advance_log_start(plan.log_start)?;
        log::info!(
            target: "kafka.log.UnifiedLog",
            "{} starts at offset {log_start} now: what came before was past its retention",
            partition.id
        );
        store.remove_let_go(partition.dir(), log)
    });
    kept.unwrap_or(Ok(()))
}
