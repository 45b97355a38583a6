//! ElectLeaders (key 43), versions 0–2.
//! Elects preferred or, on demand, unclean leaders (KIP-183, KIP-460).
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: ElectLeadersRequest,
    reply: Reply<ElectLeadersResponse>,
    controller: &ControllerHost<E>,
) {
    reply.send_or_disconnect(controller.submit(|c| c.elect_leaders(&request)));
}
