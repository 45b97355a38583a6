//! UnregisterBroker (key 64), version 0.
//! Forgets a broker that will not come back.
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: UnregisterBrokerRequest,
    reply: Reply<UnregisterBrokerResponse>,
    controller: &ControllerHost<E>,
) {
    let response = controller.submit(|c| c.unregister_broker(&request));
    reply.send(response.unwrap_or_else(|error| UnregisterBrokerResponse {
        error_code: error.code(),
        ..Default::default()
    }));
}
