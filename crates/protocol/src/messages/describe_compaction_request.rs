//! DescribeCompactionRequest (API key 20001), version 0, flexible.
//!
//! Generated from `schema/wire/describe_compaction_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::DescribeCompactionResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Asks why partitions are not being compacted at present. Ottla's own: Kafka has no such question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeCompactionRequest {
    pub topics: Vec<TopicRequest>,
}

impl Fields for DescribeCompactionRequest {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribeCompactionRequest { topics: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for DescribeCompactionRequest {
    const NAME: &'static str = "DescribeCompactionRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for DescribeCompactionRequest {
    const KEY: ApiKey = ApiKey::DescribeCompaction;
    type Response = DescribeCompactionResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicRequest {
    pub name: Str,
    pub partition_indexes: Vec<i32>,
}

impl Fields for TopicRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = TopicRequest { name: r.string()?, partition_indexes: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.array(&self.partition_indexes, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
