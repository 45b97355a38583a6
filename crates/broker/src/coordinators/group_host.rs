//! Runs the group coordinators of this broker: one shard for each partition of
//! `__consumer_offsets`.
//!
//! The host owns what the shards may not touch: the clock, the log, the way back to the client. One
//! event is one visit: decide, append, replay, and answer once the append is acknowledged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use coordinator::{Decision, Now, ReplyToken, partition_for};
use env::{Clock, Disk, Env};
use group_coordinator::{GroupCoordinatorConfig, GroupCoordinatorShard, Reply};
use types::ErrorCode;

use super::answer_timeouts::AnswerTimeouts;
use super::shard_host::ShardHost;
use crate::cluster::LeaseWait;
use crate::partitions::{GatePassed, Partition};
use crate::timers::Timers;

/// Takes the answer to one request: the shard's, or why there is no shard to ask.
pub type OnReply = Box<dyn FnOnce(Result<Reply, ErrorCode>) + Send>;

type Shards<E> = BTreeMap<i32, Arc<ShardHost<E>>>;

/// The group coordinators of this broker.
#[doc(alias = "GroupCoordinatorService")]
pub struct GroupHost<E: Env> {
    env: E,
    timers: Arc<Timers>,
    config: GroupCoordinatorConfig,
    lease_wait: Arc<LeaseWait>,
    timeouts: Arc<AnswerTimeouts>,
    shards: RwLock<Shards<E>>,
    partition_count: AtomicI32,
}

impl<E: Env> GroupHost<E> {
    pub fn new(
        env: E,
        timers: Arc<Timers>,
        config: GroupCoordinatorConfig,
        lease_wait: Arc<LeaseWait>,
    ) -> GroupHost<E> {
        let (shards, partition_count) = (RwLock::default(), AtomicI32::new(0));
        let timeouts = AnswerTimeouts::new(&timers, config.commit_timeout);
        GroupHost { env, timers, config, lease_wait, timeouts, shards, partition_count }
    }

    /// Reads a partition of `__consumer_offsets`, and serves its groups from then on.
    pub fn load(&self, partition: Arc<Partition<E::Disk>>) {
        let number = partition.id.partition;
        let shard = ShardHost::new(&self.env, &self.timers, &self.config, partition);
        let mut shards = self.shards.write().unwrap_or_else(PoisonError::into_inner);
        shards.insert(number, Arc::clone(&shard));
        drop(shards);
        shard.load();
    }

    /// How many partitions the offsets topic has, wherever they are led: which is a group's follows
    /// from it.
    pub fn set_partition_count(&self, count: i32) {
        self.partition_count.store(count, Ordering::Release);
    }

    /// The partition is gone, or led elsewhere: whoever waits for one of its groups is told so.
    pub fn unload(&self, number: i32) {
        let mut shards = self.shards.write().unwrap_or_else(PoisonError::into_inner);
        let unloaded = shards.remove(&number);
        drop(shards);
        if let Some(shard) = unloaded {
            shard.close();
        }
    }

    /// The node stops: whoever waits for a group is told so.
    pub fn unload_all(&self) {
        let mut shards = self.shards.write().unwrap_or_else(PoisonError::into_inner);
        let unloaded = std::mem::take(&mut *shards);
        drop(shards);
        unloaded.into_values().for_each(|shard| shard.close());
        self.timeouts.close();
    }

    /// Asks the coordinator of `group`. `on_reply` is called exactly once, now or later.
    pub fn ask(
        &self,
        group: &str,
        event: impl FnOnce(&mut GroupCoordinatorShard, Now, ReplyToken) -> Decision<Reply>,
        on_reply: OnReply,
    ) {
        match self.shard_of(group) {
            Ok(shard) => shard.ask(event, on_reply),
            Err(error) => on_reply(Err(error)),
        }
    }

    /// Calls `then` when [`read`](Self::read) has something to tell, or will not have soon.
    pub fn once_leased(&self, then: impl FnOnce() + Send + 'static) {
        self.lease_wait.once(self.env.clock().mono(), Box::new(|_| then()));
    }

    /// Reads from the coordinator of `group`.
    ///
    /// # Errors
    /// There is none here, it is still loading, or another may have taken over: a consumer that is
    /// told what was committed before begins there, or at the end if nothing was.
    pub fn read<T>(
        &self,
        group: &str,
        read: impl FnOnce(&GroupCoordinatorShard) -> T,
    ) -> Result<T, ErrorCode> {
        if !self.lease_wait.is_leased(self.env.clock().mono()) {
            return Err(ErrorCode::NotCoordinator);
        }
        self.shard_of(group)?.read(read)
    }

    /// Reads from every coordinator here.
    ///
    /// # Errors
    /// One is still loading: the answer would be half of it.
    pub fn read_all<T>(
        &self,
        mut read: impl FnMut(&GroupCoordinatorShard) -> Vec<T>,
    ) -> Result<Vec<T>, ErrorCode> {
        let mut all = Vec::new();
        for shard in self.all() {
            all.extend(shard.read(&mut read)?);
        }
        Ok(all)
    }

    /// Calls `then` once everything that was decided about `groups` is acknowledged; a group whose
    /// coordinator is not here holds nobody up. Answers must not tell what power loss could undo.
    ///
    /// # Errors
    /// The log is led elsewhere or lost, or `offsets.commit.timeout.ms` is over.
    pub fn once_committed<'a>(
        &self,
        groups: impl Iterator<Item = &'a str>,
        then: impl FnOnce(Result<(), ErrorCode>) + Send + 'static,
    ) {
        let mut partitions: Vec<Arc<Partition<E::Disk>>> = Vec::new();
        for shard in groups.filter_map(|group| self.shard_of(group).ok()) {
            if !partitions.iter().any(|known| Arc::ptr_eq(known, &shard.partition)) {
                partitions.push(Arc::clone(&shard.partition));
            }
        }
        wait_for_gates(partitions, self.timeouts.within(self.env.clock().mono(), Box::new(then)));
    }

    /// Tells every coordinator that serves.
    pub fn tell_all(
        &self,
        mut event: impl FnMut(&mut GroupCoordinatorShard, Now) -> Decision<Reply>,
    ) {
        for shard in self.all() {
            shard.visit(&mut event);
        }
    }

    fn all(&self) -> Vec<Arc<ShardHost<E>>> {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        shards.values().cloned().collect()
    }

    fn shard_of(&self, group: &str) -> Result<Arc<ShardHost<E>>, ErrorCode> {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        let count = self.partition_count.load(Ordering::Acquire);
        if count == 0 {
            // Nobody has asked for a coordinator yet, so there is none.
            return Err(ErrorCode::NotCoordinator);
        }
        shards.get(&partition_for(group, count)).cloned().ok_or(ErrorCode::NotCoordinator)
    }
}

/// One gate after the other: what is acknowledged stays so.
fn wait_for_gates<D: Disk>(mut partitions: Vec<Arc<Partition<D>>>, then: GatePassed) {
    let Some(partition) = partitions.pop() else { return then(Ok(())) };
    partition.after_gate(Box::new(move |passed| match passed {
        Ok(()) => wait_for_gates(partitions, then),
        Err(error) => then(Err(error)),
    }));
}
