//! DelegationTokenRecord (record type 10), version 0, flexible.
//!
//! Generated from `schema/metadata_records/delegation_token_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// A delegation token was created or renewed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DelegationTokenRecord {
    pub owner: Str,
    pub requester: Str,
    pub renewers: Vec<Str>,
    pub issue_timestamp: i64,
    pub max_timestamp: i64,
    pub expiration_timestamp: i64,
    pub token_id: Str,
}

impl Fields for DelegationTokenRecord {
    const MIN_BYTES: usize = 29;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = DelegationTokenRecord {
            owner: r.string()?,
            requester: r.string()?,
            renewers: r.array(1, Reader::string)?,
            issue_timestamp: r.i64()?,
            max_timestamp: r.i64()?,
            expiration_timestamp: r.i64()?,
            token_id: r.string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.owner)?;
        w.string(&self.requester)?;
        w.strings(&self.renewers)?;
        w.i64(self.issue_timestamp);
        w.i64(self.max_timestamp);
        w.i64(self.expiration_timestamp);
        w.string(&self.token_id)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for DelegationTokenRecord {
    const NAME: &'static str = "DelegationTokenRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for DelegationTokenRecord {
    const ID: i16 = 10;
}

impl Json for DelegationTokenRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("owner", &self.owner, version);
            out.field("requester", &self.requester, version);
            out.field("renewers", &self.renewers, version);
            out.field("issueTimestamp", &self.issue_timestamp, version);
            out.field("maxTimestamp", &self.max_timestamp, version);
            out.field("expirationTimestamp", &self.expiration_timestamp, version);
            out.field("tokenId", &self.token_id, version);
        })
    }
}
