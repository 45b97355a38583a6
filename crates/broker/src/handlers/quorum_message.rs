//! QuorumMessage (key 20002), version 0.
//! What another voter on the metadata log has to say. Ottla's own: Kafka's quorum speaks another
//! language.
//! Differs from Kafka: Kafka has no such API.

use std::sync::Arc;

use env::Env;
use protocol::messages::{QuorumMessageRequest, QuorumMessageResponse};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::Settings;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: QuorumMessageRequest,
    reply: Reply<QuorumMessageResponse>,
    controller: &Arc<ControllerHost<E>>,
    settings: &Settings,
) {
    if *request.cluster_id != *settings.cluster_id.to_string() {
        let error_code = ErrorCode::InconsistentClusterId.code();
        return reply.send(QuorumMessageResponse { error_code });
    }
    let error = match controller.handle_message(request.message) {
        true => ErrorCode::None,
        false => ErrorCode::BrokerNotAvailable,
    };
    reply.send(QuorumMessageResponse { error_code: error.code() });
}
