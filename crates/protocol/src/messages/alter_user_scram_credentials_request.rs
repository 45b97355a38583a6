//! AlterUserScramCredentialsRequest (API key 51), version 0, flexible.
//!
//! Generated from `schema/wire/alter_user_scram_credentials_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::messages::AlterUserScramCredentialsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Sets or removes SCRAM credentials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterUserScramCredentialsRequest {
    pub deletions: Vec<ScramCredentialDeletion>,
    pub upsertions: Vec<ScramCredentialUpsertion>,
}

impl Fields for AlterUserScramCredentialsRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = AlterUserScramCredentialsRequest {
            deletions: r.structs(version)?,
            upsertions: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.deletions, version)?;
        w.structs(&self.upsertions, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for AlterUserScramCredentialsRequest {
    const NAME: &'static str = "AlterUserScramCredentialsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for AlterUserScramCredentialsRequest {
    const KEY: ApiKey = ApiKey::AlterUserScramCredentials;
    type Response = AlterUserScramCredentialsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScramCredentialDeletion {
    pub name: Str,
    pub mechanism: i8,
}

impl Fields for ScramCredentialDeletion {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ScramCredentialDeletion { name: r.string()?, mechanism: r.i8()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i8(self.mechanism);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScramCredentialUpsertion {
    pub name: Str,
    pub mechanism: i8,
    pub iterations: i32,
    pub salt: Bytes,
    pub salted_password: Bytes,
}

impl Fields for ScramCredentialUpsertion {
    const MIN_BYTES: usize = 9;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ScramCredentialUpsertion {
            name: r.string()?,
            mechanism: r.i8()?,
            iterations: r.i32()?,
            salt: r.bytes()?,
            salted_password: r.bytes()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i8(self.mechanism);
        w.i32(self.iterations);
        w.bytes(&self.salt)?;
        w.bytes(&self.salted_password)?;
        w.no_tags();
        Ok(())
    }
}
