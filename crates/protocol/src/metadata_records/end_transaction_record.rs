//! EndTransactionRecord (record type 24), version 0, flexible.
//!
//! Generated from `schema/metadata_records/end_transaction_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// Closes such a run: it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndTransactionRecord {}

impl Fields for EndTransactionRecord {
    const MIN_BYTES: usize = 1;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = EndTransactionRecord {};
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.no_tags();
        Ok(())
    }
}

impl Message for EndTransactionRecord {
    const NAME: &'static str = "EndTransactionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for EndTransactionRecord {
    const ID: i16 = 24;
}

impl Json for EndTransactionRecord {
    fn json(&self, out: &mut JsonText, _version: i16) {
        out.object(|_| {})
    }
}
