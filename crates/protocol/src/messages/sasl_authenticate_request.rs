//! SaslAuthenticateRequest (API key 36), versions 0-2, flexible from 2.
//!
//! Generated from `schema/wire/sasl_authenticate_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::messages::SaslAuthenticateResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Writer};

/// Carries one SASL message of the client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaslAuthenticateRequest {
    pub auth_bytes: Bytes,
}

impl Fields for SaslAuthenticateRequest {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = SaslAuthenticateRequest { auth_bytes: r.bytes()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.bytes(&self.auth_bytes)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for SaslAuthenticateRequest {
    const NAME: &'static str = "SaslAuthenticateRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for SaslAuthenticateRequest {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;
    type Response = SaslAuthenticateResponse;
}
