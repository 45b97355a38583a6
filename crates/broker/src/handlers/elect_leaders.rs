//! ElectLeaders (key 43), versions 0–2.
//! Elects preferred or, on demand, unclean leaders (KIP-183, KIP-460).
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: ElectLeadersRequest,
    reply: Reply<ElectLeadersResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    controller.submit(
        move |c| c.elect_leaders(&request),
        move |outcome| reply.send_or_disconnect(outcome),
    );
}
