//! AlterConfigs (key 33), versions 0–2.
//! Replaces everything that is set for a resource; old tools only (KIP-339 replaced it).
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AlterConfigsRequest,
    reply: Reply<AlterConfigsResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    controller.submit(
        move |c| c.alter_configs(&request),
        move |outcome| reply.send_or_disconnect(outcome),
    );
}
