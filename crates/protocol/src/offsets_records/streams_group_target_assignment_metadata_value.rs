//! StreamsGroupTargetAssignmentMetadataValue (key version 20), version 0, flexible.
//!
//! Generated from `schema/offsets_records/streams_group_target_assignment_metadata_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Writer};

/// The epoch of the target assignment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupTargetAssignmentMetadataValue {
    pub assignment_epoch: i32,
}

impl Fields for StreamsGroupTargetAssignmentMetadataValue {
    const MIN_BYTES: usize = 5;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = StreamsGroupTargetAssignmentMetadataValue { assignment_epoch: r.i32()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.assignment_epoch);
        w.no_tags();
        Ok(())
    }
}

impl Message for StreamsGroupTargetAssignmentMetadataValue {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for StreamsGroupTargetAssignmentMetadataValue {
    const ID: i16 = 20;
}
