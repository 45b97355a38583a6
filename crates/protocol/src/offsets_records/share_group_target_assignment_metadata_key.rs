//! ShareGroupTargetAssignmentMetadataKey (key version 12), version 0, never flexible.
//!
//! Generated from `schema/offsets_records/share_group_target_assignment_metadata_key.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// Key of a share group's target assignment epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupTargetAssignmentMetadataKey {
    pub group_id: Str,
}

impl Fields for ShareGroupTargetAssignmentMetadataKey {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(ShareGroupTargetAssignmentMetadataKey { group_id: r.string()? })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        Ok(())
    }
}

impl Message for ShareGroupTargetAssignmentMetadataKey {
    const NAME: &'static str = "ShareGroupTargetAssignmentMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Numbered for ShareGroupTargetAssignmentMetadataKey {
    const ID: i16 = 12;
}
