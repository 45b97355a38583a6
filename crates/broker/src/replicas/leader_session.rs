//! The one fetch session with a leader, for everything that is followed there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use env::Disk;
use protocol::messages::FetchRequest;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic, ReplicaState};
use replication::FetchFrom;
use types::{BrokerEpoch, BrokerId, MonoTime, Uuid};

use super::throttles::Throttle;
use crate::partitions::Partition;

/// A topic's id and the partition's number.
pub(super) type Key = (Uuid, i32);

/// What every fetch asks for, wherever it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct FetchTerms {
    pub(super) broker: BrokerId,
    pub(super) broker_epoch: BrokerEpoch,
    pub(super) partition_bytes_max: i32,
    pub(super) bytes_max: i32,
    pub(super) bytes_min: i32,
    pub(super) wait_max_ms: i32,
}

/// **Invariant:** a partition is asked for from one offset at a time, and what the leader's session
/// holds of it is [`sent`](Followed::sent).
pub(super) struct LeaderSession<D: Disk> {
    followed: BTreeMap<Key, Followed<D>>,
    /// Those whose next fetch may differ from what the session holds.
    changed: BTreeSet<Key>,
    /// Of these, those of which something may be on its way to the disk. Whoever is done is looked
    /// at once: with thousands the fetchers are told of each.
    syncing: BTreeSet<Key>,
    /// In the leader's session, and followed no more.
    forgotten: BTreeSet<Key>,
    session_id: i32,
    session_epoch: i32,
    pub(super) is_asking: bool,
    pub(super) not_before: MonoTime,
}

struct Followed<D: Disk> {
    partition: Arc<Partition<D>>,
    sent: Option<FetchFrom>,
    /// It had all that was committed when the leader last answered.
    keeps_up: bool,
}

impl<D: Disk> Followed<D> {
    /// Whoever keeps up is never held back, or it would fall out of sync for it. Source: Kafka
    /// `RemoteLeaderEndPoint.shouldFollowerThrottle`.
    fn is_held_back(&self, throttle: &Throttle, now: MonoTime) -> bool {
        throttle.is_on()
            && !self.keeps_up
            && self.partition.settings().throttled.as_follower
            && throttle.is_exceeded(now)
    }
}

/// What comes of looking for something to ask a leader for.
pub(super) enum NextFetch {
    Now(FetchRequest),
    /// All that there is to ask for is held back until then.
    At(MonoTime),
    /// Somebody will say when.
    Later,
}

impl<D: Disk> Default for LeaderSession<D> {
    fn default() -> Self {
        LeaderSession {
            followed: BTreeMap::new(),
            changed: BTreeSet::new(),
            syncing: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            session_id: 0,
            session_epoch: 0,
            is_asking: false,
            not_before: MonoTime::default(),
        }
    }
}

impl<D: Disk> LeaderSession<D> {
    pub(super) fn follow(&mut self, key: Key, partition: Arc<Partition<D>>) {
        self.forgotten.remove(&key);
        let sent = self.followed.get(&key).and_then(|followed| followed.sent);
        self.followed.insert(key, Followed { partition, sent, keeps_up: false });
        self.changed.insert(key);
        self.syncing.insert(key);
    }

    pub(super) fn unfollow(&mut self, key: Key) {
        self.changed.remove(&key);
        if self.followed.remove(&key).is_some_and(|followed| followed.sent.is_some()) {
            self.forgotten.insert(key);
        }
    }

    /// The leader answered; `keeps_up` if that was all that is committed.
    pub(super) fn note_changed(&mut self, key: Key, keeps_up: bool) {
        if let Some(followed) = self.followed.get_mut(&key) {
            followed.keeps_up = keeps_up;
            self.changed.insert(key);
            self.syncing.insert(key);
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<(&Arc<Partition<D>>, FetchFrom)> {
        let followed = self.followed.get(&key)?;
        Some((&followed.partition, followed.sent?))
    }

    /// The session is lost: the next fetch names everything, and has the leader close what it may
    /// still have of it. Its sessions are few; those left open would keep followers without one for
    /// minutes. Source: Kafka `FetchMetadata.nextCloseExistingAttemptNew`.
    pub(super) fn start_over(&mut self) {
        self.session_epoch = 0;
        self.forgotten.clear();
        for (key, followed) in &mut self.followed {
            followed.sent = None;
            self.changed.insert(*key);
            self.syncing.insert(*key);
        }
    }

    /// An answer came: `session_id` is 0 if the leader has no room for a session.
    pub(super) fn handle_answered(&mut self, session_id: i32) {
        self.session_id = session_id;
        if session_id == 0 {
            return self.start_over();
        }
        self.session_epoch = self.session_epoch.checked_add(1).unwrap_or(1);
    }

    /// The next fetch. None while something that came is on its way to the disk, so that one
    /// fetch and one sync serve all of it, or if there is nothing to ask for. Partitions that
    /// `throttle` holds back are left out, and out of the leader's session.
    pub(super) fn poll_request(
        &mut self,
        terms: FetchTerms,
        throttle: &Throttle,
        now: MonoTime,
    ) -> NextFetch {
        if self.is_asking || now < self.not_before {
            return NextFetch::Later;
        }
        while let Some(key) = self.syncing.first() {
            if self.followed.get(key).is_some_and(|followed| followed.partition.is_syncing()) {
                return NextFetch::Later;
            }
            self.syncing.pop_first();
        }
        let changed: Vec<Key> = self.changed.iter().copied().collect();
        let mut asked: BTreeMap<Uuid, Vec<FetchPartition>> = BTreeMap::new();
        let mut is_held_back = false;
        for key in changed {
            let Some(followed) = self.followed.get_mut(&key) else { continue };
            let held_back = followed.is_held_back(throttle, now);
            is_held_back |= held_back;
            let next = if held_back { None } else { followed.partition.poll_fetch(now) };
            if next != followed.sent {
                match &next {
                    Some(from) => {
                        self.forgotten.remove(&key);
                        asked.entry(key.0).or_default().push(wire(key.1, from, terms));
                    }
                    None => _ = self.forgotten.insert(key),
                }
                followed.sent = next;
            }
            if next.is_some() {
                self.changed.remove(&key);
            }
        }
        if self.followed.values().any(|followed| followed.sent.is_some()) {
            self.is_asking = true;
            return NextFetch::Now(self.request(asked, terms));
        }
        if let Some(at) = throttle.free_at(now).filter(|_| is_held_back) {
            // The session is gone on with then.
            return NextFetch::At(at);
        }
        // Whatever the leader's session holds, nobody wants it.
        self.start_over();
        NextFetch::Later
    }

    fn request(
        &mut self,
        asked: BTreeMap<Uuid, Vec<FetchPartition>>,
        terms: FetchTerms,
    ) -> FetchRequest {
        let mut forgotten: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
        for (topic_id, partition) in std::mem::take(&mut self.forgotten) {
            forgotten.entry(topic_id).or_default().push(partition);
        }
        let topic =
            |(topic_id, partitions)| FetchTopic { topic_id, partitions, ..Default::default() };
        let forget =
            |(topic_id, partitions)| ForgottenTopic { topic_id, partitions, ..Default::default() };
        FetchRequest {
            replica_state: ReplicaState {
                replica_id: terms.broker.0,
                replica_epoch: terms.broker_epoch.0,
            },
            max_wait_ms: terms.wait_max_ms,
            min_bytes: terms.bytes_min,
            max_bytes: terms.bytes_max,
            session_id: self.session_id,
            session_epoch: self.session_epoch,
            topics: asked.into_iter().map(topic).collect(),
            forgotten_topics_data: forgotten.into_iter().map(forget).collect(),
            ..Default::default()
        }
    }
}

fn wire(partition: i32, from: &FetchFrom, terms: FetchTerms) -> FetchPartition {
    FetchPartition {
        partition,
        current_leader_epoch: from.leader_epoch.0,
        fetch_offset: from.offset.0,
        last_fetched_epoch: from.last_fetched_epoch.0,
        log_start_offset: from.log_start.0,
        partition_max_bytes: terms.partition_bytes_max,
        ..Default::default()
    }
}
