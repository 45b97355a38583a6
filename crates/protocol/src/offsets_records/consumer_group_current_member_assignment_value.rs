//! ConsumerGroupCurrentMemberAssignmentValue (key version 8), version 0, flexible.
//!
//! Generated from `schema/offsets_records/consumer_group_current_member_assignment_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Writer};

/// The partitions a member holds and those it has yet to give back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    pub member_epoch: i32,
    pub previous_member_epoch: i32,
    pub state: i8,
    pub assigned_partitions: Vec<TopicPartitions>,
    pub partitions_pending_revocation: Vec<TopicPartitions>,
}

impl Fields for ConsumerGroupCurrentMemberAssignmentValue {
    const MIN_BYTES: usize = 12;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ConsumerGroupCurrentMemberAssignmentValue {
            member_epoch: r.i32()?,
            previous_member_epoch: r.i32()?,
            state: r.i8()?,
            assigned_partitions: r.structs(version)?,
            partitions_pending_revocation: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.member_epoch);
        w.i32(self.previous_member_epoch);
        w.i8(self.state);
        w.structs(&self.assigned_partitions, version)?;
        w.structs(&self.partitions_pending_revocation, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ConsumerGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "ConsumerGroupCurrentMemberAssignmentValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ConsumerGroupCurrentMemberAssignmentValue {
    const ID: i16 = 8;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

impl Fields for TopicPartitions {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = TopicPartitions { topic_id: r.uuid()?, partitions: r.array(4, Reader::i32)? };
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
