//! UpdateFeatures (key 57), versions 0–2.
//! Raises and lowers feature levels (KIP-584). v1 validates only · v2 one error for all.
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: UpdateFeaturesRequest,
    reply: Reply<UpdateFeaturesResponse>,
    controller: &ControllerHost<E>,
) {
    let response = controller.submit(|c| c.update_features(&request));
    reply.send(response.unwrap_or_else(|error| UpdateFeaturesResponse {
        error_code: error.code(),
        ..Default::default()
    }));
}
