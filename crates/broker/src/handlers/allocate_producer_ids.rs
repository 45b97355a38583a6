//! AllocateProducerIds (key 67), version 0.
//! A broker asks the controller for a block of producer ids (KIP-730).
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AllocateProducerIdsRequest,
    reply: Reply<AllocateProducerIdsResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    let refused = |error: ErrorCode| AllocateProducerIdsResponse {
        error_code: error.code(),
        ..Default::default()
    };
    controller.submit(
        move |c| c.allocate_producer_ids(&request),
        move |outcome| reply.send(outcome.unwrap_or_else(refused)),
    );
}
