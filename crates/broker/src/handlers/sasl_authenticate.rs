//! SaslAuthenticate (key 36), versions 0–2.
//! On a listener without SASL there is nothing to authenticate: ILLEGAL_SASL_STATE.
//! Differs from Kafka: no listener has SASL yet.

use protocol::messages::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use types::ErrorCode;

use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle(
    _ctx: &RequestContext,
    _request: SaslAuthenticateRequest,
    reply: Reply<SaslAuthenticateResponse>,
) {
    reply.send(SaslAuthenticateResponse {
        error_code: ErrorCode::IllegalSaslState.code(),
        error_message: Some("this listener does not use SASL".into()),
        ..Default::default()
    });
}
