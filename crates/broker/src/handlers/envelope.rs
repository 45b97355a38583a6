//! Envelope (key 58), version 0.
//! A client's request, carried by the broker that it was sent to (KIP-590).
//! Differs from Kafka: the principal is not looked at, as there is nobody but ANONYMOUS yet.

use env::Env;
use protocol::messages::{EnvelopeRequest, EnvelopeResponse};
use types::ErrorCode;

use crate::api::Caller;
use crate::cluster::{self, ToController};
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: EnvelopeRequest,
    reply: Reply<EnvelopeResponse>,
    to_controller: &ToController<E>,
) {
    let refused =
        |error: ErrorCode| EnvelopeResponse { error_code: error.code(), response_data: None };
    let address = match request.client_host_address.len() {
        4 => request.client_host_address.first_chunk::<4>().map(|ip| (*ip).into()),
        16 => request.client_host_address.first_chunk::<16>().map(|ip| (*ip).into()),
        _ => None,
    };
    let Some(node) = to_controller.node().filter(|node| node.controller.is_active()) else {
        return reply.send(refused(ErrorCode::NotController));
    };
    let key = request.request_data.first_chunk().map(|key| i16::from_be_bytes(*key));
    let key = key.and_then(protocol::ApiKey::from_i16);
    let (Some(address), true) = (address, key.is_some_and(cluster::is_forwarded)) else {
        return reply.send(refused(ErrorCode::InvalidRequest));
    };
    let caller = Caller::carried(ctx, address);
    cluster::serve_frame(&node, &caller, request.request_data, move |response| {
        reply.send(match response {
            Some(response) => EnvelopeResponse { response_data: Some(response), error_code: 0 },
            // The reign may have ended meanwhile: whoever asks looks for the controller again.
            None => refused(ErrorCode::NotController),
        });
    });
}
