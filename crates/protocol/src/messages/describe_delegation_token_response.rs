//! DescribeDelegationTokenResponse (API key 41), versions 1-3, flexible from 2.
//!
//! Generated from `schema/wire/describe_delegation_token_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The tokens the caller may see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeDelegationTokenResponse {
    pub error_code: i16,
    pub tokens: Vec<DescribedDelegationToken>,
    pub throttle_time_ms: i32,
}

impl Fields for DescribeDelegationTokenResponse {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribeDelegationTokenResponse {
            error_code: r.i16()?,
            tokens: r.structs(version)?,
            throttle_time_ms: r.i32()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.error_code);
        w.structs(&self.tokens, version)?;
        w.i32(self.throttle_time_ms);
        w.no_tags();
        Ok(())
    }
}

impl Message for DescribeDelegationTokenResponse {
    const NAME: &'static str = "DescribeDelegationTokenResponse";
    const VERSIONS: RangeInclusive<i16> = 1..=3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedDelegationToken {
    pub principal_type: Str,
    pub principal_name: Str,
    /// v3+.
    pub token_requester_principal_type: Str,
    /// v3+.
    pub token_requester_principal_name: Str,
    pub issue_timestamp: i64,
    pub expiry_timestamp: i64,
    pub max_timestamp: i64,
    pub token_id: Str,
    pub hmac: Bytes,
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
}

impl Fields for DescribedDelegationToken {
    const MIN_BYTES: usize = 30;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribedDelegationToken {
            principal_type: r.string()?,
            principal_name: r.string()?,
            token_requester_principal_type: if version >= 3 { r.string()? } else { Str::default() },
            token_requester_principal_name: if version >= 3 { r.string()? } else { Str::default() },
            issue_timestamp: r.i64()?,
            expiry_timestamp: r.i64()?,
            max_timestamp: r.i64()?,
            token_id: r.string()?,
            hmac: r.bytes()?,
            renewers: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
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
        w.i64(self.issue_timestamp);
        w.i64(self.expiry_timestamp);
        w.i64(self.max_timestamp);
        w.string(&self.token_id)?;
        w.bytes(&self.hmac)?;
        w.structs(&self.renewers, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedDelegationTokenRenewer {
    pub principal_type: Str,
    pub principal_name: Str,
}

impl Fields for DescribedDelegationTokenRenewer {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = DescribedDelegationTokenRenewer {
            principal_type: r.string()?,
            principal_name: r.string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.principal_type)?;
        w.string(&self.principal_name)?;
        w.no_tags();
        Ok(())
    }
}
