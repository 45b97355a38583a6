//! SyncGroup (key 14), versions 0–5.
//! The leader brings the assignment; everyone takes theirs away. v5 protocol type and name must
//! match. Differs from Kafka: nothing known.

use env::Env;
use group_coordinator::{Reply as GroupReply, refusal};
use protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use crate::coordinators::GroupHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: SyncGroupRequest,
    reply: Reply<SyncGroupResponse>,
    groups: &GroupHost<E>,
) {
    groups.ask(
        &request.group_id,
        |shard, now, token| shard.sync_group(now, &request, token),
        Box::new(move |answer| match answer {
            Ok(GroupReply::SyncGroup(response)) => reply.send(response),
            Ok(other) => reply.defect(&other),
            Err(error) => reply.send(refusal::sync_group(error)),
        }),
    );
}
