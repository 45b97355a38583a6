//! Runs the group coordinators of this broker: one shard for each partition of
//! `__consumer_offsets`.
//!
//! The host owns what the shards may not touch: the clock, the log, the way back to the client. One
//! event is one visit: decide, append, replay, and answer once the append is acknowledged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use coordinator::{
    CoordinatorRecord, CoordinatorShard, Decision, Hosted, Now, ReplyToken, partition_for,
};
use env::{Clock, Disk, Env};
use group_coordinator::{GroupCoordinatorConfig, GroupCoordinatorShard, Reply};
use records::validate::ValidatedBatch;
use records::{BatchBuilder, NewRecord};
use types::{ErrorCode, MonoTime};

use super::load::{load, replay};
use crate::cluster::Lease;
use crate::partitions::{AppendRefused, GatePassed, Partition};
use crate::timers::{Expire, TimerId, Timers};

/// Takes the answer to one request: the shard's, or why there is no shard to ask.
pub type OnReply = Box<dyn FnOnce(Result<Reply, ErrorCode>) + Send>;

type Shards<E> = BTreeMap<i32, Arc<ShardHost<E>>>;

/// The group coordinators of this broker.
#[doc(alias = "GroupCoordinatorService")]
pub struct GroupHost<E: Env> {
    env: E,
    timers: Arc<Timers>,
    config: GroupCoordinatorConfig,
    lease: Arc<Lease>,
    shards: RwLock<Shards<E>>,
    partition_count: AtomicI32,
}

impl<E: Env> GroupHost<E> {
    pub fn new(
        env: E,
        timers: Arc<Timers>,
        config: GroupCoordinatorConfig,
        lease: Arc<Lease>,
    ) -> GroupHost<E> {
        let (shards, partition_count) = (RwLock::default(), AtomicI32::new(0));
        GroupHost { env, timers, config, lease, shards, partition_count }
    }

    /// Reads a partition of `__consumer_offsets`, and serves its groups from then on.
    pub fn load(&self, partition: Arc<Partition<E::Disk>>) {
        let number = partition.id.partition;
        let shard = ShardHost::new(self, partition);
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
        if !self.lease.holds(self.env.clock().mono()) {
            return Err(ErrorCode::NotCoordinator);
        }
        let shard = self.shard_of(group)?;
        let state = shard.lock();
        Ok(read(state.hosted.active_ref()?))
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
            let state = shard.lock();
            all.extend(read(state.hosted.active_ref()?));
        }
        Ok(all)
    }

    /// Calls `then` once everything that was decided about `groups` is acknowledged; a group whose
    /// coordinator is not here holds nobody up. Answers must not tell what power loss could undo.
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
        wait_for_gates(partitions, Box::new(then));
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

/// One shard with its log, its parked answers and its alarm.
struct ShardHost<E: Env> {
    env: E,
    timers: Arc<Timers>,
    partition: Arc<Partition<E::Disk>>,
    state: Mutex<State>,
    this: Weak<ShardHost<E>>,
}

struct State {
    hosted: Hosted<GroupCoordinatorShard>,
    waiting: BTreeMap<ReplyToken, OnReply>,
    tokens_given: u64,
    alarm: Option<TimerId>,
}

/// Answers whose time has come, to be sent without the lock.
type Answers = Vec<(OnReply, Reply)>;

impl<E: Env> ShardHost<E> {
    fn new(host: &GroupHost<E>, partition: Arc<Partition<E::Disk>>) -> Arc<ShardHost<E>> {
        let shard = GroupCoordinatorShard::new(host.config.clone());
        Arc::new_cyclic(|this| ShardHost {
            env: host.env.clone(),
            timers: Arc::clone(&host.timers),
            partition,
            state: Mutex::new(State {
                hosted: Hosted::loading(shard),
                waiting: BTreeMap::new(),
                tokens_given: 0,
                alarm: None,
            }),
            this: this.clone(),
        })
    }

    fn load(&self) {
        let mut state = self.lock();
        match load(&self.partition, &mut state.hosted) {
            Ok(()) => state.hosted.finish_loading(self.now()),
            Err(error) => {
                let id = &self.partition.id;
                log::error!(target: "kafka.coordinator.group", "cannot load {id}: {error}");
                state.hosted.fail_loading();
            }
        }
        self.set_alarm(&mut state);
    }

    fn close(&self) {
        let mut state = self.lock();
        let closed = state.hosted.close();
        let answers = state.take_answers(closed.replies);
        self.set_alarm(&mut state);
        drop(state);
        send(answers);
    }

    fn ask(
        &self,
        event: impl FnOnce(&mut GroupCoordinatorShard, Now, ReplyToken) -> Decision<Reply>,
        on_reply: OnReply,
    ) {
        let mut state = self.lock();
        state.tokens_given += 1;
        let token = ReplyToken(state.tokens_given);
        match state.hosted.active() {
            Ok(shard) => {
                let decision = event(shard, self.now(), token);
                state.waiting.insert(token, on_reply);
                self.carry_out(state, decision);
            }
            Err(error) => {
                drop(state);
                on_reply(Err(error));
            }
        }
    }

    fn visit(&self, event: impl FnOnce(&mut GroupCoordinatorShard, Now) -> Decision<Reply>) {
        let mut state = self.lock();
        if let Ok(shard) = state.hosted.active() {
            let decision = event(shard, self.now());
            self.carry_out(state, decision);
        }
    }

    /// Appends and replays what was decided; the answers follow once it is acknowledged.
    fn carry_out(&self, mut state: MutexGuard<'_, State>, mut decision: Decision<Reply>) {
        let replies = std::mem::take(&mut decision.replies);
        let mut answers = state.take_answers(replies);
        if !decision.records.is_empty() {
            // The gate may pass at once or long after this visit: the answers wait inside it.
            let parked: Arc<Mutex<Answers>> = Arc::new(Mutex::new(std::mem::take(&mut answers)));
            let released = Arc::clone(&parked);
            let now = self.now();
            let batch = ValidatedBatch::trusted(batch_of(&decision.records, now));
            let result = self.partition.append_now(
                batch,
                now.wall,
                Box::new(move |outcome| match outcome {
                    Ok(_) => send(take(&released)),
                    // Whether the records survive nobody knows; another coordinator would.
                    Err(_) => refuse(take(&released), ErrorCode::NotCoordinator),
                }),
            );
            match result {
                Ok(appended) => {
                    replay(&mut state.hosted, appended.base_offset, &decision.records);
                }
                Err(error) => {
                    let parked = take(&parked);
                    let (waiting, replies) = parked.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
                    answers = self.take_back(&mut state, decision, waiting, replies, &error);
                }
            }
        }
        self.set_alarm(&mut state);
        drop(state);
        send(answers);
    }

    /// The append failed: the shard undoes its assumptions and says what the clients hear instead.
    fn take_back(
        &self,
        state: &mut State,
        decision: Decision<Reply>,
        waiting: Vec<OnReply>,
        replies: Vec<Reply>,
        error: &AppendRefused,
    ) -> Answers {
        let id = &self.partition.id;
        let level = error.log_level();
        log::log!(target: "kafka.coordinator.group", level, "cannot append to {id}: {error}");
        // The tokens went with the answers; new ones stand for them.
        let mut failed = Decision { replies: Vec::new(), ..decision };
        for (on_reply, reply) in waiting.into_iter().zip(replies) {
            state.tokens_given += 1;
            let token = ReplyToken(state.tokens_given);
            state.waiting.insert(token, on_reply);
            failed.replies.push((token, reply));
        }
        let now = self.now();
        let undone = match state.hosted.active() {
            Ok(shard) => shard.handle_append_failed(now, failed, error.error_code()),
            Err(_) => failed,
        };
        state.take_answers(undone.replies)
    }

    fn set_alarm(&self, state: &mut State) {
        let wanted = state.hosted.active_ref().ok().and_then(CoordinatorShard::poll_timeout);
        if state.alarm.map(TimerId::deadline) == wanted {
            return;
        }
        if let Some(old) = state.alarm.take() {
            self.timers.cancel(old);
        }
        if let (Some(deadline), Some(this)) = (wanted, self.this.upgrade()) {
            state.alarm = Some(self.timers.register(deadline, this));
        }
    }

    fn now(&self) -> Now {
        Now { mono: self.env.clock().mono(), wall: self.env.clock().wall() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Env> Expire for ShardHost<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        self.lock().alarm = None;
        loop {
            let now = self.now();
            let mut state = self.lock();
            let is_due = state
                .hosted
                .active_ref()
                .is_ok_and(|shard| shard.poll_timeout().is_some_and(|due| due <= now.mono));
            let Some(shard) = state.hosted.active().ok().filter(|_| is_due) else {
                return self.set_alarm(&mut state);
            };
            let decision = shard.handle_timeout(now);
            self.carry_out(state, decision);
        }
    }
}

impl State {
    fn take_answers(&mut self, replies: Vec<(ReplyToken, Reply)>) -> Answers {
        let take = |(token, reply)| self.waiting.remove(&token).map(|on_reply| (on_reply, reply));
        replies.into_iter().filter_map(take).collect()
    }
}

fn take(answers: &Mutex<Answers>) -> Answers {
    std::mem::take(&mut *answers.lock().unwrap_or_else(PoisonError::into_inner))
}

fn send(answers: Answers) {
    for (on_reply, reply) in answers {
        on_reply(Ok(reply));
    }
}

fn refuse(answers: Answers, why: ErrorCode) {
    for (on_reply, _) in answers {
        on_reply(Err(why));
    }
}

fn batch_of(records: &[CoordinatorRecord], now: Now) -> records::RecordBatch {
    let mut builder = BatchBuilder::new();
    for record in records {
        builder.push(NewRecord {
            timestamp: now.wall,
            key: Some(&record.key),
            value: record.value.as_deref(),
            ..NewRecord::default()
        });
    }
    builder.build()
}
