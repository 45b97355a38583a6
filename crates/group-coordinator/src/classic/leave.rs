//! LeaveGroup (key 13): members go, or an administrator sends them away.

use std::sync::Arc;

use coordinator::ReplyToken;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::leave_group_response::MemberResponse;
use protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};
use types::ErrorCode;

use super::group::ClassicGroup;
use crate::turn::Turn;

impl Turn<'_> {
    /// `request.members` names those who leave, for every version: the single member of versions
    /// 0–2 has been moved there, and its error is moved back.
    pub fn leave_group(&mut self, request: &LeaveGroupRequest, token: ReplyToken) {
        if request.group_id.is_empty() {
            let error_code = ErrorCode::InvalidGroupId.code();
            return self
                .answer(token, LeaveGroupResponse { error_code, ..LeaveGroupResponse::default() });
        }
        let mut group = self.take_group(&request.group_id);
        let mut left_any = false;
        let mut members = Vec::with_capacity(request.members.len());
        for identity in &request.members {
            let left = match &mut group {
                Some(group) => self.leave(group, identity),
                None => Err(ErrorCode::UnknownMemberId),
            };
            left_any |= left.is_ok();
            members.push(MemberResponse {
                member_id: identity.member_id.clone(),
                group_instance_id: identity.group_instance_id.clone(),
                error_code: left.err().unwrap_or(ErrorCode::None).code(),
            });
        }
        self.answer(token, LeaveGroupResponse { members, ..LeaveGroupResponse::default() });
        if let Some(mut group) = group {
            if left_any && group.state != super::ClassicGroupState::Empty {
                self.rebalance_or_complete_join(&mut group);
            }
            self.keep(group);
        }
    }

    fn leave(
        &mut self,
        group: &mut ClassicGroup,
        identity: &MemberIdentity,
    ) -> Result<(), ErrorCode> {
        let instance_id = identity.group_instance_id.as_deref();
        let member = if identity.member_id.is_empty() {
            // An administrator removes a static member by its instance alone.
            let holder = instance_id.and_then(|instance_id| group.static_member(instance_id));
            holder.cloned().ok_or(ErrorCode::UnknownMemberId)?
        } else {
            if !group.pending_members.contains(&*identity.member_id) {
                group.check_member(&identity.member_id, instance_id)?;
            }
            Arc::from(&*identity.member_id)
        };
        self.remove_member(group, &member);
        Ok(())
    }
}
