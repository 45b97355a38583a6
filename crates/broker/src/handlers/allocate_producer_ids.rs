//! AllocateProducerIds (key 67), version 0.
//! A broker asks the controller for a block of producer ids (KIP-730).
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AllocateProducerIdsRequest,
    reply: Reply<AllocateProducerIdsResponse>,
    controller: &ControllerHost<E>,
) {
    let response = controller.submit(|c| c.allocate_producer_ids(&request));
    reply.send(response.unwrap_or_else(|error| AllocateProducerIdsResponse {
        error_code: error.code(),
        ..Default::default()
    }));
}
