//! ExpireDelegationTokenRequest (API key 40), versions 1-2, flexible from 2.
//!
//! Generated from `schema/wire/expire_delegation_token_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::messages::ExpireDelegationTokenResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Writer};

/// Shortens or ends a delegation token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpireDelegationTokenRequest {
    pub hmac: Bytes,
    pub expiry_time_period_ms: i64,
}

impl Fields for ExpireDelegationTokenRequest {
    const MIN_BYTES: usize = 10;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ExpireDelegationTokenRequest { hmac: r.bytes()?, expiry_time_period_ms: r.i64()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.bytes(&self.hmac)?;
        w.i64(self.expiry_time_period_ms);
        w.no_tags();
        Ok(())
    }
}

impl Message for ExpireDelegationTokenRequest {
    const NAME: &'static str = "ExpireDelegationTokenRequest";
    const VERSIONS: RangeInclusive<i16> = 1..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for ExpireDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::ExpireDelegationToken;
    type Response = ExpireDelegationTokenResponse;
}
