//! Partitions on their way to another log directory of this broker, while they are read and
//! written. Source: KIP-113; Kafka `ReplicaAlterLogDirsThread`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use env::{Background, Clock, Env, Lane};
use storage::{AppendError, LogReader, PartitionLog, ReadError, StorageError};
use types::{ErrorCode, MonoTime, TopicPartition, WallTime};

use crate::limits::{MOVE_PIECE_BYTES, MOVE_RETRY};
use crate::log_store::DirIndex;
use crate::node::Node;
use crate::partitions::Partition;
use crate::registration;
use crate::timers::Expire;

/// The moves that are under way.
///
/// A move copies pieces on a lane of its own. When the copy holds nearly all, the rest is copied
/// under the partition's baton and the copy takes the original's place; whoever appends or reads
/// meanwhile waits for that piece. Nothing is lost if the process ends at any point: until the copy
/// has its name the original is the log, and a start that finds half a copy begins the move anew.
pub struct ReplicaMoves<E: Env> {
    /// Who owns this.
    node: OnceLock<Weak<Node<E>>>,
    moves: Mutex<BTreeMap<TopicPartition, Arc<Move<E>>>>,
    lane: <E::Background as Background>::Lane,
}

struct Move<E: Env> {
    node: Weak<Node<E>>,
    partition: Arc<Partition<E::Disk>>,
    target: DirIndex,
    /// `None` once it has taken the original's place, or was given up.
    copy: Mutex<Option<PartitionLog<E::Disk>>>,
    reader: LogReader<E::Disk>,
}

/// One move as DescribeLogDirs shows it.
pub struct MoveFacts {
    pub partition: TopicPartition,
    pub target: DirIndex,
    pub bytes: u64,
    /// Offsets that the copy does not hold yet.
    pub lag: i64,
}

/// What one piece of work has come to.
enum Step {
    Copied {
        bytes: usize,
    },
    Moved,
    /// There was no room for the piece.
    NoRoom,
}

/// Why a move ends without having moved anything.
enum Failed {
    Read(ReadError),
    Append(AppendError),
    Storage(StorageError),
    /// The partition is not here any more.
    Gone,
}

/// What is left of the copy, and what the step has come to.
type Stepped<D> = (Option<PartitionLog<D>>, Result<Step, Failed>);

impl<E: Env> ReplicaMoves<E> {
    pub fn new(env: &E) -> ReplicaMoves<E> {
        let lane = env.background().lane("replica-moves");
        ReplicaMoves { node: OnceLock::new(), moves: Mutex::default(), lane }
    }

    /// Before the first move.
    pub fn attach(&self, node: &Arc<Node<E>>) {
        _ = self.node.set(Arc::downgrade(node));
    }

    /// Where a partition is going.
    pub fn target(&self, id: &TopicPartition) -> Option<DirIndex> {
        self.lock().get(id).map(|known| known.target)
    }

    pub fn all(&self) -> Vec<MoveFacts> {
        let facts = |(id, known): (&TopicPartition, &Arc<Move<E>>)| {
            let (end, copied) = (known.partition.reader().log_end(), known.reader.log_end());
            MoveFacts {
                partition: id.clone(),
                target: known.target,
                bytes: known.reader.size_bytes().unwrap_or(0),
                lag: end.since(copied).max(0),
            }
        };
        self.lock().iter().map(facts).collect()
    }

    /// Begins to move a partition; a move to elsewhere that is under way is given up.
    ///
    /// # Errors
    /// The target directory cannot take it.
    pub fn begin(
        &self,
        partition: &Arc<Partition<E::Disk>>,
        target: DirIndex,
    ) -> Result<(), StorageError> {
        self.cancel(&partition.id);
        let Some(node) = self.node.get().and_then(Weak::upgrade) else { return Ok(()) };
        let now = node.env().clock().wall();
        let original = partition.reader();
        let settings = partition.settings();
        let copy =
            node.log_store.create_copy(target, &original, partition.topic_id, &settings, now)?;
        let begun = Arc::new(Move {
            node: Arc::downgrade(&node),
            partition: Arc::clone(partition),
            target,
            reader: copy.reader(),
            copy: Mutex::new(Some(copy)),
        });
        self.lock().insert(partition.id.clone(), Arc::clone(&begun));
        self.lane.run(Box::new(move || begun.work()));
        Ok(())
    }

    /// Gives a move up, if there is one.
    pub fn cancel(&self, id: &TopicPartition) {
        let cancelled = self.lock().remove(id);
        if let Some(cancelled) = cancelled {
            cancelled.give_up(true);
        }
    }

    /// At the end of the process: the next one begins the moves anew.
    pub fn suspend_all(&self) {
        let all = std::mem::take(&mut *self.lock());
        all.into_values().for_each(|suspended| suspended.give_up(false));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, Arc<Move<E>>>> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Env> Move<E> {
    fn work(self: Arc<Self>) {
        let Some(node) = self.node.upgrade() else { return };
        let clock = node.env().clock();
        let mut held = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        // Given up meanwhile.
        let Some(copy) = held.take() else { return };
        let (copy, outcome) = self.step(&node, copy, clock.wall());
        *held = copy;
        drop(held);
        match outcome {
            Ok(Step::Copied { bytes }) => {
                let (throttle, now) = (&node.throttles.dirs, clock.mono());
                throttle.record(bytes, now);
                self.again(&node, throttle.free_at(now).map_or(Duration::ZERO, |at| at.since(now)));
            }
            Ok(Step::NoRoom) => self.again(&node, MOVE_RETRY),
            Ok(Step::Moved) => self.finish(&node, None),
            Err(failed) => self.finish(&node, Some(failed)),
        }
    }

    /// Copies a piece; the last one under the baton.
    fn step(
        &self,
        node: &Node<E>,
        mut copy: PartitionLog<E::Disk>,
        now: WallTime,
    ) -> Stepped<E::Disk> {
        let original = self.partition.reader();
        if original.log_start() > copy.log_end()
            && let Err(error) = copy.reset_to(original.log_start(), now)
        {
            return (Some(copy), Err(Failed::Storage(error)));
        }
        let end = original.log_end();
        if copy.log_end() < end {
            match copy_piece(&original, &mut copy, now) {
                // All that is left is what came while this piece was copied.
                Ok(_) if copy.log_end() >= end => {}
                Ok(bytes) => return (Some(copy), Ok(Step::Copied { bytes })),
                Err(error) => return settle(copy, error),
            }
        }
        // Most of it is durable before anybody has to wait.
        if let Err(error) = copy.flush() {
            return settle(copy, Failed::Storage(error));
        }
        let Some(commit) = node.log_store.commit_of(self.target) else {
            return settle(copy, Failed::Gone);
        };
        let mut copy = Some(copy);
        let replaced = self.partition.replace_log(now, |log| {
            let mut whole = copy.take().ok_or(Failed::Gone)?;
            let reader = log.reader();
            while whole.log_end() < reader.log_end() {
                if let Err(error) = copy_piece(&reader, &mut whole, now) {
                    copy = Some(whole);
                    return Err(error);
                }
            }
            let settings = self.partition.settings();
            let promoted = node.log_store.promote_copy(self.target, whole, log, &settings, now);
            promoted.map(|log| ((self.target, log), commit)).map_err(Failed::Storage)
        });
        match (replaced, copy) {
            (Some(Ok((dir, original))), _) => {
                if let Err(error) = node.log_store.delete(dir, original) {
                    // Out of use, or found as a second copy by the next start.
                    log::error!(target: "kafka.log.LogManager", "{error}");
                }
                (None, Ok(Step::Moved))
            }
            (Some(Err(error)), Some(copy)) => settle(copy, error),
            (Some(Err(error)), None) => (None, Err(error)),
            (None, copy) => (copy, Err(Failed::Gone)),
        }
    }

    fn again(self: Arc<Self>, node: &Node<E>, after: Duration) {
        if after.is_zero() {
            let lane = node.moves.lane.clone();
            lane.run(Box::new(move || self.work()));
        } else {
            let due = node.env().clock().mono().plus(after);
            node.timers().register(due, self);
        }
    }

    fn finish(self: Arc<Self>, node: &Node<E>, failed: Option<Failed>) {
        let id = &self.partition.id;
        let mut moves = node.moves.lock();
        if moves.get(id).is_some_and(|known| Arc::ptr_eq(known, &self)) {
            moves.remove(id);
        }
        drop(moves);
        let why = match failed {
            None => {
                log::info!(target: "kafka.log.LogManager", "{id} is in its new log directory");
                if let Some(directory) = node.log_store.id_of(self.target) {
                    node.assignments.add(self.partition.topic_id, id.partition, directory);
                    registration::tell_directories(node);
                }
                return;
            }
            Some(Failed::Gone) => None,
            Some(Failed::Read(error)) => Some(error.to_string()),
            Some(Failed::Append(error)) => Some(error.to_string()),
            Some(Failed::Storage(error)) => Some(error.to_string()),
        };
        // With the original out of reach, what was copied may be all there is: a start decides.
        let is_lost = self.partition.check_here() == Err(ErrorCode::KafkaStorageError);
        self.give_up(!is_lost);
        if let Some(why) = why {
            log::error!(
                target: "kafka.log.LogManager",
                "{id} stays in its log directory · {why} · repair what is named, then move it \
                 again · MOVE_FAILED"
            );
        }
    }

    fn give_up(&self, remove: bool) {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(copy), Some(node)) = (copy, self.node.upgrade()) {
            node.log_store.discard_copy(self.target, copy, remove);
        }
    }
}

impl<E: Env> Expire for Move<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        if let Some(node) = self.node.upgrade() {
            self.again(&node, Duration::ZERO);
        }
    }
}

/// A piece for which there is no room is tried again later; anything else ends the move.
fn settle<D: env::Disk>(copy: PartitionLog<D>, error: Failed) -> Stepped<D> {
    match error {
        Failed::Append(AppendError::NoSpace { .. }) => (Some(copy), Ok(Step::NoRoom)),
        Failed::Append(AppendError::Storage(error)) | Failed::Storage(error) if error.is_full() => {
            (Some(copy), Ok(Step::NoRoom))
        }
        error => (Some(copy), Err(error)),
    }
}

/// Copies what follows the copy's end, checked as every read is.
fn copy_piece<D: env::Disk>(
    from: &LogReader<D>,
    copy: &mut PartitionLog<D>,
    now: WallTime,
) -> Result<usize, Failed> {
    let (at, end) = (copy.log_end(), from.log_end());
    let slice = from.read(at, MOVE_PIECE_BYTES, end, true).map_err(Failed::Read)?;
    let bytes = slice.bytes.len();
    if slice.is_empty() {
        return Err(Failed::Gone);
    }
    copy.append_as_follower(slice.bytes, now).map_err(Failed::Append)?;
    Ok(bytes)
}
