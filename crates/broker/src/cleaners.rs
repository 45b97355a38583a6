//! Compaction, supervised: which log is cleaned next, by whom, and why others are not.   ADR 0008
//!
//! A log that cannot be cleaned is set aside for a while, with a line in the log and its reason to
//! be asked for; the others go on. Kafka's cleaner thread has died of one bad partition (KIP-346).

mod cleaner;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use env::{Background, Clock, Disk, Env};
use storage::LogDirMetrics;
use storage::cleaner::{Assessment, ToClean, assess};
use types::{MonoTime, Offset, Uuid, WallTime};

use crate::limits::{CLEANERS_MAX, QUARANTINE};
use crate::node::Node;
use crate::partitions::Partition;
use crate::timers::Expire;

use cleaner::Cleaner;
pub use standing::Standing;

/// The cleaners of a node and what they know of each other.
#[doc(alias = "LogCleaner")]
#[doc(alias = "LogCleanerManager")]
pub struct Cleaners<E: Env> {
    state: Mutex<State<E>>,
}

struct State<E: Env> {
    /// By number; each has a lane of its own. Those beyond `log.cleaner.threads` do nothing.
    cleaners: Vec<Arc<Cleaner<E>>>,
    being_cleaned: BTreeSet<Whose>,
    quarantined: BTreeMap<Whose, Quarantine>,
    /// Those that were found dirty enough, and where they are counted.
    cleanable: BTreeMap<Whose, Arc<LogDirMetrics>>,
}

/// A log, and what of it is to be cleaned.
type Found<D> = (Arc<Partition<D>>, ToClean);

/// A partition of one topic, not of a later one of its name.
type Whose = (Uuid, i32);

/// A log that is left alone.
struct Quarantine {
    why: String,
    until: MonoTime,
    /// Once it begins elsewhere, what was in the way may have gone.
    log_start: Offset,
    metrics: Arc<LogDirMetrics>,
}

impl<E: Env> Default for Cleaners<E> {
    fn default() -> Cleaners<E> {
        let state = State {
            cleaners: Vec::new(),
            being_cleaned: BTreeSet::new(),
            quarantined: BTreeMap::new(),
            cleanable: BTreeMap::new(),
        };
        Cleaners { state: Mutex::new(state) }
    }
}

impl<E: Env> Cleaners<E> {
    /// Looks for work every `log.cleaner.backoff.ms`.
    pub fn start(node: &Arc<Node<E>>) {
        let supervisor = Arc::new(Supervisor { node: Arc::downgrade(node) });
        supervisor.rest(node, node.env().clock().mono());
    }

    /// Gives everyone who has nothing to do the word to look for something.
    fn wake(&self, node: &Arc<Node<E>>, threads: usize) {
        let idle: Vec<_> = {
            let mut state = self.lock();
            while state.cleaners.len() < threads {
                let number = state.cleaners.len();
                let lane = node.env().background().lane(&format!("cleaner-{number}"));
                let cleaner = Cleaner::new(Arc::downgrade(node), number, lane);
                state.cleaners.push(Arc::new(cleaner));
            }
            state.cleaners[..threads].to_vec()
        };
        for cleaner in idle {
            cleaner.look_for_work();
        }
    }

    /// The dirtiest of all logs that may be cleaned now; nobody else gets it until it is given
    /// back.
    fn take_dirtiest(&self, node: &Node<E>) -> Option<Found<E::Disk>> {
        let now = node.env().clock().wall();
        let mut best: Option<Found<E::Disk>> = None;
        for partition in node.partitions.all() {
            if !partition.settings().log.compacts || !self.is_free(node, &partition) {
                continue;
            }
            roll_when_overdue(&partition, now);
            let found = look_at(&partition, now);
            self.count(&partition, matches!(found, Some(Assessment::Clean(_))));
            let Some(Assessment::Clean(found)) = found else { continue };
            if best.as_ref().is_none_or(|(_, known)| found.by_dirt(known).is_gt()) {
                best = Some((partition, found));
            }
        }
        let (partition, to_clean) = best?;
        let is_first = self.lock().being_cleaned.insert(whose(&partition));
        is_first.then_some((partition, to_clean))
    }

    fn is_free(&self, node: &Node<E>, partition: &Partition<E::Disk>) -> bool {
        let now = node.env().clock().mono();
        let mut state = self.lock();
        let whose = whose(partition);
        if let Some(quarantine) = state.quarantined.get(&whose) {
            if !quarantine.is_over(partition, now) {
                return false;
            }
            quarantine.metrics.cleaner_quarantined.add(-1);
            state.quarantined.remove(&whose);
        }
        !state.being_cleaned.contains(&whose)
    }

    fn give_back(&self, partition: &Partition<E::Disk>) {
        self.lock().being_cleaned.remove(&whose(partition));
    }

    /// Leaves a log alone that could not be cleaned, and says so.
    fn quarantine(&self, node: &Node<E>, partition: &Partition<E::Disk>, why: String) {
        log::error!(
            target: "kafka.log.LogCleaner",
            "cannot compact {} · {why} · it keeps what it has and is served as before; `ottla log \
             verify` says what is damaged; it is tried again in {} s · UNCLEANABLE_PARTITION",
            partition.id,
            QUARANTINE.as_secs()
        );
        let until = node.env().clock().mono().plus(QUARANTINE);
        let reader = partition.reader();
        let metrics = Arc::clone(reader.dir_metrics());
        metrics.cleaner_quarantined.add(1);
        let quarantine = Quarantine { why, until, log_start: reader.log_start(), metrics };
        self.lock().quarantined.insert(whose(partition), quarantine);
    }

    fn count(&self, partition: &Partition<E::Disk>, is_cleanable: bool) {
        let mut state = self.lock();
        let whose = whose(partition);
        match (is_cleanable, state.cleanable.contains_key(&whose)) {
            (true, false) => {
                let metrics = Arc::clone(partition.reader().dir_metrics());
                metrics.cleaner_cleanable.add(1);
                state.cleanable.insert(whose, metrics);
            }
            (false, true) => {
                if let Some(metrics) = state.cleanable.remove(&whose) {
                    metrics.cleaner_cleanable.add(-1);
                }
            }
            _ => {}
        }
    }

    /// Forgets what is known of partitions that are not here, or not compacted, any more.
    fn forget_departed(&self, node: &Node<E>) {
        let all = node.partitions.all();
        let compacted = all.iter().filter(|partition| partition.settings().log.compacts);
        let here: BTreeSet<Whose> = compacted.map(|partition| whose(&**partition)).collect();
        let mut state = self.lock();
        state.quarantined.retain(|whose, quarantine| {
            let is_here = here.contains(whose);
            quarantine.metrics.cleaner_quarantined.add(if is_here { 0 } else { -1 });
            is_here
        });
        state.cleanable.retain(|whose, metrics| {
            let is_here = here.contains(whose);
            metrics.cleaner_cleanable.add(if is_here { 0 } else { -1 });
            is_here
        });
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Quarantine {
    fn is_over<D: Disk>(&self, partition: &Partition<D>, now: MonoTime) -> bool {
        now >= self.until || partition.reader().log_start() != self.log_start
    }
}

fn whose<D: Disk>(partition: &Partition<D>) -> Whose {
    (partition.topic_id, partition.id.partition)
}

/// `None` if the log is closed or its disk fails; whoever reads it finds out.
fn look_at<D: Disk>(partition: &Partition<D>, now: WallTime) -> Option<Assessment> {
    let config = Arc::clone(&partition.settings().log);
    let high_watermark = partition.high_watermark();
    let mut facts = partition.reader().cleaning_facts(high_watermark, &config).ok()?;
    if facts.last_stable_offset < high_watermark {
        let ongoing = partition.with_log(now, |log| log.ongoing_transactions())?;
        facts.open_transaction = ongoing.first().copied();
    }
    Some(assess(&facts, &config, now))
}

/// What is to be cleaned by `max.compaction.lag.ms` must not wait in an active segment that nobody
/// writes to.
fn roll_when_overdue<D: Disk>(partition: &Partition<D>, now: WallTime) {
    if partition.settings().log.max_compaction_lag_ms == i64::MAX {
        return;
    }
    if let Some(Err(error)) = partition.with_log(now, |log| log.roll_when_overdue(now)) {
        log::error!(target: "kafka.log.LogCleaner", "{}: {error}", partition.id);
    }
}

struct Supervisor<E: Env> {
    node: Weak<Node<E>>,
}

impl<E: Env> Supervisor<E> {
    fn rest(self: Arc<Self>, node: &Node<E>, now: MonoTime) {
        let backoff_ms = node.settings.for_cleaners(&node.metadata.image()).backoff_ms;
        let pause = Duration::from_millis(backoff_ms.max(100) as u64);
        node.timers.register(now.plus(pause), self);
    }
}

impl<E: Env> Expire for Supervisor<E> {
    fn expire(self: Arc<Self>, now: MonoTime) {
        let Some(node) = self.node.upgrade() else { return };
        let config = node.settings.for_cleaners(&node.metadata.image());
        node.cleaners.forget_departed(&node);
        let threads = usize::try_from(config.threads).unwrap_or(0).min(CLEANERS_MAX);
        node.cleaners.wake(&node, if config.enable { threads } else { 0 });
        self.rest(&node, now);
    }
}
