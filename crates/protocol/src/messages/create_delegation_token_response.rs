//! CreateDelegationTokenResponse (API key 38), versions 1-3, flexible from 2.
//!
//! Generated from `schema/wire/create_delegation_token_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The token, its owner and its times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateDelegationTokenResponse {
    pub error_code: i16,
    pub principal_type: Str,
    pub principal_name: Str,
    /// v3+.
    pub token_requester_principal_type: Str,
    /// v3+.
    pub token_requester_principal_name: Str,
    pub issue_timestamp_ms: i64,
    pub expiry_timestamp_ms: i64,
    pub max_timestamp_ms: i64,
    pub token_id: Str,
    pub hmac: Bytes,
    pub throttle_time_ms: i32,
}

impl Fields for CreateDelegationTokenResponse {
    const MIN_BYTES: usize = 35;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = CreateDelegationTokenResponse {
            error_code: r.i16()?,
            principal_type: r.string()?,
            principal_name: r.string()?,
            token_requester_principal_type: if version >= 3 { r.string()? } else { Str::default() },
            token_requester_principal_name: if version >= 3 { r.string()? } else { Str::default() },
            issue_timestamp_ms: r.i64()?,
            expiry_timestamp_ms: r.i64()?,
            max_timestamp_ms: r.i64()?,
            token_id: r.string()?,
            hmac: r.bytes()?,
            throttle_time_ms: r.i32()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.error_code);
        w.string(&self.principal_type)?;
        w.string(&self.principal_name)?;
        if version >= 3 {
            w.string(&self.token_requester_principal_type)?;
            w.string(&self.token_requester_principal_name)?;
        } else {
            w.only_default(
                self.token_requester_principal_type.is_empty(),
                "token_requester_principal_type",
            )?;
            w.only_default(
                self.token_requester_principal_name.is_empty(),
                "token_requester_principal_name",
            )?;
        }
        w.i64(self.issue_timestamp_ms);
        w.i64(self.expiry_timestamp_ms);
        w.i64(self.max_timestamp_ms);
        w.string(&self.token_id)?;
        w.bytes(&self.hmac)?;
        w.i32(self.throttle_time_ms);
        w.no_tags();
        Ok(())
    }
}

impl Message for CreateDelegationTokenResponse {
    const NAME: &'static str = "CreateDelegationTokenResponse";
    const VERSIONS: RangeInclusive<i16> = 1..=3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}
