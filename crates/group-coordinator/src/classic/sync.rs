//! SyncGroup (key 14): members wait for their assignment; the leader brings it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use coordinator::ReplyToken;
use protocol::Str;
use protocol::messages::{SyncGroupRequest, SyncGroupResponse};
use types::ErrorCode;

use super::group::ClassicGroup;
use super::state::ClassicGroupState as State;
use crate::records;
use crate::reply::sync_error;
use crate::soft::{Deadline, Undo};
use crate::turn::Turn;

impl Turn<'_> {
    pub fn sync_group(&mut self, request: &SyncGroupRequest, token: ReplyToken) {
        if request.group_id.is_empty() {
            return self.answer(token, sync_error(ErrorCode::InvalidGroupId));
        }
        let Some(mut group) = self.take_group(&request.group_id) else {
            return self.answer(token, sync_error(ErrorCode::UnknownMemberId));
        };
        match check_sync(&group, request) {
            Err(error) => self.answer(token, sync_error(error)),
            Ok(()) => self.sync(&mut group, request, token),
        }
        self.keep(group);
    }

    fn sync(&mut self, group: &mut ClassicGroup, request: &SyncGroupRequest, token: ReplyToken) {
        match group.state {
            State::Empty => self.answer(token, sync_error(ErrorCode::UnknownMemberId)),
            State::PreparingRebalance => {
                self.answer(token, sync_error(ErrorCode::RebalanceInProgress));
            }
            State::CompletingRebalance => {
                self.settle_sync(group, &request.member_id);
                let displaced =
                    group.update(&request.member_id, |member| member.parked_sync.replace(token));
                let superseded = sync_error(ErrorCode::RebalanceInProgress);
                self.answer_if_parked(displaced.flatten(), superseded);
                if group.is_leader(&request.member_id) {
                    self.agree(group, request);
                }
            }
            State::Stable => {
                self.settle_sync(group, &request.member_id);
                let assignment = group.member(&request.member_id).map(|m| m.assignment.clone());
                self.answer(token, synced(group, assignment.unwrap_or_default()));
            }
        }
    }

    /// The leader has spoken: the generation is agreed upon and goes to the log. What members hear
    /// of it waits for the log.
    ///
    /// A member that the leader forgot gets an empty assignment. Source: Kafka
    /// `classicGroupSyncToClassicGroup`.
    fn agree(&mut self, group: &mut ClassicGroup, request: &SyncGroupRequest) {
        let assignments: BTreeMap<&str, Bytes> = request
            .assignments
            .iter()
            .filter(|assigned| group.has_member(&assigned.member_id))
            // Copied: an assignment outlives the frame that it came in.
            .map(|a| (&*a.member_id, Bytes::copy_from_slice(&a.assignment)))
            .collect();
        group.enter(State::Stable, self.now.wall);
        self.hand_out(group, |id| assignments.get(id).cloned().unwrap_or_default(), None);
        self.append(records::group(&group.id, &group.to_log()));
        self.soft.undo = Some(Undo::Assignment(group.id.clone()));
    }

    /// One member less that owes a SyncGroup.
    fn settle_sync(&mut self, group: &mut ClassicGroup, member_id: &str) {
        group.pending_sync.remove(member_id);
        if group.pending_sync.is_empty() {
            self.cancel(&Deadline::Sync(group.id.clone()));
        }
    }

    /// The assignment did not make it into the log: the members hear so and begin anew.
    pub fn restore_assignment(&mut self, group: &mut ClassicGroup) {
        if group.state == State::Stable {
            group.enter(State::CompletingRebalance, self.now.wall);
            self.drop_assignments(group, ErrorCode::RebalanceInProgress);
            self.prepare_rebalance(group);
        }
    }
}

fn check_sync(group: &ClassicGroup, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
    group.check_member(&request.member_id, request.group_instance_id.as_deref())?;
    if request.generation_id != group.generation {
        return Err(ErrorCode::IllegalGeneration);
    }
    let differs = |named: &Option<Str>, agreed: &Option<Arc<str>>| match (named, agreed) {
        (Some(named), Some(agreed)) => **named != **agreed,
        _ => false,
    };
    if differs(&request.protocol_type, &group.protocol_type)
        || differs(&request.protocol_name, &group.protocol)
    {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    Ok(())
}

fn synced(group: &ClassicGroup, assignment: Bytes) -> SyncGroupResponse {
    SyncGroupResponse {
        protocol_type: group.protocol_type.as_deref().map(Str::from),
        protocol_name: group.protocol.as_deref().map(Str::from),
        assignment,
        ..SyncGroupResponse::default()
    }
}
