//! ShareGroupMemberMetadataKey (key version 10), version 0, never flexible.
//!
//! Generated from `schema/offsets_records/share_group_member_metadata_key.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// Key of a share group member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupMemberMetadataKey {
    pub group_id: Str,
    pub member_id: Str,
}

impl Fields for ShareGroupMemberMetadataKey {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(ShareGroupMemberMetadataKey { group_id: r.string()?, member_id: r.string()? })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        w.string(&self.member_id)?;
        Ok(())
    }
}

impl Message for ShareGroupMemberMetadataKey {
    const NAME: &'static str = "ShareGroupMemberMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Numbered for ShareGroupMemberMetadataKey {
    const ID: i16 = 10;
}
