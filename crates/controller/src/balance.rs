//! What the active controller does by itself from time to time.

use crate::limits::ELECTIONS_PER_TICK_MAX;
use crate::partition_change::Election;
use crate::{Controller, ControllerResult};

impl Controller {
    /// Gives leaderships back to preferred replicas that are in sync again, some at a time. The
    /// reply says whether there may be more to do.
    ///
    /// When: every `leader.imbalance.check.interval.seconds`, if `auto.leader.rebalance.enable`.
    /// Source: Kafka `ReplicationControlManager.maybeBalancePartitionLeaders`.
    pub fn balance_leaders(&self) -> ControllerResult<bool> {
        let imbalanced = self.broker_partitions.imbalanced();
        let records =
            self.change_some_partitions(imbalanced, ELECTIONS_PER_TICK_MAX, |partition, change| {
                let preferred = partition.preferred_leader()?;
                let may_lead =
                    partition.isr.contains(&preferred) && self.view().cluster.is_active(preferred);
                may_lead.then(|| change.election(Election::Preferred))
            });
        let more = records.len() >= ELECTIONS_PER_TICK_MAX;
        ControllerResult { records, atomic: false, reply: more }
    }

    /// Elects leaders that may miss committed records, where nobody else can lead and the topic
    /// allows it. The reply says whether there may be more to do.
    ///
    /// When: every `unclean.leader.election.interval.ms`. A topic that allows it when the leader is
    /// lost gets one at once; this is for one that was allowed to later.
    /// Source: Kafka `ReplicationControlManager.maybeElectUncleanLeaders`.
    pub fn elect_unclean_leaders(&self) -> ControllerResult<bool> {
        let leaderless = self.broker_partitions.leaderless();
        // The rules of the topic say whether a change may elect unclean.
        let records =
            self.change_some_partitions(leaderless, ELECTIONS_PER_TICK_MAX, |_, change| {
                change.is_unclean_allowed().then_some(change)
            });
        let more = records.len() >= ELECTIONS_PER_TICK_MAX;
        ControllerResult { records, atomic: false, reply: more }
    }
}
