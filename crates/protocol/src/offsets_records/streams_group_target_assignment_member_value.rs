//! StreamsGroupTargetAssignmentMemberValue (key version 21), version 0, flexible.
//!
//! Generated from `schema/offsets_records/streams_group_target_assignment_member_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// The tasks a member should end up with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupTargetAssignmentMemberValue {
    pub active_tasks: Vec<TaskIds>,
    pub standby_tasks: Vec<TaskIds>,
    pub warmup_tasks: Vec<TaskIds>,
}

impl Fields for StreamsGroupTargetAssignmentMemberValue {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = StreamsGroupTargetAssignmentMemberValue {
            active_tasks: r.structs(version)?,
            standby_tasks: r.structs(version)?,
            warmup_tasks: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.active_tasks, version)?;
        w.structs(&self.standby_tasks, version)?;
        w.structs(&self.warmup_tasks, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for StreamsGroupTargetAssignmentMemberValue {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMemberValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for StreamsGroupTargetAssignmentMemberValue {
    const ID: i16 = 21;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskIds {
    pub subtopology_id: Str,
    pub partitions: Vec<i32>,
}

impl Fields for TaskIds {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = TaskIds { subtopology_id: r.string()?, partitions: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.subtopology_id)?;
        w.array(&self.partitions, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
