//! A client that asks who leads after a leader was lost waits until there is another.
//!
//! librdkafka asks at once when it loses a leader, and if a request of its own has failed every now
//! and then until every partition has one; otherwise it looks once a second. So who asks in the
//! moment in which the leader is lost is told that there is none: only where librdkafka has none
//! does a broker that the metadata names no more go without taking the partition's next leader
//! along, until it looks again after a second. Who asks after that waits for the next leader; and
//! nobody is told of a leader of which it will be known in a moment that it is lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metadata::MetadataImage;
use types::{BrokerId, MonoTime};

use crate::metadata_cache::MetadataCache;
use crate::replicas::LostLeaders;
use crate::timers::{Expire, TimerId, Timers};

/// Brokers of which little is heard.
pub struct Unheard {
    /// They lead, and others may soon.
    pub lost: BTreeSet<BrokerId>,
    /// They are out of service, and clients hear of them all the same.
    pub named: BTreeSet<BrokerId>,
    /// It is this broker that hears of nobody.
    pub is_cut_off: bool,
}

impl Unheard {
    pub fn at(now: MonoTime, lost_leaders: &LostLeaders) -> Unheard {
        let is_cut_off = lost_leaders.is_cut_off(now);
        let lost = if is_cut_off { BTreeSet::new() } else { lost_leaders.at(now) };
        Unheard { lost, named: lost_leaders.named_still(now), is_cut_off }
    }
}

/// What a client wants to know.
pub trait MetadataQuestion: Send {
    /// Whether the answer would have to do with one of these leaders, and there may be another.
    fn names_any(&self, image: &MetadataImage, leaders: &BTreeSet<BrokerId>) -> bool;

    fn answer(self: Box<Self>, image: &MetadataImage, unheard: Unheard);
}

/// The waiting itself.
pub struct MetadataWait {
    lost: Arc<LostLeaders>,
    metadata: Arc<MetadataCache>,
    timers: Arc<Timers>,
    /// Not answered before: what the client has noticed may be known here in a moment.
    look_at: MonoTime,
    /// Answered then, whatever is known.
    deadline: MonoTime,
    state: Mutex<State>,
}

struct State {
    question: Option<Box<dyn MetadataQuestion>>,
    timer: Option<TimerId>,
}

impl MetadataWait {
    /// Answers `question` once `look_at` has come and no leader in the answer is a lost one, or at
    /// `deadline`.
    pub fn park(
        lost: &Arc<LostLeaders>,
        metadata: &Arc<MetadataCache>,
        timers: &Arc<Timers>,
        question: Box<dyn MetadataQuestion>,
        (now, look_at, deadline): (MonoTime, MonoTime, MonoTime),
    ) {
        let state = Mutex::new(State { question: Some(question), timer: None });
        let (lost, metadata, timers) = (Arc::clone(lost), Arc::clone(metadata), Arc::clone(timers));
        let wait = Arc::new(MetadataWait { lost, metadata, timers, look_at, deadline, state });
        wait.lost.add_waiting(Arc::downgrade(&wait));
        let timer = wait.timers.register(look_at.min(deadline), Arc::clone(&wait) as _);
        let mut state = wait.lock();
        if state.question.is_some() && state.timer.is_none() {
            state.timer = Some(timer);
        }
        drop(state);
        // What was published before it waited has woken nobody.
        wait.look(now);
    }

    /// Something has changed: other leaders, or one that was lost is there again, or it is this
    /// broker that is cut off.
    pub fn look(self: &Arc<Self>, now: MonoTime) {
        if now < self.look_at {
            return;
        }
        let (unheard, image) = (Unheard::at(now, &self.lost), self.metadata.image());
        let mut state = self.lock();
        // To whoever is cut off nobody will tell who leads next.
        let waits = now < self.deadline && !unheard.is_cut_off;
        match &state.question {
            None => return,
            Some(question) if waits && question.names_any(&image, &unheard.lost) => return,
            Some(_) => {}
        }
        let (question, timer) = (state.question.take(), state.timer.take());
        drop(state);
        if let Some(timer) = timer {
            self.timers.cancel(timer);
        }
        self.lost.remove_waiting(self);
        if let Some(question) = question {
            question.answer(&image, unheard);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expire for MetadataWait {
    fn expire(self: Arc<Self>, now: MonoTime) {
        self.lock().timer = None;
        self.look(now);
        let mut state = self.lock();
        if state.question.is_some() {
            state.timer = Some(self.timers.register(self.deadline, Arc::clone(&self) as _));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cluster::Isolation;

    const LOST: BrokerId = BrokerId(3);
    const ASKED: MonoTime = MonoTime(1_000_000_000);

    /// Names broker 3 in the first image, and not in another.
    struct Question {
        first: Arc<MetadataImage>,
        told: Arc<Mutex<Vec<bool>>>,
    }

    impl MetadataQuestion for Question {
        fn names_any(&self, image: &MetadataImage, leaders: &BTreeSet<BrokerId>) -> bool {
            std::ptr::eq(image, &*self.first) && leaders.contains(&LOST)
        }

        fn answer(self: Box<Self>, image: &MetadataImage, _: Unheard) {
            self.told.lock().expect("one thread").push(std::ptr::eq(image, &*self.first));
        }
    }

    struct World {
        lost: Arc<LostLeaders>,
        metadata: Arc<MetadataCache>,
        timers: Arc<Timers>,
        told: Arc<Mutex<Vec<bool>>>,
    }

    fn at(ms: u64) -> MonoTime {
        ASKED.plus(Duration::from_millis(ms))
    }

    /// Asked at 0; looks at 10, and waits no longer than until 500.
    fn asked() -> World {
        let (world, question) = world();
        world.park(question, 10, 500);
        world
    }

    fn world() -> (World, Question) {
        let first = Arc::new(MetadataImage::empty());
        let metadata = Arc::new(MetadataCache::new(Arc::clone(&first)));
        let lost = Arc::new(LostLeaders::new(Arc::new(Isolation::of_one_alone())));
        let (timers, told) = (Arc::default(), Arc::default());
        let question = Question { first, told: Arc::clone(&told) };
        (World { lost, metadata, timers, told }, question)
    }

    impl World {
        fn park(&self, question: Question, look_at: u64, deadline: u64) {
            let World { lost, metadata, timers, .. } = self;
            let times = (ASKED, at(look_at), at(deadline));
            MetadataWait::park(lost, metadata, timers, Box::new(question), times);
        }

        fn publish(&self) {
            self.metadata.publish(Arc::new(MetadataImage::empty()));
        }

        /// For each answer up to `ms`, whether it was from the first image.
        fn told(&self, ms: u64) -> Vec<bool> {
            self.timers.expire(at(ms));
            self.told.lock().expect("one thread").clone()
        }
    }

    #[test]
    fn where_nobody_is_lost_it_is_answered_a_moment_later() {
        let world = asked();
        assert_eq!(world.told(9), []);
        assert_eq!(world.told(10), [true]);
        assert_eq!(world.told(600), [true], "once");
        assert_eq!(world.timers.next_deadline(), None);
    }

    #[test]
    fn who_is_lost_meanwhile_is_waited_for_until_another_leads() {
        let world = asked();
        world.lost.note_lost(LOST, at(5));
        assert_eq!(world.told(10), []);
        world.publish();
        world.lost.handle_new_leaders(at(120));
        assert_eq!(world.told(120), [false]);
        assert_eq!(world.timers.next_deadline(), None);
    }

    #[test]
    fn who_has_been_replaced_between_the_question_and_the_waiting_is_not_waited_for() {
        let (world, question) = world();
        world.lost.note_lost(LOST, ASKED);
        world.publish();
        world.lost.handle_new_leaders(ASKED);
        world.park(question, 0, 500);
        assert_eq!(world.told(0), [false]);
    }

    #[test]
    fn who_is_heard_of_again_leads_still() {
        let world = asked();
        world.lost.note_lost(LOST, at(5));
        assert_eq!(world.told(10), []);
        world.lost.note_heard(LOST, at(40));
        assert_eq!(world.told(40), [true]);
    }

    #[test]
    fn nobody_waits_for_ever() {
        let world = asked();
        world.lost.note_lost(LOST, at(5));
        assert_eq!(world.told(499), []);
        assert_eq!(world.told(500), [true]);
    }
}
