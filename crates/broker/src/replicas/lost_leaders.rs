use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use types::{BrokerId, MonoTime};

use crate::cluster::Isolation;
use crate::limits::{LEADER_JUST_LOST, LEADER_LOST_FOR_MAX, SILENT_NAMED_FOR};
use crate::metadata_wait::MetadataWait;

/// Leaders whose connection to a follower here has just ended, or who owe it an answer, while the
/// metadata still names them.
///
/// A client that asks who leads, told the one it has just lost, believes it: librdkafka stops its
/// quick queries once every partition has a leader, and next looks after a second. Told that there
/// is no leader it asks again soon. So for a moment, until the controller has decided, there is
/// none. A client that begins while a leader is frozen or cut off would go to it, and wait.
///
/// This is advice for clients and nothing else. A leader that lives is heard of again with the next
/// fetch, or after [`LEADER_LOST_FOR_MAX`].
pub struct LostLeaders {
    isolation: Arc<Isolation>,
    leaders: Mutex<BTreeMap<BrokerId, Heard>>,
    /// A [`MonoTime`], if there is any: no leader is lost before then.
    earliest: AtomicU64,
    /// Fenced for their silence, and until when clients hear of them.
    silent: Mutex<BTreeMap<BrokerId, MonoTime>>,
    /// Until when clients hear of any of them. Read by every request for metadata.
    silent_until: AtomicU64,
    /// Who would be told of a leader that is lost. They live until their deadline.
    waiting: Mutex<Vec<Weak<MetadataWait>>>,
}

const NEVER: u64 = 0;

/// Since it was last heard.
#[derive(Clone, Copy, Default)]
struct Heard {
    lost: Option<MonoTime>,
    answer_due: Option<MonoTime>,
}

impl Heard {
    fn lost_since(&self) -> Option<MonoTime> {
        self.lost.into_iter().chain(self.answer_due).min()
    }
}

impl LostLeaders {
    pub fn new(isolation: Arc<Isolation>) -> LostLeaders {
        LostLeaders {
            isolation,
            leaders: Mutex::default(),
            earliest: AtomicU64::new(NEVER),
            silent: Mutex::default(),
            silent_until: AtomicU64::new(NEVER),
            waiting: Mutex::default(),
        }
    }

    /// Whether it is this broker that is lost: then it knows of no other.
    pub fn is_cut_off(&self, now: MonoTime) -> bool {
        self.isolation.is_on(now)
    }

    /// A connection to `leader` has ended, or nobody listens there.
    pub fn note_lost(&self, leader: BrokerId, now: MonoTime) {
        self.change(leader, |heard| _ = heard.lost.get_or_insert(now));
    }

    /// `leader` has been asked for something and should have answered by `due`.
    pub fn note_asked(&self, leader: BrokerId, due: MonoTime) {
        self.change(leader, |heard| _ = heard.answer_due.get_or_insert(due));
    }

    /// `leader` has answered.
    pub fn note_heard(&self, leader: BrokerId, now: MonoTime) {
        let before = self.change(leader, |heard| *heard = Heard::default());
        if before.lost_since().is_some_and(|since| since <= now) {
            self.waiting().iter().for_each(|waiting| waiting.look(now));
        }
    }

    /// Returns what was there before.
    fn change(&self, leader: BrokerId, change: impl FnOnce(&mut Heard)) -> Heard {
        let mut leaders = self.lock();
        let heard = leaders.entry(leader).or_default();
        let before = *heard;
        change(heard);
        let earliest = leaders.values().filter_map(Heard::lost_since).min();
        self.earliest.store(earliest.map_or(NEVER, |at| at.0), Ordering::Release);
        before
    }

    /// `broker` is out of service from now on.
    ///
    /// Who was merely silent may be reached by clients still, and sends them away: its partitions
    /// go over to their next leaders at once only if the answer that names those names it, too.
    /// librdkafka takes what a broker has that is named no more to nobody, for a second. One that
    /// is gone is not named: librdkafka would go on connecting to it, ever less often.
    pub fn note_fenced(&self, broker: BrokerId, now: MonoTime) {
        let heard = self.lock().get(&broker).copied().unwrap_or_default();
        if heard.lost.is_none() && heard.answer_due.is_some() {
            let until = now.plus(SILENT_NAMED_FOR);
            lock(&self.silent).insert(broker, until);
            self.silent_until.fetch_max(until.0, Ordering::AcqRel);
        }
    }

    /// Of the brokers that are out of service, those that clients hear of.
    pub fn named_still(&self, now: MonoTime) -> BTreeSet<BrokerId> {
        if now.0 >= self.silent_until.load(Ordering::Acquire) {
            return BTreeSet::new();
        }
        let mut silent = lock(&self.silent);
        silent.retain(|_, until| now < *until);
        silent.keys().copied().collect()
    }

    /// Others may lead now, or this broker may lead no more.
    pub fn handle_new_leaders(&self, now: MonoTime) {
        self.waiting().iter().for_each(|waiting| waiting.look(now));
    }

    pub fn add_waiting(&self, waiting: Weak<MetadataWait>) {
        lock(&self.waiting).push(waiting);
    }

    pub fn remove_waiting(&self, waiting: &Arc<MetadataWait>) {
        lock(&self.waiting).retain(|other| other.as_ptr() != Arc::as_ptr(waiting));
    }

    fn waiting(&self) -> Vec<Arc<MetadataWait>> {
        lock(&self.waiting).iter().filter_map(Weak::upgrade).collect()
    }

    /// Those lost a moment ago.
    pub fn at(&self, now: MonoTime) -> BTreeSet<BrokerId> {
        self.lost_for(now, Duration::ZERO)
    }

    /// Those of whom clients have been told by `now`.
    pub fn lost_before(&self, now: MonoTime) -> BTreeSet<BrokerId> {
        self.lost_for(now, LEADER_JUST_LOST)
    }

    fn lost_for(&self, now: MonoTime, least: Duration) -> BTreeSet<BrokerId> {
        let earliest = self.earliest.load(Ordering::Acquire);
        if earliest == NEVER || now.0 < earliest {
            return BTreeSet::new();
        }
        let leaders = self.lock();
        let is_lost =
            |since: MonoTime| now >= since.plus(least) && now.since(since) < LEADER_LOST_FOR_MAX;
        let lost = leaders.iter().filter(|(_, heard)| heard.lost_since().is_some_and(is_lost));
        lost.map(|(leader, _)| *leader).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BrokerId, Heard>> {
        lock(&self.leaders)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEADER: BrokerId = BrokerId(2);
    const THEN: MonoTime = MonoTime(1_000_000_000);

    fn unheard() -> LostLeaders {
        LostLeaders::new(Arc::new(Isolation::of_one_alone()))
    }

    #[test]
    fn a_leader_is_lost_until_it_is_heard_of_again() {
        let lost = unheard();
        lost.note_lost(LEADER, THEN);
        assert_eq!(lost.at(THEN), BTreeSet::from([LEADER]));
        lost.note_heard(BrokerId(3), THEN);
        assert_eq!(lost.at(THEN), BTreeSet::from([LEADER]));
        lost.note_heard(LEADER, THEN);
        assert_eq!(lost.at(THEN), BTreeSet::new());
    }

    #[test]
    fn who_stays_lost_and_leads_is_named_again_after_a_moment_however_often_it_is_tried() {
        let lost = unheard();
        lost.note_lost(LEADER, THEN);
        let later = THEN.plus(LEADER_LOST_FOR_MAX);
        lost.note_lost(LEADER, later);
        assert_eq!(lost.at(later), BTreeSet::new());
        let just_before = MonoTime(later.0 - Duration::from_millis(1).as_nanos() as u64);
        assert_eq!(lost.at(just_before), BTreeSet::from([LEADER]));
    }

    #[test]
    fn who_is_fenced_for_its_silence_is_named_for_a_moment_and_who_is_gone_is_not() {
        let lost = unheard();
        let (silent, gone, unknown) = (LEADER, BrokerId(3), BrokerId(4));
        lost.note_asked(silent, THEN);
        lost.note_asked(gone, THEN);
        lost.note_lost(gone, THEN);
        [silent, gone, unknown].iter().for_each(|broker| lost.note_fenced(*broker, THEN));
        assert_eq!(lost.named_still(THEN), BTreeSet::from([silent]));
        assert_eq!(lost.named_still(THEN.plus(SILENT_NAMED_FOR)), BTreeSet::new());
    }

    #[test]
    fn who_owes_an_answer_is_lost_once_it_is_due_until_it_comes() {
        let lost = unheard();
        let at = |ms| THEN.plus(Duration::from_millis(ms));
        lost.note_asked(LEADER, at(800));
        // Asked again, for the first has timed out, it owes the first answer still.
        lost.note_asked(LEADER, at(900));
        assert_eq!(lost.at(at(799)), BTreeSet::new());
        assert_eq!(lost.at(at(800)), BTreeSet::from([LEADER]));
        assert_eq!(lost.lost_before(at(829)), BTreeSet::new());
        assert_eq!(lost.lost_before(at(830)), BTreeSet::from([LEADER]));
        lost.note_heard(LEADER, at(840));
        assert_eq!(lost.at(at(840)), BTreeSet::new());
        lost.note_asked(LEADER, at(1_640));
        assert_eq!(lost.at(at(1_639)), BTreeSet::new());
    }
}
