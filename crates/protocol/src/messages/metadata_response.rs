//! MetadataResponse (API key 3), versions 0-13, flexible from 9.
//!
//! Generated from `schema/wire/metadata_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The cluster as this broker knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponse {
    /// v3+.
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker>,
    /// v2+.
    pub cluster_id: Option<Str>,
    /// v1+.
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic>,
    /// v8–10. Bits by operation; i32::MIN when not asked for.
    pub cluster_authorized_operations: i32,
    /// v13+.
    pub error_code: i16,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        MetadataResponse {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: i32::MIN,
            error_code: 0,
        }
    }
}

impl Fields for MetadataResponse {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = MetadataResponse {
            throttle_time_ms: if version >= 3 { r.i32()? } else { 0 },
            brokers: r.structs(version)?,
            cluster_id: if version >= 2 { r.nullable_string()? } else { None },
            controller_id: if version >= 1 { r.i32()? } else { -1 },
            topics: r.structs(version)?,
            cluster_authorized_operations: if (8..=10).contains(&version) {
                r.i32()?
            } else {
                i32::MIN
            },
            error_code: if version >= 13 { r.i16()? } else { 0 },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 3 {
            w.i32(self.throttle_time_ms);
        }
        w.structs(&self.brokers, version)?;
        if version >= 2 {
            w.nullable_string(&self.cluster_id)?;
        }
        if version >= 1 {
            w.i32(self.controller_id);
        }
        w.structs(&self.topics, version)?;
        if (8..=10).contains(&version) {
            w.i32(self.cluster_authorized_operations);
        } else {
            w.only_default(
                self.cluster_authorized_operations == i32::MIN,
                "cluster_authorized_operations",
            )?;
        }
        if version >= 13 {
            w.i16(self.error_code);
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for MetadataResponse {
    const NAME: &'static str = "MetadataResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=13;
    const FLEXIBLE_FROM: Option<i16> = Some(9);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataResponseBroker {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    /// v1+.
    pub rack: Option<Str>,
}

impl Fields for MetadataResponseBroker {
    const MIN_BYTES: usize = 10;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = MetadataResponseBroker {
            node_id: r.i32()?,
            host: r.string()?,
            port: r.i32()?,
            rack: if version >= 1 { r.nullable_string()? } else { None },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.string(&self.host)?;
        w.i32(self.port);
        if version >= 1 {
            w.nullable_string(&self.rack)?;
        }
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseTopic {
    pub error_code: i16,
    pub name: Option<Str>,
    /// v10+.
    pub topic_id: Uuid,
    /// v1+.
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    /// v8+. Bits by operation; i32::MIN when not asked for.
    pub topic_authorized_operations: i32,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        MetadataResponseTopic {
            error_code: 0,
            name: Some(Str::default()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: i32::MIN,
        }
    }
}

impl Fields for MetadataResponseTopic {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = MetadataResponseTopic {
            error_code: r.i16()?,
            name: if version >= 12 { r.nullable_string()? } else { Some(r.string()?) },
            topic_id: if version >= 10 { r.uuid()? } else { Uuid::ZERO },
            is_internal: if version >= 1 { r.bool()? } else { false },
            partitions: r.structs(version)?,
            topic_authorized_operations: if version >= 8 { r.i32()? } else { i32::MIN },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.error_code);
        if version >= 12 {
            w.nullable_string(&self.name)?;
        } else {
            w.string(w.non_null(&self.name, "name")?)?;
        };
        if version >= 10 {
            w.uuid(self.topic_id);
        }
        if version >= 1 {
            w.bool(self.is_internal);
        }
        w.structs(&self.partitions, version)?;
        if version >= 8 {
            w.i32(self.topic_authorized_operations);
        } else {
            w.only_default(
                self.topic_authorized_operations == i32::MIN,
                "topic_authorized_operations",
            )?;
        }
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    /// -1 when nobody leads.
    pub leader_id: i32,
    /// v7+.
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    /// v5+.
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        MetadataResponsePartition {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
        }
    }
}

impl Fields for MetadataResponsePartition {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = MetadataResponsePartition {
            error_code: r.i16()?,
            partition_index: r.i32()?,
            leader_id: r.i32()?,
            leader_epoch: if version >= 7 { r.i32()? } else { -1 },
            replica_nodes: r.array(4, Reader::i32)?,
            isr_nodes: r.array(4, Reader::i32)?,
            offline_replicas: if version >= 5 { r.array(4, Reader::i32)? } else { Vec::new() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.error_code);
        w.i32(self.partition_index);
        w.i32(self.leader_id);
        if version >= 7 {
            w.i32(self.leader_epoch);
        }
        w.array(&self.replica_nodes, Writer::i32)?;
        w.array(&self.isr_nodes, Writer::i32)?;
        if version >= 5 {
            w.array(&self.offline_replicas, Writer::i32)?;
        }
        w.no_tags();
        Ok(())
    }
}
