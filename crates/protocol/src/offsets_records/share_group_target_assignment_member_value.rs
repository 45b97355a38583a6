//! ShareGroupTargetAssignmentMemberValue (key version 13), version 0, flexible.
//!
//! Generated from `schema/offsets_records/share_group_target_assignment_member_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Writer};

/// The partitions a member should end up with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupTargetAssignmentMemberValue {
    pub topic_partitions: Vec<TopicPartition>,
}

impl Fields for ShareGroupTargetAssignmentMemberValue {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ShareGroupTargetAssignmentMemberValue { topic_partitions: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.topic_partitions, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ShareGroupTargetAssignmentMemberValue {
    const NAME: &'static str = "ShareGroupTargetAssignmentMemberValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ShareGroupTargetAssignmentMemberValue {
    const ID: i16 = 13;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartition {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

impl Fields for TopicPartition {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = TopicPartition { topic_id: r.uuid()?, partitions: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.array(&self.partitions, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
