use std::time::Duration;

use types::{BrokerEpoch, BrokerId, MonoTime, Offset};

use crate::FollowerFetch;

/// What the leader knows of a follower: what its last fetch said.
#[doc(alias = "Replica")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RemoteReplica {
    pub(crate) id: BrokerId,
    /// Of the follower's last fetch.
    pub(crate) broker_epoch: BrokerEpoch,
    /// `None` until it has fetched under this leader.
    pub(crate) log_end: Option<Offset>,
    pub(crate) log_start: Offset,
    /// The last moment at which it is known to have had everything.
    caught_up_at: Option<MonoTime>,
    /// Its last fetch, and where the leader's log ended then.
    last_fetch: Option<(MonoTime, Offset)>,
}

impl RemoteReplica {
    /// A replica in sync at the election is given the time to show it.
    pub(crate) fn new(id: BrokerId, in_sync_since: Option<MonoTime>) -> RemoteReplica {
        RemoteReplica {
            id,
            broker_epoch: BrokerEpoch::NONE,
            log_end: None,
            log_start: Offset::NONE,
            caught_up_at: in_sync_since,
            last_fetch: None,
        }
    }

    /// A fetch from the leader's log end shows that it has everything; one from where the log ended
    /// at the fetch before, that it had everything then. Source: Kafka `Replica.updateFetchState`.
    pub(crate) fn handle_fetch(
        &mut self,
        fetch: &FollowerFetch,
        leader_end: Offset,
        now: MonoTime,
    ) {
        if fetch.offset >= leader_end {
            self.caught_up_at = self.caught_up_at.max(Some(now));
        } else if let Some((at, _)) = self.last_fetch.filter(|(_, end)| fetch.offset >= *end) {
            self.caught_up_at = self.caught_up_at.max(Some(at));
        }
        self.broker_epoch = fetch.broker_epoch;
        self.log_end = Some(fetch.offset);
        self.log_start = fetch.log_start;
        self.last_fetch = Some((now, leader_end));
    }

    /// Not all of it, and for longer than `lag_max`.
    pub(crate) fn is_lagging(&self, leader_end: Offset, now: MonoTime, lag_max: Duration) -> bool {
        self.log_end != Some(leader_end)
            && self.caught_up_at.is_none_or(|at| now.since(at) > lag_max)
    }

    /// When it lags, if nothing more is heard of it.
    pub(crate) fn lags_from(&self, leader_end: Offset, lag_max: Duration) -> Option<MonoTime> {
        let at = self.caught_up_at?;
        (self.log_end != Some(leader_end)).then(|| at.plus(lag_max))
    }

    pub(crate) fn since_caught_up(&self, now: MonoTime) -> Duration {
        self.caught_up_at.map_or(Duration::MAX, |at| now.since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG_MAX: Duration = Duration::from_secs(30);

    fn seconds(n: u64) -> MonoTime {
        MonoTime(n * 1_000_000_000)
    }

    fn fetch(offset: i64) -> FollowerFetch {
        FollowerFetch {
            replica: BrokerId(2),
            broker_epoch: BrokerEpoch(7),
            offset: Offset(offset),
            log_start: Offset(0),
        }
    }

    #[test]
    fn a_follower_that_is_always_one_fetch_behind_does_not_lag() {
        let mut follower = RemoteReplica::new(BrokerId(2), None);
        for round in 0..10_i64 {
            let leader_end = Offset(10 * (round + 1));
            let now = seconds(20 * round as u64);
            follower.handle_fetch(&fetch(10 * round), leader_end, now);
            let lags = follower.is_lagging(leader_end, now, LAG_MAX);
            assert_eq!(lags, round == 0, "in round {round}");
        }
    }

    #[test]
    fn a_follower_that_fetches_and_does_not_catch_up_lags() {
        let mut follower = RemoteReplica::new(BrokerId(2), Some(seconds(0)));
        for second in [0, 10, 20, 30] {
            follower.handle_fetch(&fetch(5), Offset(10), seconds(second));
            assert!(!follower.is_lagging(Offset(10), seconds(second), LAG_MAX));
        }
        assert_eq!(follower.lags_from(Offset(10), LAG_MAX), Some(seconds(30)));
        assert!(follower.is_lagging(Offset(10), seconds(31), LAG_MAX));
        assert!(!follower.is_lagging(Offset(5), seconds(31), LAG_MAX), "it has all there is");
    }
}
