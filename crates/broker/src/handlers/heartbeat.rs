//! Heartbeat (key 12), versions 0–4.
//! A member shows that it lives, and learns of a rebalance.
//! Differs from Kafka: nothing known.

use env::Env;
use group_coordinator::{Reply as GroupReply, refusal};
use protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use crate::coordinators::GroupHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: HeartbeatRequest,
    reply: Reply<HeartbeatResponse>,
    groups: &GroupHost<E>,
) {
    groups.ask(
        &request.group_id,
        |shard, now, token| shard.heartbeat(now, &request, token),
        Box::new(move |answer| match answer {
            Ok(GroupReply::Heartbeat(response)) => reply.send(response),
            Ok(other) => reply.defect(&other),
            Err(error) => reply.send(refusal::heartbeat(error)),
        }),
    );
}
