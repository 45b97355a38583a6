//! NoOpRecord (record type 20), version 0, flexible.
//!
//! Generated from `schema/metadata_records/no_op_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// Nothing; moves the committed offset so that idle followers see progress.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NoOpRecord {}

impl Fields for NoOpRecord {
    const MIN_BYTES: usize = 1;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = NoOpRecord {};
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.no_tags();
        Ok(())
    }
}

impl Message for NoOpRecord {
    const NAME: &'static str = "NoOpRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for NoOpRecord {
    const ID: i16 = 20;
}

impl Json for NoOpRecord {
    fn json(&self, out: &mut JsonText, _version: i16) {
        out.object(|_| {})
    }
}
