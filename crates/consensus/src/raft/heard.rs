use raft::StateRole;
use raft::eraftpb::{Message, MessageType};

use super::RaftTiming;
use crate::{DeposedLeader, NodeId};

/// The leader that a voter heard last, and what it owes it.
///
/// Raft forgets the leader, and its lease, with the term and the process. What this voter has
/// confirmed to a leader is not forgotten: it keeps still for a lease after that, and after a start
/// too.
pub(super) struct HeardLeader {
    from: Option<NodeId>,
    /// In ticks: time in which this voter did not run does not count.
    silent: u32,
    /// For so many ticks it lets nobody lead whom the leader has not named.
    lease: usize,
    /// The term in which this voter stands, or leads, because the leader said so.
    named_in: u64,
}

impl HeardLeader {
    pub(super) fn at_start(term: u64, timing: &RaftTiming) -> HeardLeader {
        // Before the first term there was no leader to hear.
        let lease = if term > 0 { timing.lease_ticks } else { 0 };
        HeardLeader { from: None, silent: timing.lease_ticks as u32, lease, named_in: 0 }
    }

    pub(super) fn hear(&mut self, from: Option<NodeId>, timing: &RaftTiming) {
        (self.from, self.silent, self.lease) = (from, 0, timing.lease_ticks);
    }

    /// The leader has asked this voter to follow it.
    pub(super) fn name_heir(&mut self, term: u64) {
        self.named_in = term;
    }

    pub(super) fn tick(&mut self, state: StateRole, timing: &RaftTiming) {
        self.silent = self.silent.saturating_add(1);
        let leads = state == StateRole::Leader;
        self.lease = if leads { timing.lease_ticks } else { self.lease.saturating_sub(1) };
    }

    /// In ticks.
    pub(super) fn silent(&self) -> usize {
        self.silent as usize
    }

    /// Whether `message` asks for a vote that this voter, in `term`, may not give yet.
    pub(super) fn owes_lease(&self, message: &Message, term: u64) -> bool {
        let votes = [MessageType::MsgRequestVote, MessageType::MsgRequestPreVote];
        self.lease > 0
            && votes.contains(&message.msg_type)
            && message.context != raft::CAMPAIGN_TRANSFER
            && message.term >= term
    }

    /// This voter leads in `term`. Some voter of every majority that confirmed the leader before
    /// has voted for it: unless that leader had named its heir, after a lease, whose first tick may
    /// have been short.
    pub(super) fn depose(&mut self, term: u64, timing: &RaftTiming) -> Option<DeposedLeader> {
        let missed = if term == self.named_in { 0 } else { timing.lease_ticks as u32 - 1 };
        let (silent, missed) = (timing.tick * self.silent, timing.tick * missed);
        self.from.take().map(|node| DeposedLeader { node, silent, missed })
    }
}
