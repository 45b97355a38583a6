//! DescribeLogDirsRequest (API key 35), versions 1-4, flexible from 2.
//!
//! Generated from `schema/wire/describe_log_dirs_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::DescribeLogDirsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Asks what each log directory of this broker holds.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsRequest {
    pub topics: Option<Vec<DescribableLogDirTopic>>,
}

impl Default for DescribeLogDirsRequest {
    fn default() -> Self {
        DescribeLogDirsRequest { topics: Some(Vec::new()) }
    }
}

impl Fields for DescribeLogDirsRequest {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribeLogDirsRequest { topics: r.nullable_structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.nullable_structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for DescribeLogDirsRequest {
    const NAME: &'static str = "DescribeLogDirsRequest";
    const VERSIONS: RangeInclusive<i16> = 1..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for DescribeLogDirsRequest {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
    type Response = DescribeLogDirsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribableLogDirTopic {
    pub topic: Str,
    pub partitions: Vec<i32>,
}

impl Fields for DescribableLogDirTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it =
            DescribableLogDirTopic { topic: r.string()?, partitions: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.topic)?;
        w.array(&self.partitions, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
