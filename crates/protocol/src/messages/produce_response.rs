//! ProduceResponse (API key 0), versions 3-13, flexible from 9.
//!
//! Generated from `schema/wire/produce_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// Where each batch landed, or why it did not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProduceResponse {
    pub responses: Vec<TopicProduceResponse>,
    pub throttle_time_ms: i32,
    /// v10+. Where the leaders named in current_leader live (KIP-951).
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Fields for ProduceResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = ProduceResponse {
            responses: r.structs(version)?,
            throttle_time_ms: r.i32()?,
            node_endpoints: Vec::new(),
        };
        r.tags(|r, tag| {
            if tag == 0 && version >= 10 {
                it.node_endpoints = r.structs(version)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.responses, version)?;
        w.i32(self.throttle_time_ms);
        if version < 10 {
            w.only_default(self.node_endpoints.is_empty(), "node_endpoints")?;
        }
        w.tags(|tags| {
            if version >= 10 && !self.node_endpoints.is_empty() {
                tags.field(0, |w| w.structs(&self.node_endpoints, version))?;
            }
            Ok(())
        })
    }
}

impl Message for ProduceResponse {
    const NAME: &'static str = "ProduceResponse";
    const VERSIONS: RangeInclusive<i16> = 3..=13;
    const FLEXIBLE_FROM: Option<i16> = Some(9);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicProduceResponse {
    /// v3–12.
    pub name: Str,
    /// v13+.
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse>,
}

impl Fields for TopicProduceResponse {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = TopicProduceResponse {
            name: if version <= 12 { r.string()? } else { Str::default() },
            topic_id: if version >= 13 { r.uuid()? } else { Uuid::ZERO },
            partition_responses: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version <= 12 {
            w.string(&self.name)?;
        }
        if version >= 13 {
            w.uuid(self.topic_id);
        }
        w.structs(&self.partition_responses, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: i16,
    /// Offset of the first record.
    pub base_offset: i64,
    /// -1 unless the topic stamps records itself.
    pub log_append_time_ms: i64,
    /// v5+.
    pub log_start_offset: i64,
    /// v8+.
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// v8+.
    pub error_message: Option<Str>,
    /// v10+.
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        PartitionProduceResponse {
            index: 0,
            error_code: 0,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: LeaderIdAndEpoch::default(),
        }
    }
}

impl Fields for PartitionProduceResponse {
    const MIN_BYTES: usize = 22;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = PartitionProduceResponse {
            index: r.i32()?,
            error_code: r.i16()?,
            base_offset: r.i64()?,
            log_append_time_ms: r.i64()?,
            log_start_offset: if version >= 5 { r.i64()? } else { -1 },
            record_errors: if version >= 8 { r.structs(version)? } else { Vec::new() },
            error_message: if version >= 8 { r.nullable_string()? } else { None },
            current_leader: LeaderIdAndEpoch::default(),
        };
        r.tags(|r, tag| {
            if tag == 0 && version >= 10 {
                it.current_leader = r.structure(version)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.index);
        w.i16(self.error_code);
        w.i64(self.base_offset);
        w.i64(self.log_append_time_ms);
        if version >= 5 {
            w.i64(self.log_start_offset);
        }
        if version >= 8 {
            w.structs(&self.record_errors, version)?;
            w.nullable_string(&self.error_message)?;
        }
        if version < 10 {
            w.only_default(self.current_leader == LeaderIdAndEpoch::default(), "current_leader")?;
        }
        w.tags(|tags| {
            if version >= 10 && self.current_leader != LeaderIdAndEpoch::default() {
                tags.field(0, |w| self.current_leader.write(w, version))?;
            }
            Ok(())
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchIndexAndErrorMessage {
    /// Index of the record, not of a batch.
    pub batch_index: i32,
    pub batch_index_error_message: Option<Str>,
}

impl Fields for BatchIndexAndErrorMessage {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = BatchIndexAndErrorMessage {
            batch_index: r.i32()?,
            batch_index_error_message: r.nullable_string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.batch_index);
        w.nullable_string(&self.batch_index_error_message)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        LeaderIdAndEpoch { leader_id: -1, leader_epoch: -1 }
    }
}

impl Fields for LeaderIdAndEpoch {
    const MIN_BYTES: usize = 9;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = LeaderIdAndEpoch { leader_id: r.i32()?, leader_epoch: r.i32()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
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
    pub port: i32,
    pub rack: Option<Str>,
}

impl Fields for NodeEndpoint {
    const MIN_BYTES: usize = 11;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = NodeEndpoint {
            node_id: r.i32()?,
            host: r.string()?,
            port: r.i32()?,
            rack: r.nullable_string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.string(&self.host)?;
        w.i32(self.port);
        w.nullable_string(&self.rack)?;
        w.no_tags();
        Ok(())
    }
}
