//! StreamsGroupCurrentMemberAssignmentValue (key version 22), version 0, flexible.
//!
//! Generated from `schema/offsets_records/streams_group_current_member_assignment_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// The tasks a member holds and those it has yet to give back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    pub member_epoch: i32,
    pub previous_member_epoch: i32,
    pub state: i8,
    pub active_tasks: Vec<TaskIds>,
    pub standby_tasks: Vec<TaskIds>,
    pub warmup_tasks: Vec<TaskIds>,
    pub active_tasks_pending_revocation: Vec<TaskIds>,
    pub standby_tasks_pending_revocation: Vec<TaskIds>,
    pub warmup_tasks_pending_revocation: Vec<TaskIds>,
}

impl Fields for StreamsGroupCurrentMemberAssignmentValue {
    const MIN_BYTES: usize = 16;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = StreamsGroupCurrentMemberAssignmentValue {
            member_epoch: r.i32()?,
            previous_member_epoch: r.i32()?,
            state: r.i8()?,
            active_tasks: r.structs(version)?,
            standby_tasks: r.structs(version)?,
            warmup_tasks: r.structs(version)?,
            active_tasks_pending_revocation: r.structs(version)?,
            standby_tasks_pending_revocation: r.structs(version)?,
            warmup_tasks_pending_revocation: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.member_epoch);
        w.i32(self.previous_member_epoch);
        w.i8(self.state);
        w.structs(&self.active_tasks, version)?;
        w.structs(&self.standby_tasks, version)?;
        w.structs(&self.warmup_tasks, version)?;
        w.structs(&self.active_tasks_pending_revocation, version)?;
        w.structs(&self.standby_tasks_pending_revocation, version)?;
        w.structs(&self.warmup_tasks_pending_revocation, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for StreamsGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "StreamsGroupCurrentMemberAssignmentValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for StreamsGroupCurrentMemberAssignmentValue {
    const ID: i16 = 22;
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskIds {
    pub subtopology_id: Str,
    pub partitions: Vec<i32>,
    pub assignment_epochs: Option<Vec<i32>>,
}

impl Default for TaskIds {
    fn default() -> Self {
        TaskIds {
            subtopology_id: Str::default(),
            partitions: Vec::new(),
            assignment_epochs: Some(Vec::new()),
        }
    }
}

impl Fields for TaskIds {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let mut it = TaskIds {
            subtopology_id: r.string()?,
            partitions: r.array(4, Reader::i32)?,
            assignment_epochs: Some(Vec::new()),
        };
        r.tags(|r, tag| {
            if tag == 0 {
                it.assignment_epochs = r.nullable_array(4, Reader::i32)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.subtopology_id)?;
        w.array(&self.partitions, Writer::i32)?;
        w.tags(|tags| {
            if !self.assignment_epochs.as_ref().is_some_and(|it| it.is_empty()) {
                tags.field(0, |w| w.nullable_array(&self.assignment_epochs, Writer::i32))?;
            }
            Ok(())
        })
    }
}
