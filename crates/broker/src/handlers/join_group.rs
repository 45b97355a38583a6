//! JoinGroup (key 11), versions 0–9.
//! Enters a group and waits for the round to end.
//! v4 MEMBER_ID_REQUIRED round trip (KIP-394) · v5 static members · v9 SkipAssignment (KIP-814).
//! Differs from Kafka: nothing known.

use env::Env;
use group_coordinator::{ClientInfo, JoinFacts, Reply as GroupReply, refusal};
use protocol::messages::{JoinGroupRequest, JoinGroupResponse};

use crate::coordinators::GroupHost;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::Settings;

const MEMBER_ID_REQUIRED_SINCE: i16 = 4;
const PROTOCOL_NULLABLE_SINCE: i16 = 7;
const SKIP_ASSIGNMENT_SINCE: i16 = 9;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: JoinGroupRequest,
    reply: Reply<JoinGroupResponse>,
    groups: &GroupHost<E>,
    settings: &Settings,
) {
    let facts = JoinFacts {
        member_id_required: ctx.version >= MEMBER_ID_REQUIRED_SINCE,
        skip_assignment: ctx.version >= SKIP_ASSIGNMENT_SINCE,
        fresh_id: settings.random_id(),
    };
    let host = ctx.client_host();
    let refused = refusal::join_group(&request, Default::default());
    let nullable = ctx.version >= PROTOCOL_NULLABLE_SINCE;
    groups.ask(
        &request.group_id,
        |shard, now, token| {
            let client = ClientInfo { client_id: ctx.client_id(), host: &host };
            shard.join_group(now, client, facts, &request, token)
        },
        Box::new(move |answer| match answer {
            Ok(GroupReply::JoinGroup(mut joined)) => {
                if nullable && joined.error_code != 0 {
                    joined.protocol_name = None;
                }
                reply.send(joined)
            }
            Ok(other) => reply.defect(&other),
            Err(error) => reply.send(JoinGroupResponse { error_code: error.code(), ..refused }),
        }),
    );
}
