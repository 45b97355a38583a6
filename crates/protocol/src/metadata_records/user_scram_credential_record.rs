//! UserScramCredentialRecord (record type 11), version 0, flexible.
//!
//! Generated from `schema/metadata_records/user_scram_credential_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// A user's SCRAM credential was set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserScramCredentialRecord {
    pub name: Str,
    pub mechanism: i8,
    pub salt: Bytes,
    pub stored_key: Bytes,
    pub server_key: Bytes,
    pub iterations: i32,
}

impl Fields for UserScramCredentialRecord {
    const MIN_BYTES: usize = 10;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = UserScramCredentialRecord {
            name: r.string()?,
            mechanism: r.i8()?,
            salt: r.bytes()?,
            stored_key: r.bytes()?,
            server_key: r.bytes()?,
            iterations: r.i32()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i8(self.mechanism);
        w.bytes(&self.salt)?;
        w.bytes(&self.stored_key)?;
        w.bytes(&self.server_key)?;
        w.i32(self.iterations);
        w.no_tags();
        Ok(())
    }
}

impl Message for UserScramCredentialRecord {
    const NAME: &'static str = "UserScramCredentialRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for UserScramCredentialRecord {
    const ID: i16 = 11;
}

impl Json for UserScramCredentialRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("name", &self.name, version);
            out.field("mechanism", &self.mechanism, version);
            out.field("salt", &self.salt, version);
            out.field("storedKey", &self.stored_key, version);
            out.field("serverKey", &self.server_key, version);
            out.field("iterations", &self.iterations, version);
        })
    }
}
