//! UpdateFeatures (key 57), versions 0–2.
//! Raises and lowers feature levels (KIP-584). v1 validates only · v2 one error for all.
//! `kraft.version` is raised by the quorum, before the rest of the request is done.
//! Differs from Kafka: a controller that was never one of several does not raise `kraft.version`.

use std::sync::Arc;

use env::Env;
use protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::kraft_version;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: UpdateFeaturesRequest,
    reply: Reply<UpdateFeaturesResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    if !controller.is_active() || !controller.ask(|c| c.raises_kraft_version(&request)) {
        return update(request, reply, controller);
    }
    let validated = UpdateFeaturesRequest { validate_only: true, ..request.clone() };
    let validated = controller.ask(|c| c.update_features(&validated).reply);
    if validated.error_code != ErrorCode::None.code() {
        return reply.send(validated);
    }
    let voters = match kraft_version::voters(controller) {
        Ok(voters) => voters,
        Err(error) => return reply.send(controller::update_refused(error)),
    };
    if request.validate_only {
        return reply.send(validated);
    }
    let host = Arc::clone(controller);
    kraft_version::finalize(controller, voters, move |outcome| match outcome {
        Ok(()) => update(request, reply, &host),
        Err(error) => reply.send(controller::update_refused(error)),
    });
}

fn update<E: Env>(
    request: UpdateFeaturesRequest,
    reply: Reply<UpdateFeaturesResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    let refused = |error: ErrorCode| UpdateFeaturesResponse {
        error_code: error.code(),
        ..Default::default()
    };
    controller.submit(
        move |c| c.update_features(&request),
        move |outcome| reply.send(outcome.unwrap_or_else(refused)),
    );
}
