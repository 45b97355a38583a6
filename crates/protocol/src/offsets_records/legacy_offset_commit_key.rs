//! LegacyOffsetCommitKey (key version 0), version 0, never flexible.
//!
//! Generated from `schema/offsets_records/legacy_offset_commit_key.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// Key of a committed offset, as the first releases wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LegacyOffsetCommitKey {
    pub group: Str,
    pub topic: Str,
    pub partition: i32,
}

impl Fields for LegacyOffsetCommitKey {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(LegacyOffsetCommitKey { group: r.string()?, topic: r.string()?, partition: r.i32()? })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.group)?;
        w.string(&self.topic)?;
        w.i32(self.partition);
        Ok(())
    }
}

impl Message for LegacyOffsetCommitKey {
    const NAME: &'static str = "LegacyOffsetCommitKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Numbered for LegacyOffsetCommitKey {
    const ID: i16 = 0;
}
