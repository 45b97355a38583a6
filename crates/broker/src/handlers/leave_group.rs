//! LeaveGroup (key 13), versions 0–5.
//! Members go; the others rebalance. v3 takes a list, so that admins can remove static members.
//! Differs from Kafka: nothing known.

use env::Env;
use group_coordinator::{Reply as GroupReply, refusal};
use protocol::messages::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use protocol::messages::leave_group_response::LeaveGroupResponse;

use crate::coordinators::GroupHost;
use crate::network::Reply;
use crate::request::RequestContext;

const MEMBER_LIST_SINCE: i16 = 3;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    mut request: LeaveGroupRequest,
    reply: Reply<LeaveGroupResponse>,
    groups: &GroupHost<E>,
) {
    let has_list = ctx.version >= MEMBER_LIST_SINCE;
    if !has_list {
        let member_id = std::mem::take(&mut request.member_id);
        request.members = vec![MemberIdentity { member_id, ..Default::default() }];
    }
    groups.ask(
        &request.group_id,
        |shard, now, token| shard.leave_group(now, &request, token),
        Box::new(move |answer| match answer {
            Ok(GroupReply::LeaveGroup(left)) if has_list => reply.send(left),
            Ok(GroupReply::LeaveGroup(left)) => reply.send(without_list(left)),
            Ok(other) => reply.defect(&other),
            Err(error) => reply.send(refusal::leave_group(error)),
        }),
    );
}

/// Old versions have room for one error only.
fn without_list(left: LeaveGroupResponse) -> LeaveGroupResponse {
    let of_member = left.members.first().map_or(0, |member| member.error_code);
    let error_code = if left.error_code != 0 { left.error_code } else { of_member };
    LeaveGroupResponse { error_code, ..Default::default() }
}
