//! DescribeCompactionResponse (API key 20001), version 0, flexible.
//!
//! Generated from `schema/wire/describe_compaction_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// Why each partition is not being compacted at present, or that it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeCompactionResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<TopicResponse>,
}

impl Fields for DescribeCompactionResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it =
            DescribeCompactionResponse { throttle_time_ms: r.i32()?, topics: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for DescribeCompactionResponse {
    const NAME: &'static str = "DescribeCompactionResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicResponse {
    pub name: Str,
    pub partitions: Vec<PartitionResponse>,
}

impl Fields for TopicResponse {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = TopicResponse { name: r.string()?, partitions: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.structs(&self.partitions, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionResponse {
    pub partition_index: i32,
    pub error_code: i16,
    /// In one word, for programs.
    pub state: Str,
    /// The same for people.
    pub reason: Str,
    /// The share that was not compacted yet; -1 if that is not the reason.
    pub dirty_ratio: f64,
    /// The producer whose open transaction is in the way; -1 if none is.
    pub producer_id: i64,
    /// Where the transaction began, or what else is in the way; -1 if no offset says it.
    pub offset: i64,
}

impl Default for PartitionResponse {
    fn default() -> Self {
        PartitionResponse {
            partition_index: 0,
            error_code: 0,
            state: Str::default(),
            reason: Str::default(),
            dirty_ratio: -1.0,
            producer_id: -1,
            offset: -1,
        }
    }
}

impl Fields for PartitionResponse {
    const MIN_BYTES: usize = 33;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = PartitionResponse {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            state: r.string()?,
            reason: r.string()?,
            dirty_ratio: r.f64()?,
            producer_id: r.i64()?,
            offset: r.i64()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i16(self.error_code);
        w.string(&self.state)?;
        w.string(&self.reason)?;
        w.f64(self.dirty_ratio);
        w.i64(self.producer_id);
        w.i64(self.offset);
        w.no_tags();
        Ok(())
    }
}
