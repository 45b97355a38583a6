//! ProduceRequest (API key 0), versions 3-13, flexible from 9.
//!
//! Generated from `schema/wire/produce_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;
use types::Uuid;

use crate::messages::ProduceResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Appends record batches to partitions that this broker leads.
/// With acks 0 no response is sent. v13 names topics by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProduceRequest {
    /// Null outside transactions.
    pub transactional_id: Option<Str>,
    /// 0 no answer, 1 once the leader has it, -1 once every in-sync replica has it.
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Vec<TopicProduceData>,
}

impl Fields for ProduceRequest {
    const MIN_BYTES: usize = 9;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ProduceRequest {
            transactional_id: r.nullable_string()?,
            acks: r.i16()?,
            timeout_ms: r.i32()?,
            topic_data: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.nullable_string(&self.transactional_id)?;
        w.i16(self.acks);
        w.i32(self.timeout_ms);
        w.structs(&self.topic_data, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ProduceRequest {
    const NAME: &'static str = "ProduceRequest";
    const VERSIONS: RangeInclusive<i16> = 3..=13;
    const FLEXIBLE_FROM: Option<i16> = Some(9);
}

impl Request for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;
    type Response = ProduceResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicProduceData {
    /// v3–12.
    pub name: Str,
    /// v13+.
    pub topic_id: Uuid,
    pub partition_data: Vec<PartitionProduceData>,
}

impl Fields for TopicProduceData {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = TopicProduceData {
            name: if version <= 12 { r.string()? } else { Str::default() },
            topic_id: if version >= 13 { r.uuid()? } else { Uuid::ZERO },
            partition_data: r.structs(version)?,
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
        w.structs(&self.partition_data, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionProduceData {
    pub index: i32,
    /// One batch; opaque here.
    pub records: Option<Bytes>,
}

impl Fields for PartitionProduceData {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = PartitionProduceData { index: r.i32()?, records: r.nullable_records()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.index);
        w.nullable_records(&self.records)?;
        w.no_tags();
        Ok(())
    }
}
