//! AbortTransactionRecord (record type 25), version 0, flexible.
//!
//! Generated from `schema/metadata_records/abort_transaction_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// Closes such a run: it never happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AbortTransactionRecord {
    pub reason: Option<Str>,
}

impl Fields for AbortTransactionRecord {
    const MIN_BYTES: usize = 1;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let mut it = AbortTransactionRecord { reason: None };
        r.tags(|r, tag| {
            if tag == 0 {
                it.reason = r.nullable_string()?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.tags(|tags| {
            if self.reason.is_some() {
                tags.field(0, |w| w.nullable_string(&self.reason))?;
            }
            Ok(())
        })
    }
}

impl Message for AbortTransactionRecord {
    const NAME: &'static str = "AbortTransactionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for AbortTransactionRecord {
    const ID: i16 = 25;
}

impl Json for AbortTransactionRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            if self.reason.is_some() {
                out.field("reason", &self.reason, version);
            }
        })
    }
}
