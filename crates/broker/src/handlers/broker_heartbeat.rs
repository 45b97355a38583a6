//! BrokerHeartbeat (key 63), versions 0–1.
//! A broker says that it lives, and what it wants to be (KIP-631). v1 offline log directories.
//! Differs from Kafka: that a broker is in service is said once a majority of the voters, asked
//! since, has confirmed that this controller leads (docs/adr/0012, point 7).

use std::sync::Arc;

use env::Env;
use protocol::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: BrokerHeartbeatRequest,
    reply: Reply<BrokerHeartbeatResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    controller.note_heartbeat(ctx.connection.peer, &request);
    let refused = |error: ErrorCode| BrokerHeartbeatResponse {
        error_code: error.code(),
        is_fenced: true,
        ..Default::default()
    };
    let weak = Arc::downgrade(controller);
    // Only the answer waits for its turn: who is heard of lives, however long the others take.
    controller.submit(
        move |c| c.broker_heartbeat(&request),
        move |outcome| match (outcome, weak.upgrade()) {
            (Ok(response), Some(controller)) if !response.is_fenced => {
                controller.confirm_reign(move |led| {
                    reply.send(led.map_or_else(refused, |()| response));
                });
            }
            (outcome, _) => reply.send(outcome.unwrap_or_else(refused)),
        },
    );
}
