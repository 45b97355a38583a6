//! ShareGroupMetadataKey (key version 11), version 0, never flexible.
//!
//! Generated from `schema/offsets_records/share_group_metadata_key.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// Key of a share group's epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupMetadataKey {
    pub group_id: Str,
}

impl Fields for ShareGroupMetadataKey {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(ShareGroupMetadataKey { group_id: r.string()? })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        Ok(())
    }
}

impl Message for ShareGroupMetadataKey {
    const NAME: &'static str = "ShareGroupMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Numbered for ShareGroupMetadataKey {
    const ID: i16 = 11;
}
