use std::fmt;

/// Where a classic group stands in its round.
///
/// There is no `Dead`: a group that is deleted is gone, and a group that is not there is what the
/// admin tools call Dead.
///
/// Source: Kafka `ClassicGroupState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassicGroupState {
    /// No members; offsets may remain.
    /// Heartbeat, SyncGroup, LeaveGroup → `UNKNOWN_MEMBER_ID`; OffsetCommit without a member is
    /// taken. Ids may have been handed out to members that have not joined yet.
    /// → `PreparingRebalance` on a join · gone when the last offset expires or on DeleteGroups.
    Empty,
    /// Waits for members to (re)join.
    /// JoinGroup is parked; Heartbeat, SyncGroup → `REBALANCE_IN_PROGRESS`; OffsetCommit of the
    /// old generation is taken, so that members can commit before they rejoin.
    /// → `CompletingRebalance` when all have joined or the rebalance timeout passes · `Empty` when
    /// nobody is left.
    PreparingRebalance,
    /// Waits for the leader's assignment.
    /// SyncGroup is parked; Heartbeat is answered normally; OffsetCommit → `REBALANCE_IN_PROGRESS`;
    /// JoinGroup with unchanged subscriptions gets the current generation again.
    /// → `Stable` on the leader's SyncGroup · `PreparingRebalance` on a join, leave, change, expiry
    /// or when a member does not sync within the rebalance timeout.
    CompletingRebalance,
    /// Every member has its assignment, and the log has them all.
    /// SyncGroup → the assignment; JoinGroup of a follower with unchanged subscriptions → the
    /// current generation; OffsetCommit of this generation is taken.
    /// → `PreparingRebalance` on a join, leave, change, expiry, or a JoinGroup of the leader.
    Stable,
}

impl ClassicGroupState {
    /// Kafka's spelling, in DescribeGroups and ListGroups.
    pub fn name(self) -> &'static str {
        match self {
            ClassicGroupState::Empty => "Empty",
            ClassicGroupState::PreparingRebalance => "PreparingRebalance",
            ClassicGroupState::CompletingRebalance => "CompletingRebalance",
            ClassicGroupState::Stable => "Stable",
        }
    }
}

impl fmt::Display for ClassicGroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
