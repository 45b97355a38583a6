//! ConsumerGroupPartitionMetadataValue (key version 4), version 0, flexible.
//!
//! Generated from `schema/offsets_records/consumer_group_partition_metadata_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// The partition counts a consumer group saw; no longer written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupPartitionMetadataValue {
    pub topics: Vec<TopicMetadata>,
}

impl Fields for ConsumerGroupPartitionMetadataValue {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ConsumerGroupPartitionMetadataValue { topics: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ConsumerGroupPartitionMetadataValue {
    const NAME: &'static str = "ConsumerGroupPartitionMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ConsumerGroupPartitionMetadataValue {
    const ID: i16 = 4;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicMetadata {
    pub topic_id: Uuid,
    pub topic_name: Str,
    pub num_partitions: i32,
    pub partition_metadata: Vec<PartitionMetadata>,
}

impl Fields for TopicMetadata {
    const MIN_BYTES: usize = 23;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = TopicMetadata {
            topic_id: r.uuid()?,
            topic_name: r.string()?,
            num_partitions: r.i32()?,
            partition_metadata: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.string(&self.topic_name)?;
        w.i32(self.num_partitions);
        w.structs(&self.partition_metadata, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionMetadata {
    pub partition: i32,
    pub racks: Vec<Str>,
}

impl Fields for PartitionMetadata {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = PartitionMetadata { partition: r.i32()?, racks: r.array(1, Reader::string)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.strings(&self.racks)?;
        w.no_tags();
        Ok(())
    }
}
