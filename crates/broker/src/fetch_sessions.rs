//! Incremental fetch sessions (KIP-227): a client names its partitions once, then only changes.
//!
//! Source: Kafka `FetchSession`, `FetchContext`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Duration;

use protocol::Str;
use types::{ErrorCode, MonoTime, Uuid};

use crate::fetch_changes::{FetchChanges, PartitionKey};
use crate::limits::FETCH_SESSION_EVICTION_IDLE;

/// Epoch of a request that opens a session.
const INITIAL_EPOCH: i32 = 0;
/// Epoch of a request that closes its session, or wants none.
const FINAL_EPOCH: i32 = -1;

/// A topic as the request named it: by id from Fetch v13, by name before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FetchTopic {
    Name(Str),
    Id(Uuid),
}

/// One partition a client wants to read, and from where.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchTarget {
    pub topic: FetchTopic,
    /// The name of a topic that came by id, as of then; in a session it is remembered.
    pub name: Option<Str>,
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    pub last_fetched_epoch: i32,
    /// Where a follower's log starts.
    pub log_start: i64,
    pub bytes_max: i32,
}

impl FetchTarget {
    fn key(&self) -> Key {
        (self.topic.clone(), self.partition)
    }

    /// A copy that does not keep the request's frame in memory: a session outlives it.
    fn detached(&self) -> FetchTarget {
        let topic = match &self.topic {
            FetchTopic::Name(name) => FetchTopic::Name(name.detached()),
            FetchTopic::Id(id) => FetchTopic::Id(*id),
        };
        FetchTarget { topic, name: self.name.as_ref().map(Str::detached), ..self.clone() }
    }
}

/// What the client was last told of a partition. Any difference is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionNews {
    pub error: i16,
    /// The client's log is not the one here: it takes nothing else from this answer.
    pub diverges: bool,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
}

#[derive(Debug)]
struct Cached {
    target: FetchTarget,
    told: Option<PartitionNews>,
}

type Key = (FetchTopic, i32);

/// Of a follower's session.
#[derive(Debug)]
struct Changes {
    noted: Arc<FetchChanges>,
    /// When all partitions were looked at last.
    looked_at: MonoTime,
}

#[derive(Debug)]
struct Session {
    id: i32,
    next_epoch: i32,
    by_topic_id: bool,
    last_used: MonoTime,
    partitions: BTreeMap<Key, Cached>,
    /// The first partition of the next response, so that a full response starves nobody.
    turn: usize,
    /// What there is to tell, if it is known without looking at all partitions.
    changes: Option<Changes>,
}

/// The sessions of a broker, at most `slots` of them.
#[doc(alias = "FetchSessionCache")]
#[derive(Debug)]
pub struct FetchSessions {
    slots: usize,
    cache: Mutex<BTreeMap<i32, Arc<Mutex<Session>>>>,
}

/// One fetch in the light of its session: what to read, and later what of it is news.
#[derive(Debug)]
pub struct FetchContext {
    pub targets: Vec<FetchTarget>,
    session: Option<Arc<Mutex<Session>>>,
    /// Zero: no session.
    pub session_id: i32,
    is_incremental: bool,
    changes: Option<ChangesSeen>,
    /// In the session, or in the request if there is none.
    pub partition_count: usize,
}

/// The changes of a session, and how many bytes had come by when they were taken for this fetch.
#[derive(Clone, Debug)]
pub struct ChangesSeen {
    pub changes: Arc<FetchChanges>,
    appended_bytes: u64,
}

impl ChangesSeen {
    /// Bytes that came to the session's partitions since then.
    pub fn missed_bytes(&self) -> usize {
        self.changes.appended_bytes().saturating_sub(self.appended_bytes) as usize
    }
}

/// The session part of a Fetch request.
#[derive(Debug)]
pub struct SessionRequest {
    pub session_id: i32,
    pub session_epoch: i32,
    pub by_topic_id: bool,
    pub targets: Vec<FetchTarget>,
    pub forgotten: Vec<Key>,
    /// Of a follower: how often all of its partitions are looked at, those too of which no change
    /// is known. In between a fetch costs what has changed. `None`: every time.
    pub look_at_all_every: Option<Duration>,
}

impl FetchSessions {
    pub fn new(slots: usize) -> FetchSessions {
        FetchSessions { slots, cache: Mutex::default() }
    }

    /// Finds, opens or closes the session that the request speaks of.
    ///
    /// # Errors
    /// `FETCH_SESSION_ID_NOT_FOUND`, `INVALID_FETCH_SESSION_EPOCH`, `FETCH_SESSION_TOPIC_ID_ERROR`:
    /// the client starts over with a full fetch.
    pub fn begin(
        &self,
        request: SessionRequest,
        now: MonoTime,
        random: impl FnOnce() -> u64,
    ) -> Result<FetchContext, ErrorCode> {
        match request.session_epoch {
            FINAL_EPOCH => {
                self.lock().remove(&request.session_id);
                Ok(FetchContext::without_session(request.targets))
            }
            INITIAL_EPOCH => {
                self.lock().remove(&request.session_id);
                Ok(self.open(request, now, random()))
            }
            _ => self.resume(request, now),
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().len()
    }

    fn open(&self, request: SessionRequest, now: MonoTime, random: u64) -> FetchContext {
        let mut cache = self.lock();
        if request.targets.is_empty() || !make_room(&mut cache, self.slots, now) {
            return FetchContext::without_session(request.targets);
        }
        let mut id = ((random >> 33) as i32).max(1);
        while cache.contains_key(&id) {
            id = if id == i32::MAX { 1 } else { id + 1 };
        }
        let cached = |target: &FetchTarget| {
            let target = target.detached();
            (target.key(), Cached { target, told: None })
        };
        let session = Arc::new(Mutex::new(Session {
            id,
            next_epoch: 1,
            by_topic_id: request.by_topic_id,
            last_used: now,
            partitions: request.targets.iter().map(cached).collect(),
            turn: 0,
            changes: None,
        }));
        cache.insert(id, Arc::clone(&session));
        let (changes, _) = lock(&session).take_changes(request.look_at_all_every, now);
        FetchContext {
            partition_count: request.targets.len(),
            targets: request.targets,
            session: Some(session),
            session_id: id,
            is_incremental: false,
            changes,
        }
    }

    fn resume(&self, request: SessionRequest, now: MonoTime) -> Result<FetchContext, ErrorCode> {
        let found = self.lock().get(&request.session_id).cloned();
        let shared = found.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let mut session = lock(&shared);
        if session.by_topic_id != request.by_topic_id {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        if session.next_epoch != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        session.next_epoch =
            if session.next_epoch == i32::MAX { 1 } else { session.next_epoch + 1 };
        session.last_used = now;
        let named: BTreeSet<Key> = request.targets.iter().map(FetchTarget::key).collect();
        session.update(request.targets, &request.forgotten);
        if session.partitions.is_empty() {
            // Nothing is left to remember, and the answer says that the session is over.
            drop(session);
            self.lock().remove(&request.session_id);
            return Ok(FetchContext::without_session(Vec::new()));
        }
        let (changes, changed) = session.take_changes(request.look_at_all_every, now);
        let targets = match changed {
            Some(changed) => session.some_in_turn(named, changed),
            None => session.all_in_turn(),
        };
        let (session_id, partition_count) = (session.id, session.partitions.len());
        drop(session);
        let session = Some(shared);
        let is_incremental = true;
        Ok(FetchContext { targets, session, session_id, is_incremental, changes, partition_count })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Arc<Mutex<Session>>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if a session may be added, after evicting the one unused for longest if it is stale.
fn make_room(cache: &mut BTreeMap<i32, Arc<Mutex<Session>>>, slots: usize, now: MonoTime) -> bool {
    if cache.len() < slots {
        return true;
    }
    let oldest = cache.iter().map(|(id, session)| (lock(session).last_used, *id)).min();
    match oldest {
        Some((last_used, id)) if now.since(last_used) >= FETCH_SESSION_EVICTION_IDLE => {
            cache.remove(&id);
            true
        }
        _ => false,
    }
}

impl Cached {
    fn update(&mut self, target: &FetchTarget) {
        if self.target.current_leader_epoch != target.current_leader_epoch {
            // A follower drops what it asked for in another reign: it may never have taken in what
            // it was told last. Kafka's `CachedPartition` goes on from it.
            self.told = None;
        }
        self.target = target.detached();
    }
}

impl Session {
    fn update(&mut self, targets: Vec<FetchTarget>, forgotten: &[Key]) {
        for target in targets {
            let key = target.key();
            match self.partitions.get_mut(&key) {
                Some(cached) => cached.update(&target),
                None => {
                    let target = target.detached();
                    let key = target.key();
                    self.partitions.insert(key, Cached { target, told: None });
                }
            }
        }
        for key in forgotten {
            self.partitions.remove(key);
        }
    }

    /// Where changes are noted, if they are, and the partitions that have changed; `None` if all
    /// are to be looked at.
    fn take_changes(
        &mut self,
        look_at_all_every: Option<Duration>,
        now: MonoTime,
    ) -> (Option<ChangesSeen>, Option<BTreeSet<PartitionKey>>) {
        let Some(every) = look_at_all_every else {
            self.changes = None;
            return (None, None);
        };
        let is_first = self.changes.is_none();
        let begin = || Changes { noted: Arc::default(), looked_at: now };
        let Changes { noted, looked_at } = self.changes.get_or_insert_with(begin);
        let (changed, appended_bytes) = noted.take();
        let seen = ChangesSeen { changes: Arc::clone(noted), appended_bytes };
        if is_first || now.since(*looked_at) >= every {
            *looked_at = now;
            return (Some(seen), None);
        }
        (Some(seen), Some(changed))
    }

    fn all_in_turn(&mut self) -> Vec<FetchTarget> {
        let targets = self.partitions.values().map(|cached| cached.target.clone()).collect();
        self.in_turn(targets)
    }

    /// Those that the request names, and those of which there is something to tell.
    fn some_in_turn(
        &mut self,
        mut keys: BTreeSet<Key>,
        changed: BTreeSet<PartitionKey>,
    ) -> Vec<FetchTarget> {
        keys.extend(
            changed.into_iter().map(|(topic, partition)| (FetchTopic::Id(topic), partition)),
        );
        let targets = self.targets(&keys);
        self.in_turn(targets)
    }

    fn targets(&self, keys: &BTreeSet<Key>) -> Vec<FetchTarget> {
        let cached = keys.iter().filter_map(|key| self.partitions.get(key));
        cached.map(|cached| cached.target.clone()).collect()
    }

    fn in_turn(&mut self, mut targets: Vec<FetchTarget>) -> Vec<FetchTarget> {
        if !targets.is_empty() {
            self.turn %= targets.len();
            targets.rotate_left(self.turn);
            self.turn += 1;
        }
        targets
    }
}

impl FetchContext {
    fn without_session(targets: Vec<FetchTarget>) -> FetchContext {
        let partition_count = targets.len();
        let (session, session_id, is_incremental, changes) = (None, 0, false, None);
        FetchContext { targets, session, session_id, is_incremental, changes, partition_count }
    }

    /// Where changes of the session are noted, if they are.
    pub fn changes(&self) -> Option<&ChangesSeen> {
        self.changes.as_ref()
    }

    /// After a wait: adds those that have changed meanwhile.
    pub fn take_changes(&mut self) {
        let (Some(session), Some(seen)) = (&self.session, &self.changes) else { return };
        let (changed, _) = seen.changes.take();
        if changed.is_empty() {
            return;
        }
        let held: BTreeSet<Key> = self.targets.iter().map(FetchTarget::key).collect();
        let changed = changed.into_iter().map(|(topic, index)| (FetchTopic::Id(topic), index));
        let more: BTreeSet<Key> = changed.filter(|key| !held.contains(key)).collect();
        self.targets.extend(lock(session).targets(&more));
    }

    /// There is more to tell of the partition than this answer does.
    pub fn look_again_at(&self, target: &FetchTarget) {
        if let (Some(seen), FetchTopic::Id(topic)) = (&self.changes, &target.topic) {
            seen.changes.note((*topic, target.partition), 0);
        }
    }

    /// True if the partition belongs in the response: always in a full one; in an incremental one
    /// only with records, an error, or offsets the client has not been told.
    pub fn is_news(&self, target: &FetchTarget, news: PartitionNews, has_records: bool) -> bool {
        let Some(session) = &self.session else { return true };
        let mut session = lock(session);
        let Some(cached) = session.partitions.get_mut(&target.key()) else {
            return true;
        };
        let changed = cached.told != Some(news);
        // An error is told every time: the client must not believe it went away. Whose log
        // diverges has to be told the rest again once it has cut it.
        cached.told = (news.error == 0 && !news.diverges).then_some(news);
        !self.is_incremental || changed || has_records
    }
}

fn lock(session: &Arc<Mutex<Session>>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(partition: i32, fetch_offset: i64) -> FetchTarget {
        FetchTarget {
            topic: FetchTopic::Name("t".into()),
            name: None,
            partition,
            current_leader_epoch: -1,
            fetch_offset,
            last_fetched_epoch: -1,
            log_start: -1,
            bytes_max: 1000,
        }
    }

    fn request(id: i32, epoch: i32, targets: Vec<FetchTarget>) -> SessionRequest {
        SessionRequest {
            session_id: id,
            session_epoch: epoch,
            by_topic_id: false,
            targets,
            forgotten: Vec::new(),
            look_at_all_every: None,
        }
    }

    fn news(high_watermark: i64) -> PartitionNews {
        let (last_stable_offset, log_start_offset) = (0, 0);
        PartitionNews {
            error: 0,
            diverges: false,
            high_watermark,
            last_stable_offset,
            log_start_offset,
        }
    }

    #[test]
    fn an_incremental_fetch_remembers_partitions_and_answers_only_news() {
        let sessions = FetchSessions::new(10);
        let full = request(0, 0, vec![target(0, 5), target(1, 7)]);
        let opened = sessions.begin(full, MonoTime(0), || 1 << 40).expect("opens");
        assert!(opened.is_news(&target(0, 5), news(5), false), "a full response has everything");
        opened.is_news(&target(1, 7), news(7), false);

        let next = request(opened.session_id, 1, vec![target(1, 8)]);
        let next = sessions.begin(next, MonoTime(1), || 0).expect("resumes");
        assert_eq!(next.targets.len(), 2);
        assert!(next.targets.contains(&target(1, 8)), "the changed offset is used");
        assert!(!next.is_news(&target(0, 5), news(5), false));
        assert!(next.is_news(&target(0, 5), news(6), false), "the high watermark moved");
        assert!(next.is_news(&target(1, 8), news(7), true), "records are always news");
    }

    #[test]
    fn errors_are_told_again_and_recovery_is_news() {
        let sessions = FetchSessions::new(10);
        let opened =
            sessions.begin(request(0, 0, vec![target(0, 5)]), MonoTime(0), || 0).expect("opens");
        let error = PartitionNews { error: 6, ..news(5) };
        assert!(opened.is_news(&target(0, 5), error, false));
        let next =
            sessions.begin(request(opened.session_id, 1, vec![]), MonoTime(0), || 0).expect("ok");
        assert!(next.is_news(&target(0, 5), error, false));
        assert!(next.is_news(&target(0, 5), news(5), false));
        assert!(!next.is_news(&target(0, 5), news(5), false));
    }

    #[test]
    fn whose_leader_epoch_has_changed_is_told_again_what_it_may_have_dropped() {
        let sessions = FetchSessions::new(10);
        let of_reign = |epoch| FetchTarget { current_leader_epoch: epoch, ..target(0, 5) };
        let resume = |epoch, targets| {
            sessions.begin(request(1, epoch, targets), MonoTime(0), || 0).expect("resumes")
        };
        let full = request(0, 0, vec![of_reign(3)]);
        let opened = sessions.begin(full, MonoTime(0), || 0).expect("opens");
        assert!(opened.is_news(&of_reign(3), news(5), false));
        assert!(!resume(1, vec![]).is_news(&of_reign(3), news(5), false));
        assert!(resume(2, vec![of_reign(4)]).is_news(&of_reign(4), news(5), false));
        assert!(!resume(3, vec![]).is_news(&of_reign(4), news(5), false));
    }

    #[test]
    fn whose_log_diverges_is_told_the_high_watermark_again_once_it_has_cut_it() {
        let sessions = FetchSessions::new(10);
        let resume = |epoch, targets| {
            sessions.begin(request(1, epoch, targets), MonoTime(0), || 0).expect("resumes")
        };
        let full = request(0, 0, vec![target(0, 7)]);
        let opened = sessions.begin(full, MonoTime(0), || 0).expect("opens");
        let diverging = PartitionNews { diverges: true, ..news(5) };
        assert!(opened.is_news(&target(0, 7), diverging, false));
        assert!(resume(1, vec![]).is_news(&target(0, 7), diverging, false));
        assert!(resume(2, vec![target(0, 5)]).is_news(&target(0, 5), news(5), false));
        assert!(!resume(3, vec![]).is_news(&target(0, 5), news(5), false));
    }

    #[test]
    fn wrong_epochs_ids_and_topic_naming_make_the_client_start_over() {
        let sessions = FetchSessions::new(10);
        let id = sessions
            .begin(request(0, 0, vec![target(0, 5)]), MonoTime(0), || 0)
            .expect("opens")
            .session_id;
        let wrong_epoch = sessions.begin(request(id, 2, vec![]), MonoTime(0), || 0);
        assert_eq!(wrong_epoch.err(), Some(ErrorCode::InvalidFetchSessionEpoch));
        let unknown = sessions.begin(request(id + 1, 1, vec![]), MonoTime(0), || 0);
        assert_eq!(unknown.err(), Some(ErrorCode::FetchSessionIdNotFound));
        let by_id = SessionRequest { by_topic_id: true, ..request(id, 1, vec![]) };
        let by_id = sessions.begin(by_id, MonoTime(0), || 0);
        assert_eq!(by_id.err(), Some(ErrorCode::FetchSessionTopicIdError));
        sessions.begin(request(id, -1, vec![]), MonoTime(0), || 0).expect("closes");
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn a_full_cache_evicts_only_stale_sessions() {
        let sessions = FetchSessions::new(1);
        let open = |now| {
            sessions
                .begin(request(0, 0, vec![target(0, 5)]), now, || 0)
                .expect("answers")
                .session_id
        };
        assert_ne!(open(MonoTime(0)), 0);
        assert_eq!(open(MonoTime(1)), 0, "no slot: served without a session");
        assert_ne!(open(MonoTime(0).plus(FETCH_SESSION_EVICTION_IDLE)), 0);
        assert_eq!(sessions.len(), 1);
    }

    #[test]
    fn forgotten_partitions_are_read_no_more() {
        let sessions = FetchSessions::new(1);
        let full = request(0, 0, vec![target(0, 5), target(1, 5)]);
        let id = sessions.begin(full, MonoTime(0), || 0).expect("opens").session_id;
        let forgotten = vec![(FetchTopic::Name("t".into()), 0)];
        let next = SessionRequest { forgotten, ..request(id, 1, vec![]) };
        let next = sessions.begin(next, MonoTime(0), || 0).expect("resumes");
        assert_eq!(next.targets, [target(1, 5)]);
    }
}
