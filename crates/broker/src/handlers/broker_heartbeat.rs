//! BrokerHeartbeat (key 63), versions 0–1.
//! A broker says that it lives, and what it wants to be (KIP-631). v1 offline log directories.
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: BrokerHeartbeatRequest,
    reply: Reply<BrokerHeartbeatResponse>,
    controller: &ControllerHost<E>,
) {
    controller.note_heartbeat(ctx.connection.peer, &request);
    let response = controller.submit(|c| c.broker_heartbeat(&request));
    reply.send(response.unwrap_or_else(|error| BrokerHeartbeatResponse {
        error_code: error.code(),
        is_fenced: true,
        ..Default::default()
    }));
}
