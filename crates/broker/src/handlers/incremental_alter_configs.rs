//! IncrementalAlterConfigs (key 44), versions 0–1.
//! Sets, deletes, appends to or subtracts from single properties (KIP-339).
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: IncrementalAlterConfigsRequest,
    reply: Reply<IncrementalAlterConfigsResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    controller.submit(
        move |c| c.incremental_alter_configs(&request),
        move |outcome| reply.send_or_disconnect(outcome),
    );
}
