//! Static members: a client that names its instance keeps its place when it restarts. KIP-345.

use coordinator::ReplyToken;
use protocol::Str;
use protocol::messages::JoinGroupResponse;
use std::sync::Arc;
use types::ErrorCode;

use super::group::ClassicGroup;
use super::join::{Joining, joined};
use super::member::Member;
use super::state::ClassicGroupState as State;
use crate::records;
use crate::reply::{join_error_for, sync_error};
use crate::soft::Undo;
use crate::state::MemberId;
use crate::turn::Turn;

impl Turn<'_> {
    /// An instance that is in the group joins without a member id: it has restarted. Its new
    /// incarnation takes the place of the old, which is fenced from now on.
    ///
    /// Source: Kafka `updateStaticMemberThenRebalanceOrCompleteJoin`.
    pub fn replace_static_member(
        &mut self,
        group: &mut ClassicGroup,
        joining: &Joining<'_>,
        old_id: &MemberId,
        new_id: MemberId,
    ) {
        let Some(old) = group.member(old_id).cloned() else { return };
        let leader_before = group.leader.clone();
        self.fence(&old);
        let owes_sync = group.pending_sync.contains(old_id);
        group.replace(old_id, successor(&old, joining, new_id.clone()));
        if owes_sync {
            group.pending_sync.insert(new_id.clone());
        }
        self.end_session(group, old_id);
        self.renew_session(group, &new_id);

        match group.state {
            // Nobody else needs to know, unless what the instance offers now changes the strategy
            // that all agree on (its subscription must then reach the leader).
            State::Stable if group.select_protocol() == group.protocol => {
                self.append(records::group(&group.id, &group.to_log()));
                let reply = returned(group, joining, &new_id, leader_before.as_deref());
                self.answer(joining.token, reply);
                let undo_group = group.id.clone();
                self.soft.undo = Some(Undo::StaticMember {
                    group: undo_group,
                    new: new_id,
                    old: Box::new(Member { parked_join: None, parked_sync: None, ..old }),
                });
            }
            State::Stable => {
                self.park_join(group, &new_id, joining.token);
                self.rebalance_or_complete_join(group);
            }
            // The leader may be assigning partitions to the old member id at this moment.
            State::CompletingRebalance => {
                self.park_join(group, &new_id, joining.token);
                self.prepare_rebalance(group);
            }
            State::PreparingRebalance | State::Empty => {
                self.park_join(group, &new_id, joining.token);
                self.try_complete_join(group);
            }
        }
    }

    fn fence(&mut self, old: &Member) {
        let fenced = ErrorCode::FencedInstanceId;
        self.answer_if_parked(old.parked_join, join_error_for(&old.id, fenced));
        self.answer_if_parked(old.parked_sync, sync_error(fenced));
    }

    /// The new incarnation did not make it into the log: the old one holds the place again.
    pub fn restore_static_member(&mut self, group: &mut ClassicGroup, new: &MemberId, old: Member) {
        if !group.has_member(new) {
            return;
        }
        let owes_sync = group.pending_sync.contains(new);
        let old_id = old.id.clone();
        group.replace(new, old);
        if owes_sync {
            group.pending_sync.insert(old_id.clone());
        }
        self.end_session(group, new);
        self.renew_session(group, &old_id);
    }
}

/// The new incarnation: the old one's place and assignment, the request's wishes.
fn successor(old: &Member, joining: &Joining<'_>, new_id: MemberId) -> Member {
    let no_token: Option<ReplyToken> = None;
    let mut member = Member {
        id: new_id,
        client_id: Arc::from(joining.client.client_id),
        client_host: Arc::from(joining.client.host),
        parked_join: no_token,
        parked_sync: no_token,
        is_new: false,
        ..old.clone()
    };
    joining.update(&mut member);
    member
}

/// The answer to an instance that came back to a stable group.
///
/// A leader must lead on (watch for new partitions), but not assign: the group would not hear of
/// the assignment. A client that knows `SkipAssignment` is told so; another is kept from thinking
/// that it leads by the name of its former self. KIP-814.
fn returned(
    group: &ClassicGroup,
    joining: &Joining<'_>,
    new_id: &MemberId,
    leader_before: Option<&str>,
) -> JoinGroupResponse {
    if joining.facts.skip_assignment {
        let leads = group.is_leader(new_id);
        JoinGroupResponse { skip_assignment: leads, ..joined(group, new_id, leads) }
    } else {
        let leader = Str::from(leader_before.unwrap_or(""));
        JoinGroupResponse { leader, ..joined(group, new_id, false) }
    }
}
