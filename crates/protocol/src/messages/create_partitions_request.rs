//! CreatePartitionsRequest (API key 37), versions 0-3, flexible from 2.
//!
//! Generated from `schema/wire/create_partitions_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::CreatePartitionsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Raises the partition count of topics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsRequest {
    pub topics: Vec<CreatePartitionsTopic>,
    pub timeout_ms: i32,
    pub validate_only: bool,
}

impl Fields for CreatePartitionsRequest {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = CreatePartitionsRequest {
            topics: r.structs(version)?,
            timeout_ms: r.i32()?,
            validate_only: r.bool()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.topics, version)?;
        w.i32(self.timeout_ms);
        w.bool(self.validate_only);
        w.no_tags();
        Ok(())
    }
}

impl Message for CreatePartitionsRequest {
    const NAME: &'static str = "CreatePartitionsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for CreatePartitionsRequest {
    const KEY: ApiKey = ApiKey::CreatePartitions;
    type Response = CreatePartitionsResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsTopic {
    pub name: Str,
    pub count: i32,
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

impl Default for CreatePartitionsTopic {
    fn default() -> Self {
        CreatePartitionsTopic { name: Str::default(), count: 0, assignments: Some(Vec::new()) }
    }
}

impl Fields for CreatePartitionsTopic {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = CreatePartitionsTopic {
            name: r.string()?,
            count: r.i32()?,
            assignments: r.nullable_structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i32(self.count);
        w.nullable_structs(&self.assignments, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsAssignment {
    pub broker_ids: Vec<i32>,
}

impl Fields for CreatePartitionsAssignment {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = CreatePartitionsAssignment { broker_ids: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.array(&self.broker_ids, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
