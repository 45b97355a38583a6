//! Followers that are about to fetch more from this leader than they know of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use metadata::{LocalPartition, MetadataImage};
use types::{BrokerId, MonoTime};

use crate::fetch_changes::WakeFetch;
use crate::limits::{FOLLOWERS_EXPECTED_FOR, FOLLOWERS_EXPECTED_WAIT_MAX};

/// The fetches of followers that wait here, and of whom another is expected soon.
///
/// A follower has one fetch at a time on its way to a leader. While that waits at an idle one it
/// cannot ask for what has just come to be led there, and who writes to that would wait as long
/// (`replica.fetch.wait.max.ms`). So the leader answers at once when it comes to lead, and as it
/// may have heard of that before the follower, lets the next fetches not wait for long either.
#[derive(Default)]
pub struct ExpectedFollowers(Mutex<State>);

#[derive(Default)]
struct State {
    /// Of the brokers that there have been.
    until: BTreeMap<BrokerId, MonoTime>,
    /// The last fetch of each follower that had to wait.
    waiting: BTreeMap<BrokerId, Weak<dyn WakeFetch>>,
}

impl ExpectedFollowers {
    /// Broker `here` leads these, and `before` they may have been led elsewhere or kept by others.
    pub fn note_led(
        &self,
        led: &[LocalPartition],
        before: &MetadataImage,
        here: BrokerId,
        now: MonoTime,
    ) {
        let mut followers = BTreeSet::new();
        for led in led.iter().filter(|led| is_news(led, before)) {
            followers.extend(led.image.replicas.iter().filter(|id| **id != here).copied());
        }
        if followers.is_empty() {
            return;
        }
        let until = now.plus(FOLLOWERS_EXPECTED_FOR);
        let mut state = self.lock();
        state.until.extend(followers.iter().map(|follower| (*follower, until)));
        let waiting: Vec<_> = followers.iter().filter_map(|id| state.waiting.remove(id)).collect();
        drop(state);
        waiting.iter().filter_map(Weak::upgrade).for_each(WakeFetch::complete);
    }

    /// From now on `fetch` of `follower` waits. `Some` if it is not to wait for longer than that.
    pub fn note_waiting(
        &self,
        follower: BrokerId,
        fetch: Weak<dyn WakeFetch>,
        now: MonoTime,
    ) -> Option<MonoTime> {
        let mut state = self.lock();
        state.waiting.insert(follower, fetch);
        let is_expected = state.until.get(&follower).is_some_and(|until| *until > now);
        is_expected.then(|| now.plus(FOLLOWERS_EXPECTED_WAIT_MAX))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody may have to follow who did not, or does so in another reign.
fn is_news(led: &LocalPartition, before: &MetadataImage) -> bool {
    let was = before.topics.by_id(led.topic_id).and_then(|topic| topic.partition(led.index));
    was.is_none_or(|was| {
        (was.leader_epoch, &was.replicas) != (led.image.leader_epoch, &led.image.replicas)
    })
}
