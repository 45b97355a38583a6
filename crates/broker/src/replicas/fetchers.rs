//! Follows the leaders of what is followed here: one fetch at a time for each of them.
//!
//! No socket is in sight: requests leave through [`ReplicationLinks`], and whoever brings an answer
//! runs what it leads to.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use env::{Clock, Env};
use protocol::messages::FetchResponse;
use protocol::messages::fetch_response::PartitionData;
use replication::FetchAnswer;
use types::{BrokerId, EpochEnd, ErrorCode, LeaderEpoch, MonoTime, Offset};

use super::isr_changes::IsrChanges;
use super::leader_session::{FetchTerms, Key, LeaderSession, NextFetch};
use super::links::{NoAnswer, ReplicationLinks};
use crate::limits::FETCHER_BACKOFF;
use crate::node::Node;
use crate::partitions::{Followed, OnSynced, Partition};
use crate::timers::Expire;

/// The followers of this broker.
#[doc(alias = "ReplicaFetcherManager")]
pub struct ReplicaFetchers<E: Env> {
    node: OnceLock<Weak<Node<E>>>,
    links: OnceLock<Arc<dyn ReplicationLinks>>,
    leaders: Mutex<BTreeMap<BrokerId, LeaderSession<E::Disk>>>,
    /// Whom each partition follows.
    followed: Mutex<BTreeMap<Key, BrokerId>>,
}

impl<E: Env> Default for ReplicaFetchers<E> {
    fn default() -> Self {
        ReplicaFetchers {
            node: OnceLock::new(),
            links: OnceLock::new(),
            leaders: Mutex::default(),
            followed: Mutex::default(),
        }
    }
}

impl<E: Env> ReplicaFetchers<E> {
    pub fn attach(&self, node: &Arc<Node<E>>) {
        _ = self.node.set(Arc::downgrade(node));
    }

    /// From now on there is a way to other brokers.
    pub fn connect(&self, links: Arc<dyn ReplicationLinks>) {
        _ = self.links.set(links);
        if let Some(node) = self.node.get().and_then(Weak::upgrade) {
            IsrChanges::start(&node);
        }
        self.ask_all();
    }

    /// There may be more to ask for.
    pub(crate) fn ask_all(&self) {
        let leaders: Vec<BrokerId> = self.lock().keys().copied().collect();
        leaders.into_iter().for_each(|leader| self.ask(leader));
    }

    pub(super) fn links(&self) -> Option<&Arc<dyn ReplicationLinks>> {
        self.links.get()
    }

    /// The partition's role may have changed.
    pub(crate) fn refresh(&self, partition: &Arc<Partition<E::Disk>>) {
        let key = (partition.topic_id, partition.id.partition);
        let leader = partition.followed_leader();
        self.leave(key, leader);
        let Some(leader) = leader else { return };
        lock(&self.followed).insert(key, leader);
        self.lock().entry(leader).or_default().follow(key, Arc::clone(partition));
        self.ask(leader);
    }

    /// The partition is not here any more.
    pub(crate) fn forget(&self, partition: &Partition<E::Disk>) {
        self.leave((partition.topic_id, partition.id.partition), None);
    }

    fn leave(&self, key: Key, but_for: Option<BrokerId>) {
        let before = lock(&self.followed).remove(&key);
        let Some(leader) = before.filter(|leader| Some(*leader) != but_for) else { return };
        if let Some(session) = self.lock().get_mut(&leader) {
            session.unfollow(key);
        }
        // Those who stay may have waited until what is on its way here is durable.
        self.ask(leader);
    }

    /// Tells the fetchers that what came from a leader is as durable here as it is to be.
    pub(crate) fn on_synced(&self) -> OnSynced<E::Disk> {
        let node = self.node.get().cloned().unwrap_or_default();
        Arc::new(move |partition| {
            if let Some(node) = node.upgrade() {
                node.fetchers.handle_synced(partition);
            }
        })
    }

    fn handle_synced(&self, partition: &Partition<E::Disk>) {
        let key = (partition.topic_id, partition.id.partition);
        let leader = lock(&self.followed).get(&key).copied();
        if let Some(leader) = leader {
            self.ask(leader);
        }
    }

    /// Sends the next fetch, if it is time for one.
    fn ask(&self, leader: BrokerId) {
        let (Some(node), Some(links)) = (self.node.get().and_then(Weak::upgrade), self.links.get())
        else {
            return;
        };
        let now = node.env().clock().mono();
        let terms = terms(&node);
        let throttle = &node.throttles.follower;
        let mut leaders = self.lock();
        let session = leaders.get_mut(&leader);
        let asked = session.map(|session| session.poll_request(terms, throttle, now));
        drop(leaders);
        let request = match asked {
            Some(NextFetch::Now(request)) => request,
            Some(NextFetch::At(at)) => return self.ask_later(&node, leader, at),
            Some(NextFetch::Later) | None => return,
        };
        let this = Arc::downgrade(&node);
        let answered = Box::new(move |outcome: Result<FetchResponse, NoAnswer>| {
            if let Some(node) = this.upgrade() {
                node.fetchers.handle_outcome(&node, leader, outcome);
            }
        });
        links.fetch(leader, request, answered);
    }

    fn handle_outcome(
        &self,
        node: &Arc<Node<E>>,
        leader: BrokerId,
        outcome: Result<FetchResponse, NoAnswer>,
    ) {
        let now = node.env().clock().mono();
        match outcome {
            Ok(response) if response.error_code == 0 => {
                let mut fetched = Vec::new();
                for topic in response.responses {
                    for data in topic.partitions {
                        let key = (topic.topic_id, data.partition_index);
                        fetched.extend(self.handle_partition(node, leader, key, data));
                    }
                }
                // With one sync, whatever came.
                fetched.iter().for_each(|partition| partition.commit_if_wanted());
                if let Some(session) = self.lock().get_mut(&leader) {
                    session.is_asking = false;
                    session.handle_answered(response.session_id);
                }
            }
            failed => {
                let is_session = failed.is_ok_and(|response| is_of_session(response.error_code));
                let pause =
                    if is_session { MonoTime::default() } else { now.plus(FETCHER_BACKOFF) };
                if let Some(session) = self.lock().get_mut(&leader) {
                    session.is_asking = false;
                    session.not_before = pause;
                    session.start_over();
                }
                if !is_session {
                    self.ask_later(node, leader, pause);
                }
            }
        }
        self.ask(leader);
    }

    /// Returns the partition, which may want a commit.
    fn handle_partition(
        &self,
        node: &Arc<Node<E>>,
        leader: BrokerId,
        key: Key,
        data: PartitionData,
    ) -> Option<Arc<Partition<E::Disk>>> {
        let (partition, asked) = self.lock().get(&leader).and_then(|session| {
            session.get(key).map(|(partition, asked)| (Arc::clone(partition), asked))
        })?;
        let (now, wall) = (node.env().clock().mono(), node.env().clock().wall());
        let answer = answer_of(&data);
        let records = data.records.unwrap_or_default();
        let throttle = &node.throttles.follower;
        if throttle.is_on() && partition.settings().throttled.as_follower {
            throttle.record(records.len(), now);
        }
        let is_failed = answer.error != ErrorCode::None;
        match partition.handle_fetched(&asked, &answer, records, now, wall) {
            Ok(Followed::Moved | Followed::Idle) => {}
            Ok(Followed::Stopped(why)) => log::error!(
                target: "kafka.server.ReplicaFetcherManager",
                "{} stands still on this broker · {why} · find out which disk lost what it had \
                 synced, then remove the replica that is wrong · REPLICA_DIVERGED",
                partition.id
            ),
            Err(error) => log::error!(
                target: "kafka.server.ReplicaFetcherManager",
                "cannot follow {}: {error}", partition.id
            ),
        }
        if let Some(session) = self.lock().get_mut(&leader) {
            let log_end = partition.reader().log_end();
            session.note_changed(key, !is_failed && log_end >= answer.high_watermark);
        }
        if is_failed {
            self.ask_later(node, leader, now.plus(FETCHER_BACKOFF));
        }
        Some(partition)
    }

    fn ask_later(&self, node: &Arc<Node<E>>, leader: BrokerId, at: MonoTime) {
        let alarm = Alarm { node: Arc::downgrade(node), leader };
        node.timers.register(at, Arc::new(alarm));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BrokerId, LeaderSession<E::Disk>>> {
        lock(&self.leaders)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn terms<E: Env>(node: &Node<E>) -> FetchTerms {
    let config = &node.settings.config.replication;
    FetchTerms {
        broker: node.broker_id(),
        broker_epoch: node.broker_epoch(),
        partition_bytes_max: config.fetch_bytes_max,
        bytes_max: config.fetch_response_bytes_max,
        bytes_min: config.fetch_bytes_min,
        wait_max_ms: config.fetch_wait_max_ms,
    }
}

fn answer_of(data: &PartitionData) -> FetchAnswer {
    let diverging = &data.diverging_epoch;
    let diverges = diverging.epoch >= 0 || diverging.end_offset >= 0;
    FetchAnswer {
        error: ErrorCode::from_code(data.error_code).unwrap_or(ErrorCode::UnknownServerError),
        diverging: diverges.then_some(EpochEnd {
            epoch: LeaderEpoch(diverging.epoch),
            end_offset: Offset(diverging.end_offset),
        }),
        high_watermark: Offset(data.high_watermark),
        log_start: Offset(data.log_start_offset),
    }
}

/// The leader does not know the session: a full fetch opens another one.
fn is_of_session(code: i16) -> bool {
    let codes = [
        ErrorCode::FetchSessionIdNotFound,
        ErrorCode::InvalidFetchSessionEpoch,
        ErrorCode::FetchSessionTopicIdError,
    ];
    codes.iter().any(|known| known.code() == code)
}

struct Alarm<E: Env> {
    node: Weak<Node<E>>,
    leader: BrokerId,
}

impl<E: Env> Expire for Alarm<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        if let Some(node) = self.node.upgrade() {
            node.fetchers.ask(self.leader);
        }
    }
}
