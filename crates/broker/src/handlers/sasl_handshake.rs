//! SaslHandshake (key 17), versions 0–1.
//! A listener without SASL says so: ILLEGAL_SASL_STATE and no mechanisms. NONE would make some
//! clients go on to send credentials.
//! Differs from Kafka: no listener has SASL yet.

use protocol::messages::{SaslHandshakeRequest, SaslHandshakeResponse};
use types::ErrorCode;

use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle(
    _ctx: &RequestContext,
    _request: SaslHandshakeRequest,
    reply: Reply<SaslHandshakeResponse>,
) {
    reply.send(SaslHandshakeResponse {
        error_code: ErrorCode::IllegalSaslState.code(),
        ..Default::default()
    });
}
