//! RenewDelegationTokenRequest (API key 39), versions 1-2, flexible from 2.
//!
//! Generated from `schema/wire/renew_delegation_token_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::messages::RenewDelegationTokenResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Writer};

/// Extends a delegation token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenewDelegationTokenRequest {
    pub hmac: Bytes,
    pub renew_period_ms: i64,
}

impl Fields for RenewDelegationTokenRequest {
    const MIN_BYTES: usize = 10;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = RenewDelegationTokenRequest { hmac: r.bytes()?, renew_period_ms: r.i64()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.bytes(&self.hmac)?;
        w.i64(self.renew_period_ms);
        w.no_tags();
        Ok(())
    }
}

impl Message for RenewDelegationTokenRequest {
    const NAME: &'static str = "RenewDelegationTokenRequest";
    const VERSIONS: RangeInclusive<i16> = 1..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for RenewDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::RenewDelegationToken;
    type Response = RenewDelegationTokenResponse;
}
