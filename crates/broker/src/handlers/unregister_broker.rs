//! UnregisterBroker (key 64), version 0.
//! Forgets a broker that will not come back.
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: UnregisterBrokerRequest,
    reply: Reply<UnregisterBrokerResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    let refused = |error: ErrorCode| UnregisterBrokerResponse {
        error_code: error.code(),
        ..Default::default()
    };
    controller.submit(
        move |c| c.unregister_broker(&request),
        move |outcome| reply.send(outcome.unwrap_or_else(refused)),
    );
}
