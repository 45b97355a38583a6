//! A round: gather the members, choose leader and strategy, begin the next generation.

use std::sync::Arc;

use bytes::Bytes;
use protocol::Str;
use protocol::messages::SyncGroupResponse;
use types::ErrorCode;

use super::group::{ClassicGroup, InitialDelay};
use super::join::joined;
use super::state::ClassicGroupState as State;
use crate::records;
use crate::reply::{join_error_for, sync_error};
use crate::soft::Deadline;
use crate::state::MemberId;
use crate::turn::Turn;

impl Turn<'_> {
    /// Something changed: begins a round, or ends the gathering if nobody is missing any more.
    pub fn rebalance_or_complete_join(&mut self, group: &mut ClassicGroup) {
        match group.state {
            State::PreparingRebalance => self.try_complete_join(group),
            State::Empty | State::CompletingRebalance | State::Stable => {
                self.prepare_rebalance(group);
            }
        }
    }

    /// Begins a round: members are to rejoin, and hear of it by their heartbeats.
    pub fn prepare_rebalance(&mut self, group: &mut ClassicGroup) {
        if group.state == State::CompletingRebalance {
            self.drop_assignments(group, ErrorCode::RebalanceInProgress);
        }
        group.pending_sync.clear();
        self.cancel(&Deadline::Sync(group.id.clone()));

        let from_empty = group.state == State::Empty;
        group.enter(State::PreparingRebalance, self.now.wall);
        if from_empty {
            let delay_ms = self.config.initial_rebalance_delay_ms.max(0);
            group.initial_delay = Some(InitialDelay {
                delay_ms,
                remaining_ms: (group.rebalance_timeout_ms() - delay_ms).max(0),
                new_member_added: false,
            });
            self.schedule(Deadline::Join(group.id.clone()), delay_ms);
        } else if group.all_have_joined() {
            self.complete_join(group);
        } else {
            self.schedule(Deadline::Join(group.id.clone()), group.rebalance_timeout_ms());
        }
    }

    /// Ends the gathering if everybody is there. The first round of an empty group waits for its
    /// delay instead: those who are there are not all who will come.
    pub fn try_complete_join(&mut self, group: &mut ClassicGroup) {
        if group.state == State::PreparingRebalance
            && group.initial_delay.is_none()
            && group.all_have_joined()
        {
            self.complete_join(group);
        }
    }

    /// Ends the gathering with those who are there: the next generation begins.
    ///
    /// Static members that did not rejoin stay, they may be restarting; their session timeout
    /// decides. Source: Kafka `completeClassicGroupJoin`.
    pub fn complete_join(&mut self, group: &mut ClassicGroup) {
        self.cancel(&Deadline::Join(group.id.clone()));
        let missing: Vec<MemberId> = group
            .not_yet_rejoined()
            .filter(|member| member.instance_id.is_none())
            .map(|member| member.id.clone())
            .collect();
        for id in &missing {
            self.remove_member(group, id);
        }
        if !group.elect_leader_among_joined() && group.size() > 0 {
            // Only static members are left, and none has come back: wait for one of them, or for
            // their sessions to end.
            self.schedule(Deadline::Join(group.id.clone()), group.rebalance_timeout_ms());
            return;
        }
        group.begin_next_generation(self.now.wall);
        if group.state == State::Empty {
            self.append(records::group(&group.id, &group.to_log()));
        } else {
            self.announce_generation(group);
        }
    }

    fn announce_generation(&mut self, group: &mut ClassicGroup) {
        let ids: Vec<MemberId> = group.members().map(|member| member.id.clone()).collect();
        for id in ids {
            let reply = joined(group, &id, group.is_leader(&id));
            let parked = group.take_parked_join(&id);
            self.answer_if_parked(parked, reply);
            group.update(&id, |member| member.is_new = false);
            self.renew_session(group, &id);
            group.pending_sync.insert(id);
        }
        self.schedule(Deadline::Sync(group.id.clone()), group.rebalance_timeout_ms());
    }

    /// Takes a member out and answers what it has parked, so that a client that is still there
    /// joins again.
    pub fn remove_member(&mut self, group: &mut ClassicGroup, id: &MemberId) {
        self.end_session(group, id);
        let Some(member) = group.remove(id) else { return };
        let unknown = ErrorCode::UnknownMemberId;
        self.answer_if_parked(member.parked_join, join_error_for("", unknown));
        self.answer_if_parked(member.parked_sync, sync_error(unknown));
    }

    /// Nobody has an assignment any more; parked SyncGroups hear `error`.
    pub fn drop_assignments(&mut self, group: &mut ClassicGroup, error: ErrorCode) {
        self.hand_out(group, |_| Bytes::new(), Some(error));
    }

    /// Gives every member its assignment, and those that wait for it their answer.
    pub fn hand_out(
        &mut self,
        group: &mut ClassicGroup,
        assignment_of: impl Fn(&str) -> Bytes,
        error: Option<ErrorCode>,
    ) {
        let protocol_type = group.protocol_type.as_deref().map(Str::from);
        let protocol_name = group.protocol.as_deref().map(Str::from);
        let ids: Vec<MemberId> = group.members().map(|member| member.id.clone()).collect();
        for id in ids {
            let assignment = assignment_of(&id);
            let parked = group.update(&id, |member| {
                member.assignment = assignment.clone();
                member.parked_sync.take()
            });
            let Some(token) = parked.flatten() else { continue };
            let reply = match error {
                Some(error) => sync_error(error),
                None => SyncGroupResponse {
                    protocol_type: protocol_type.clone(),
                    protocol_name: protocol_name.clone(),
                    assignment,
                    ..SyncGroupResponse::default()
                },
            };
            self.answer(token, reply);
            // Its session may have run out while it waited here, and would not end again.
            self.renew_session(group, &Arc::clone(&id));
        }
    }
}
