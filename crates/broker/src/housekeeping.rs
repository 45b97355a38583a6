//! What a broker does from time to time without being asked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use env::{Background, Clock, Env, Lane};
use storage::StorageError;
use types::{MonoTime, Offset, TopicPartition, WallTime};

use crate::limits::{FLUSH_CHECK_MS, RETENTION_PARTITIONS_AT_ONCE, WRITE_DOWN_ROUNDS};
use crate::log_store::{DirIndex, LogStore};
use crate::node::Node;
use crate::partitions::Partition;
use crate::removals::LaneOf;
use crate::steady_time::SteadyTime;
use crate::timers::Expire;

/// One recurring task.
pub struct Housekeeping<E: Env> {
    node: Weak<Node<E>>,
    interval: Duration,
    task: Task,
    /// Syncing and removing files take their time, and nobody waits for them.
    lane: LaneOf<E>,
    /// What retention goes by.
    time: Mutex<SteadyTime>,
    rounds: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
enum Task {
    /// Forgets silent producers, syncs what was written, writes down what the next start may take
    /// for granted: `log.flush.offset.checkpoint.interval.ms`.
    Checkpoint,
    /// Writes down what is known to be committed: `replica.high.watermark.checkpoint.interval.ms`.
    HighWatermarks,
    /// Asks for a commit of what is older than `flush.ms`, and writes down what the next start may
    /// take for granted of logs that were written to much.
    Often,
    /// Lets go of segments that are too old or too many: `log.retention.check.interval.ms`.
    Retention,
}

impl<E: Env> Housekeeping<E> {
    pub fn start(node: &Arc<Node<E>>) {
        let log = &node.settings.config.log;
        let checkpoint_ms = i64::from(log.flush_offset_checkpoint_interval_ms);
        let tasks = [
            (Task::Checkpoint, checkpoint_ms),
            (Task::HighWatermarks, log.high_watermark_checkpoint_interval_ms),
            (Task::Often, FLUSH_CHECK_MS),
            (Task::Retention, log.retention_check_interval_ms),
        ];
        let clock = node.env().clock();
        for (task, interval_ms) in tasks {
            let this = Arc::new(Housekeeping {
                node: Arc::downgrade(node),
                interval: Duration::from_millis(interval_ms.max(1000) as u64),
                task,
                lane: match task {
                    Task::Checkpoint | Task::HighWatermarks | Task::Often => {
                        node.env().background().lane("checkpoint")
                    }
                    Task::Retention => node.log_store.lane().clone(),
                },
                time: Mutex::new(SteadyTime::new(clock.mono(), clock.wall())),
                rounds: AtomicU64::new(0),
            });
            this.rest(node);
        }
    }

    /// The pause is from the end of one round to the next, so that no two run at once.
    fn rest(self: Arc<Self>, node: &Node<E>) {
        let now = node.env().clock().mono();
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
        match self.task {
            Task::Checkpoint => {
                checkpoint(&node, node.env().clock().wall());
                self.rest(&node);
            }
            Task::HighWatermarks => {
                checkpoint_high_watermarks(&node);
                self.rest(&node);
            }
            Task::Often => {
                let round = self.rounds.fetch_add(1, Ordering::Relaxed);
                look_after_logs(&node, round.is_multiple_of(WRITE_DOWN_ROUNDS));
                self.rest(&node);
            }
            Task::Retention => self.retain_from(&node, node.partitions.all(), 0),
        }
    }

    /// Retains a few partitions from `next` on, then lets others have their turn on the lane.
    fn retain_from(
        self: Arc<Self>,
        node: &Node<E>,
        all: Vec<Arc<Partition<E::Disk>>>,
        next: usize,
    ) {
        let clock = node.env().clock();
        let (mono, wall) = (clock.mono(), clock.wall());
        let now = self.time.lock().unwrap_or_else(PoisonError::into_inner).at(mono, wall);
        let end = (next + RETENTION_PARTITIONS_AT_ONCE).min(all.len());
        for partition in &all[next..end] {
            complain(&partition.id, retain(partition, &node.log_store, now));
        }
        if end == all.len() {
            return self.rest(node);
        }
        let lane = self.lane.clone();
        lane.run(Box::new(move || {
            if let Some(node) = self.node.upgrade() {
                self.retain_from(&node, all, end);
            }
        }));
    }
}

fn look_after_logs<E: Env>(node: &Node<E>, writes_down: bool) {
    let now = node.env().clock().wall();
    for partition in node.partitions.all() {
        let flush_ms = partition.settings().log.flush_ms;
        if flush_ms < i64::MAX {
            partition.flush_older_than(WallTime(now.0.saturating_sub(flush_ms)));
        }
        // However fast a log is written to, a start after a crash looks at its last batches alone.
        if writes_down && partition.is_write_down_due() {
            let written = partition.with_log(now, |log| log.write_down_when_due());
            complain(&partition.id, written.unwrap_or(Ok(())));
        }
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

/// A sole replica knows it from the end of its log.
fn checkpoint_high_watermarks<E: Env>(node: &Node<E>) {
    let mut marks: BTreeMap<DirIndex, Vec<(TopicPartition, Offset)>> = BTreeMap::new();
    for partition in node.partitions.all() {
        if partition.has_other_replicas() {
            let mark = (partition.id.clone(), partition.high_watermark());
            marks.entry(partition.dir()).or_default().push(mark);
        }
    }
    for (dir, marks) in marks {
        node.log_store.checkpoint_high_watermarks(dir, marks);
    }
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
        // Of a follower, that went with its leader's log start.
        store.remove_let_go(partition.dir(), log);
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
