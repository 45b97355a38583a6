//! BrokerRegistration (key 62), versions 0–4.
//! A broker that has started introduces itself (KIP-631). v2 log directories · v3 the epoch before.
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::broker_registration_request::BrokerRegistrationRequest;
use protocol::messages::broker_registration_response::BrokerRegistrationResponse;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: BrokerRegistrationRequest,
    reply: Reply<BrokerRegistrationResponse>,
    controller: &ControllerHost<E>,
) {
    let refused = |code: i16| BrokerRegistrationResponse { error_code: code, ..Default::default() };
    reply.send(match controller.submit(|c| c.register_broker(&request)) {
        Ok(Ok(epoch)) => BrokerRegistrationResponse { broker_epoch: epoch.0, ..Default::default() },
        Ok(Err(error)) => {
            log::warn!(
                target: "kafka.controller.ClusterControlManager",
                "refused to register broker {}: {}",
                request.broker_id,
                error.message.as_deref().unwrap_or(error.code.name())
            );
            refused(error.code.code())
        }
        Err(error) => refused(error.code()),
    });
}
