//! What a broker does from time to time without being asked, on a lane of its own: it syncs and
//! removes, and nobody who serves waits for that.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use env::{Clock, Disk, Env, Lane};
use storage::StorageError;
use types::{MonoTime, WallTime};

use crate::limits::HOUSEKEEPING_PARTITIONS_AT_ONCE;
use crate::log_store::LogStore;
use crate::node::Node;
use crate::partitions::Partition;
use crate::steady_time::SteadyTime;
use crate::timers::Expire;

/// One recurring task.
pub struct Housekeeping<E: Env> {
    node: Weak<Node<E>>,
    interval: Duration,
    task: Task,
    time: Mutex<SteadyTime>,
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
        let clock = node.env().clock();
        for (task, interval_ms) in tasks {
            let this = Arc::new(Housekeeping {
                node: Arc::downgrade(node),
                interval: Duration::from_millis(interval_ms.max(1000) as u64),
                task,
                time: Mutex::new(SteadyTime::new(clock.mono(), clock.wall())),
            });
            this.rest(node);
        }
    }

    /// The pause is from the end of one round to the next, so that no two run at once.
    fn rest(self: Arc<Self>, node: &Node<E>) {
        let now = node.env().clock().mono();
        node.timers.register(now.plus(self.interval), self);
    }

    /// Does the partitions from `next` on: a few, then others have their turn on the lane.
    fn go_on(self: Arc<Self>, partitions: Vec<Arc<Partition<E::Disk>>>, next: usize) {
        let Some(node) = self.node.upgrade() else { return };
        let clock = node.env().clock();
        let (mono, wall) = (clock.mono(), clock.wall());
        let steady = self.time.lock().unwrap_or_else(PoisonError::into_inner).at(mono, wall);
        let end = (next + HOUSEKEEPING_PARTITIONS_AT_ONCE).min(partitions.len());
        for partition in &partitions[next..end] {
            let outcome = match self.task {
                Task::Checkpoint => look_after(partition, wall),
                Task::Retention => retain(partition, &node.log_store, steady),
            };
            if let Err(error) = outcome {
                log::error!(target: "kafka.log.LogManager", "{}: {error}", partition.id);
            }
        }
        if end < partitions.len() {
            let lane = node.log_store.lane().clone();
            return lane.run(Box::new(move || self.go_on(partitions, end)));
        }
        if let Task::Checkpoint = self.task {
            node.log_store.checkpoint();
        }
        self.rest(&node);
    }
}

impl<E: Env> Expire for Housekeeping<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let Some(node) = self.node.upgrade() else { return };
        let partitions = node.partitions.all();
        let lane = node.log_store.lane().clone();
        lane.run(Box::new(move || self.go_on(partitions, 0)));
    }
}

fn look_after<D: Disk>(partition: &Partition<D>, now: WallTime) -> Result<(), StorageError> {
    let due = partition.with_log(now, |log| {
        log.expire_producers(now);
        log.checkpoint()
    });
    // Appends go on beside it.
    match due.transpose()?.flatten() {
        Some((flusher, end)) => flusher.flush_to(end).map(|_| ()),
        None => Ok(()),
    }
}

fn retain<E: Env>(
    partition: &Partition<E::Disk>,
    store: &LogStore<E>,
    now: WallTime,
) -> Result<(), StorageError> {
    let kept = partition.with_log(now, |log| {
        let Some(plan) = log.retention_plan(partition.high_watermark(), now)? else {
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
        store.remove_let_go(partition.dir(), log);
        Ok(())
    });
    kept.unwrap_or(Ok(()))
}
