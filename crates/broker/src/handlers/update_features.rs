//! UpdateFeatures (key 57), versions 0–2.
//! Raises and lowers feature levels (KIP-584). v1 validates only · v2 one error for all.
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
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
