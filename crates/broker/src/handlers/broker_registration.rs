//! BrokerRegistration (key 62), versions 0–4.
//! A broker that has started introduces itself (KIP-631). v2 log directories · v3 the epoch before.
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use controller::ApiError;
use env::Env;
use metadata::BrokerEpoch;
use protocol::messages::broker_registration_request::BrokerRegistrationRequest;
use protocol::messages::broker_registration_response::BrokerRegistrationResponse;
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: BrokerRegistrationRequest,
    reply: Reply<BrokerRegistrationResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    let id = request.broker_id;
    let refused = |code: i16| BrokerRegistrationResponse { error_code: code, ..Default::default() };
    let answer = move |outcome: Result<Result<BrokerEpoch, ApiError>, ErrorCode>| match outcome {
        Ok(Ok(epoch)) => BrokerRegistrationResponse { broker_epoch: epoch.0, ..Default::default() },
        Ok(Err(error)) => {
            log::warn!(
                target: "kafka.controller.ClusterControlManager",
                "refused to register broker {id}: {}",
                error.message.as_deref().unwrap_or(error.code.name())
            );
            refused(error.code.code())
        }
        Err(error) => refused(error.code()),
    };
    controller
        .submit(move |c| c.register_broker(&request), move |outcome| reply.send(answer(outcome)));
}
