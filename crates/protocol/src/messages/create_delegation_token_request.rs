//! CreateDelegationTokenRequest (API key 38), versions 1-3, flexible from 2.
//!
//! Generated from `schema/wire/create_delegation_token_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::CreateDelegationTokenResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Creates a delegation token.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateDelegationTokenRequest {
    /// v3+.
    pub owner_principal_type: Option<Str>,
    /// v3+.
    pub owner_principal_name: Option<Str>,
    pub renewers: Vec<CreatableRenewers>,
    pub max_lifetime_ms: i64,
}

impl Default for CreateDelegationTokenRequest {
    fn default() -> Self {
        CreateDelegationTokenRequest {
            owner_principal_type: Some(Str::default()),
            owner_principal_name: Some(Str::default()),
            renewers: Vec::new(),
            max_lifetime_ms: 0,
        }
    }
}

impl Fields for CreateDelegationTokenRequest {
    const MIN_BYTES: usize = 10;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = CreateDelegationTokenRequest {
            owner_principal_type: if version >= 3 {
                r.nullable_string()?
            } else {
                Some(Str::default())
            },
            owner_principal_name: if version >= 3 {
                r.nullable_string()?
            } else {
                Some(Str::default())
            },
            renewers: r.structs(version)?,
            max_lifetime_ms: r.i64()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 3 {
            w.nullable_string(&self.owner_principal_type)?;
            w.nullable_string(&self.owner_principal_name)?;
        } else {
            w.only_default(
                self.owner_principal_type.as_deref() == Some(""),
                "owner_principal_type",
            )?;
            w.only_default(
                self.owner_principal_name.as_deref() == Some(""),
                "owner_principal_name",
            )?;
        }
        w.structs(&self.renewers, version)?;
        w.i64(self.max_lifetime_ms);
        w.no_tags();
        Ok(())
    }
}

impl Message for CreateDelegationTokenRequest {
    const NAME: &'static str = "CreateDelegationTokenRequest";
    const VERSIONS: RangeInclusive<i16> = 1..=3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for CreateDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::CreateDelegationToken;
    type Response = CreateDelegationTokenResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableRenewers {
    pub principal_type: Str,
    pub principal_name: Str,
}

impl Fields for CreatableRenewers {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = CreatableRenewers { principal_type: r.string()?, principal_name: r.string()? };
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
