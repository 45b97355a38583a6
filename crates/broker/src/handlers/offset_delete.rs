//! OffsetDelete (key 47), version 0.
//! Forgets committed offsets of topics that the group does not subscribe to (KIP-496).
//! Differs from Kafka: nothing known.

use env::Env;
use group_coordinator::{Reply as GroupReply, refusal};
use protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use crate::coordinators::GroupHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: OffsetDeleteRequest,
    reply: Reply<OffsetDeleteResponse>,
    groups: &GroupHost<E>,
) {
    groups.ask(
        &request.group_id,
        |shard, now, token| shard.delete_offsets(now, &request, token),
        Box::new(move |answer| match answer {
            Ok(GroupReply::OffsetDelete(response)) => reply.send(response),
            Ok(other) => reply.defect(&other),
            Err(error) => reply.send(refusal::delete_offsets(error)),
        }),
    );
}
