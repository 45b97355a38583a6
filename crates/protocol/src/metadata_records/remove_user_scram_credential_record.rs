//! RemoveUserScramCredentialRecord (record type 22), version 0, flexible.
//!
//! Generated from `schema/metadata_records/remove_user_scram_credential_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// A user's SCRAM credential was removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoveUserScramCredentialRecord {
    pub name: Str,
    pub mechanism: i8,
}

impl Fields for RemoveUserScramCredentialRecord {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = RemoveUserScramCredentialRecord { name: r.string()?, mechanism: r.i8()? };
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

impl Message for RemoveUserScramCredentialRecord {
    const NAME: &'static str = "RemoveUserScramCredentialRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for RemoveUserScramCredentialRecord {
    const ID: i16 = 22;
}

impl Json for RemoveUserScramCredentialRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("name", &self.name, version);
            out.field("mechanism", &self.mechanism, version);
        })
    }
}
