//! BeginQuorumEpochResponse (API key 53), versions 0-1, flexible from 1.
//!
//! Generated from `schema/wire/begin_quorum_epoch_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// Whether the voter follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BeginQuorumEpochResponse {
    pub error_code: i16,
    pub topics: Vec<TopicData>,
    /// v1+.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Fields for BeginQuorumEpochResponse {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = BeginQuorumEpochResponse {
            error_code: r.i16()?,
            topics: r.structs(version)?,
            node_endpoints: Vec::new(),
        };
        r.tags(|r, tag| {
            if tag == 0 {
                it.node_endpoints = r.structs(version)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.error_code);
        w.structs(&self.topics, version)?;
        if version < 1 {
            w.only_default(self.node_endpoints.is_empty(), "node_endpoints")?;
        }
        w.tags(|tags| {
            if !self.node_endpoints.is_empty() {
                tags.field(0, |w| w.structs(&self.node_endpoints, version))?;
            }
            Ok(())
        })
    }
}

impl Message for BeginQuorumEpochResponse {
    const NAME: &'static str = "BeginQuorumEpochResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicData {
    pub topic_name: Str,
    pub partitions: Vec<PartitionData>,
}

impl Fields for TopicData {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = TopicData { topic_name: r.string()?, partitions: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.topic_name)?;
        w.structs(&self.partitions, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl Fields for PartitionData {
    const MIN_BYTES: usize = 14;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = PartitionData {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i16(self.error_code);
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: Str,
    pub port: u16,
}

impl Fields for NodeEndpoint {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = NodeEndpoint { node_id: r.i32()?, host: r.string()?, port: r.u16()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.string(&self.host)?;
        w.u16(self.port);
        w.no_tags();
        Ok(())
    }
}
