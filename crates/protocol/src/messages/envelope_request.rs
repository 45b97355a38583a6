//! EnvelopeRequest (API key 58), version 0, flexible.
//!
//! Generated from `schema/wire/envelope_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::messages::EnvelopeResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Writer};

/// Carries a client's request from a broker to the active controller, with who sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvelopeRequest {
    pub request_data: Bytes,
    pub request_principal: Option<Bytes>,
    pub client_host_address: Bytes,
}

impl Default for EnvelopeRequest {
    fn default() -> Self {
        EnvelopeRequest {
            request_data: Bytes::new(),
            request_principal: Some(Bytes::new()),
            client_host_address: Bytes::new(),
        }
    }
}

impl Fields for EnvelopeRequest {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = EnvelopeRequest {
            request_data: r.bytes()?,
            request_principal: r.nullable_bytes()?,
            client_host_address: r.bytes()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.bytes(&self.request_data)?;
        w.nullable_bytes(&self.request_principal)?;
        w.bytes(&self.client_host_address)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for EnvelopeRequest {
    const NAME: &'static str = "EnvelopeRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for EnvelopeRequest {
    const KEY: ApiKey = ApiKey::Envelope;
    type Response = EnvelopeResponse;
}
