use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use coordinator::{
    CoordinatorRecord, CoordinatorShard, Decision, Hosted, Now, ReplyToken, error_for_failed_append,
};
use env::{Clock, Env};
use group_coordinator::{GroupCoordinatorConfig, GroupCoordinatorShard, Reply};
use records::validate::ValidatedBatch;
use records::{BatchBuilder, NewRecord};
use types::{ErrorCode, MonoTime};

use super::answer_timeouts::AnswerTimeouts;
use super::group_host::OnReply;
use super::load::{load, replay};
use crate::partitions::{AppendRefused, Partition};
use crate::timers::{Expire, TimerId, Timers};

/// One shard with its log, its parked answers and its alarm.
pub(super) struct ShardHost<E: Env> {
    env: E,
    timers: Arc<Timers>,
    timeouts: Arc<AnswerTimeouts>,
    pub(super) partition: Arc<Partition<E::Disk>>,
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
    pub(super) fn new(
        env: &E,
        timers: &Arc<Timers>,
        config: &GroupCoordinatorConfig,
        partition: Arc<Partition<E::Disk>>,
    ) -> Arc<ShardHost<E>> {
        let shard = GroupCoordinatorShard::new(config.clone());
        Arc::new_cyclic(|this| ShardHost {
            env: env.clone(),
            timers: Arc::clone(timers),
            timeouts: AnswerTimeouts::new(timers, config.commit_timeout),
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

    pub(super) fn load(&self) {
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

    pub(super) fn close(&self) {
        let mut state = self.lock();
        let closed = state.hosted.close();
        let answers = state.take_answers(closed.replies);
        self.set_alarm(&mut state);
        drop(state);
        self.timeouts.close();
        send(answers);
    }

    pub(super) fn ask(
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

    pub(super) fn visit(
        &self,
        event: impl FnOnce(&mut GroupCoordinatorShard, Now) -> Decision<Reply>,
    ) {
        let mut state = self.lock();
        if let Ok(shard) = state.hosted.active() {
            let decision = event(shard, self.now());
            self.carry_out(state, decision);
        }
    }

    /// Appends and replays what was decided; the answers follow once it is acknowledged. Those that
    /// come of no records follow what was decided before them: a member that asks for its
    /// assignment between the append and the acknowledgement must not be told what another
    /// coordinator would decide anew. Source: Kafka `CoordinatorRuntime`, `DeferredEventQueue`.
    fn carry_out(&self, mut state: MutexGuard<'_, State>, mut decision: Decision<Reply>) {
        let replies = std::mem::take(&mut decision.replies);
        let mut answers = state.take_answers(replies);
        let waits = decision.records.is_empty() && !answers.is_empty();
        if !decision.records.is_empty() {
            // The gate may pass at once or long after this visit: the answers wait inside it.
            let parked: Arc<Mutex<Answers>> = Arc::new(Mutex::new(std::mem::take(&mut answers)));
            let released = Arc::clone(&parked);
            let now = self.now();
            let settled = move |passed| settle(take(&released), passed);
            let settled = self.timeouts.within(now.mono, Box::new(settled));
            let batch = ValidatedBatch::trusted(batch_of(&decision.records, now));
            let result = self.partition.append_now(
                batch,
                now.wall,
                Box::new(move |outcome| {
                    settled(outcome.map(|_| ()).map_err(|_| ErrorCode::NotCoordinator));
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
        if !waits {
            return send(answers);
        }
        let settled = Box::new(move |passed| settle(answers, passed));
        self.partition.after_gate(self.timeouts.within(self.now().mono, settled));
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

    /// Reads what is decided; nothing while the shard is loading.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&GroupCoordinatorShard) -> T,
    ) -> Result<T, ErrorCode> {
        Ok(read(self.lock().hosted.active_ref()?))
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

/// What was decided before these answers is committed, or nobody here knows whether it will be.
fn settle(answers: Answers, passed: Result<(), ErrorCode>) {
    match passed {
        Ok(()) => send(answers),
        // It stays decided, and clients ask again.
        Err(error @ ErrorCode::RequestTimedOut) => refuse(answers, error_for_failed_append(error)),
        // Whether the records survive another coordinator would know.
        Err(_) => refuse(answers, ErrorCode::NotCoordinator),
    }
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
