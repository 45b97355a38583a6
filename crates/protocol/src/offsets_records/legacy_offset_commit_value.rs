//! LegacyOffsetCommitValue (key version 0), version 0, never flexible.
//!
//! Generated from `schema/offsets_records/legacy_offset_commit_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// A committed offset, as the first releases wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LegacyOffsetCommitValue {
    pub offset: i64,
    pub metadata: Str,
    pub commit_timestamp: i64,
}

impl Fields for LegacyOffsetCommitValue {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(LegacyOffsetCommitValue {
            offset: r.i64()?,
            metadata: r.string()?,
            commit_timestamp: r.i64()?,
        })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i64(self.offset);
        w.string(&self.metadata)?;
        w.i64(self.commit_timestamp);
        Ok(())
    }
}

impl Message for LegacyOffsetCommitValue {
    const NAME: &'static str = "LegacyOffsetCommitValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Numbered for LegacyOffsetCommitValue {
    const ID: i16 = 0;
}
