//! ControllerRegistration (key 70), version 0.
//! A controller that has started introduces itself (KIP-919).
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{ControllerRegistrationRequest, ControllerRegistrationResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: ControllerRegistrationRequest,
    reply: Reply<ControllerRegistrationResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    controller.submit(
        move |c| c.register_controller(&request),
        move |outcome| {
            reply.send(outcome.unwrap_or_else(|error| ControllerRegistrationResponse {
                error_code: error.code(),
                error_message: None,
                ..Default::default()
            }));
        },
    );
}
