//! StreamsGroupTopologyValue (key version 23), version 0, flexible.
//!
//! Generated from `schema/offsets_records/streams_group_topology_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// The topology a Streams group runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupTopologyValue {
    pub epoch: i32,
    pub subtopologies: Vec<Subtopology>,
}

impl Fields for StreamsGroupTopologyValue {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = StreamsGroupTopologyValue { epoch: r.i32()?, subtopologies: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.epoch);
        w.structs(&self.subtopologies, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for StreamsGroupTopologyValue {
    const NAME: &'static str = "StreamsGroupTopologyValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for StreamsGroupTopologyValue {
    const ID: i16 = 23;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subtopology {
    pub subtopology_id: Str,
    pub source_topics: Vec<Str>,
    pub source_topic_regex: Vec<Str>,
    pub state_changelog_topics: Vec<TopicInfo>,
    pub repartition_sink_topics: Vec<Str>,
    pub repartition_source_topics: Vec<TopicInfo>,
    pub copartition_groups: Vec<CopartitionGroup>,
}

impl Fields for Subtopology {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = Subtopology {
            subtopology_id: r.string()?,
            source_topics: r.array(1, Reader::string)?,
            source_topic_regex: r.array(1, Reader::string)?,
            state_changelog_topics: r.structs(version)?,
            repartition_sink_topics: r.array(1, Reader::string)?,
            repartition_source_topics: r.structs(version)?,
            copartition_groups: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.subtopology_id)?;
        w.strings(&self.source_topics)?;
        w.strings(&self.source_topic_regex)?;
        w.structs(&self.state_changelog_topics, version)?;
        w.strings(&self.repartition_sink_topics)?;
        w.structs(&self.repartition_source_topics, version)?;
        w.structs(&self.copartition_groups, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CopartitionGroup {
    pub source_topics: Vec<i16>,
    pub source_topic_regex: Vec<i16>,
    pub repartition_source_topics: Vec<i16>,
}

impl Fields for CopartitionGroup {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = CopartitionGroup {
            source_topics: r.array(2, Reader::i16)?,
            source_topic_regex: r.array(2, Reader::i16)?,
            repartition_source_topics: r.array(2, Reader::i16)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.array(&self.source_topics, Writer::i16)?;
        w.array(&self.source_topic_regex, Writer::i16)?;
        w.array(&self.repartition_source_topics, Writer::i16)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicConfig {
    pub key: Str,
    pub value: Str,
}

impl Fields for TopicConfig {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = TopicConfig { key: r.string()?, value: r.string()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.key)?;
        w.string(&self.value)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicInfo {
    pub name: Str,
    pub partitions: i32,
    pub replication_factor: i16,
    pub topic_configs: Vec<TopicConfig>,
}

impl Fields for TopicInfo {
    const MIN_BYTES: usize = 9;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = TopicInfo {
            name: r.string()?,
            partitions: r.i32()?,
            replication_factor: r.i16()?,
            topic_configs: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i32(self.partitions);
        w.i16(self.replication_factor);
        w.structs(&self.topic_configs, version)?;
        w.no_tags();
        Ok(())
    }
}
