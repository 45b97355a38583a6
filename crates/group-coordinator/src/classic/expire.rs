//! Deadlines of a classic group.

use super::group::ClassicGroup;
use super::state::ClassicGroupState as State;
use crate::soft::Deadline;
use crate::state::{GroupId, MemberId};
use crate::turn::Turn;

impl Turn<'_> {
    /// A member has not shown itself for its session timeout, whatever the rebalance timeout.
    ///
    /// Source: Kafka `expireClassicGroupMemberHeartbeat`.
    pub fn expire_session(&mut self, group: &GroupId, member: &MemberId) {
        let Some(mut group) = self.soft.groups.remove(group) else { return };
        if group.pending_members.remove(member) {
            self.try_complete_join_early(&mut group);
        } else if group.member(member).is_some_and(|member| !member.is_excused_from_heartbeats()) {
            self.remove_member(&mut group, member);
            match group.state {
                State::CompletingRebalance | State::Stable => self.prepare_rebalance(&mut group),
                State::PreparingRebalance => self.try_complete_join_early(&mut group),
                State::Empty => {}
            }
        }
        self.keep(group);
    }

    /// The initial delay or the rebalance timeout is over.
    ///
    /// The initial delay is extended while members arrive, up to the rebalance timeout.
    /// Source: Kafka `tryCompleteInitialRebalanceElseSchedule`.
    pub fn expire_join(&mut self, group: &GroupId) {
        let Some(mut group) = self.soft.groups.remove(group) else { return };
        match &mut group.initial_delay {
            Some(delay) if delay.new_member_added && delay.remaining_ms != 0 => {
                let ran_ms = delay.delay_ms;
                delay.new_member_added = false;
                delay.delay_ms = self.config.initial_rebalance_delay_ms.min(delay.remaining_ms);
                delay.remaining_ms = (delay.remaining_ms - ran_ms).max(0);
                let next_ms = delay.delay_ms;
                self.schedule(Deadline::Join(group.id.clone()), next_ms);
            }
            _ if group.state == State::PreparingRebalance => self.complete_join(&mut group),
            _ => {}
        }
        self.keep(group);
    }

    /// Members that joined and never synced hold up nobody for longer than the rebalance timeout.
    ///
    /// Source: Kafka `expirePendingSync`.
    pub fn expire_sync(&mut self, group: &GroupId) {
        let Some(mut group) = self.soft.groups.remove(group) else { return };
        let in_generation = matches!(group.state, State::CompletingRebalance | State::Stable);
        if in_generation && !group.pending_sync.is_empty() {
            for member in std::mem::take(&mut group.pending_sync) {
                self.remove_member(&mut group, &member);
            }
            self.prepare_rebalance(&mut group);
        }
        self.keep(group);
    }

    /// Also ends an initial delay: who was awaited is gone, and nobody new has come.
    fn try_complete_join_early(&mut self, group: &mut ClassicGroup) {
        if group.state == State::PreparingRebalance && group.all_have_joined() {
            self.complete_join(group);
        }
    }
}
