//! Heartbeat (key 12): a member shows that it is alive, and hears whether a round is on.

use coordinator::ReplyToken;
use protocol::messages::HeartbeatRequest;
use types::ErrorCode;

use super::state::ClassicGroupState as State;
use crate::reply::heartbeat;
use crate::soft::Deadline;
use crate::turn::Turn;

impl Turn<'_> {
    pub fn heartbeat(&mut self, request: &HeartbeatRequest, token: ReplyToken) {
        let error = self.answer_to_heartbeat(request).err().unwrap_or(ErrorCode::None);
        self.answer(token, heartbeat(error));
    }

    fn answer_to_heartbeat(&mut self, request: &HeartbeatRequest) -> Result<(), ErrorCode> {
        if request.group_id.is_empty() {
            return Err(ErrorCode::InvalidGroupId);
        }
        // A group that is not in memory has no members.
        let group = self.soft.groups.get(&*request.group_id).ok_or(ErrorCode::UnknownMemberId)?;
        group.check_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id != group.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let state = group.state;
        let member = group.member(&request.member_id).ok_or(ErrorCode::UnknownMemberId)?;
        let (member, timeout_ms) = (member.id.clone(), member.session_timeout_ms);
        let group = group.id.clone();
        self.schedule(Deadline::Session(group, member), timeout_ms);
        match state {
            State::Empty => Err(ErrorCode::UnknownMemberId),
            State::PreparingRebalance => Err(ErrorCode::RebalanceInProgress),
            // Members send heartbeats as soon as their JoinGroup is answered.
            State::CompletingRebalance | State::Stable => Ok(()),
        }
    }
}
