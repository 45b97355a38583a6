//! ListOffsetsRequest (API key 2), versions 1-11, flexible from 6.
//!
//! Generated from `schema/wire/list_offsets_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::ListOffsetsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Finds offsets by timestamp, or by one of the negative special timestamps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsRequest {
    pub replica_id: i32,
    /// v2+.
    pub isolation_level: i8,
    pub topics: Vec<ListOffsetsTopic>,
    /// v10+.
    pub timeout_ms: i32,
}

impl Fields for ListOffsetsRequest {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ListOffsetsRequest {
            replica_id: r.i32()?,
            isolation_level: if version >= 2 { r.i8()? } else { 0 },
            topics: r.structs(version)?,
            timeout_ms: if version >= 10 { r.i32()? } else { 0 },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.replica_id);
        if version >= 2 {
            w.i8(self.isolation_level);
        } else {
            w.only_default(self.isolation_level == 0, "isolation_level")?;
        }
        w.structs(&self.topics, version)?;
        if version >= 10 {
            w.i32(self.timeout_ms);
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for ListOffsetsRequest {
    const NAME: &'static str = "ListOffsetsRequest";
    const VERSIONS: RangeInclusive<i16> = 1..=11;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Request for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;
    type Response = ListOffsetsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsTopic {
    pub name: Str,
    pub partitions: Vec<ListOffsetsPartition>,
}

impl Fields for ListOffsetsTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ListOffsetsTopic { name: r.string()?, partitions: r.structs(version)? };
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
pub struct ListOffsetsPartition {
    pub partition_index: i32,
    /// v4+.
    pub current_leader_epoch: i32,
    /// -1 latest, -2 earliest, -3 largest timestamp, -4 earliest local, -5 latest tiered,
    /// -6 earliest not yet uploaded.
    pub timestamp: i64,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        ListOffsetsPartition { partition_index: 0, current_leader_epoch: -1, timestamp: 0 }
    }
}

impl Fields for ListOffsetsPartition {
    const MIN_BYTES: usize = 12;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ListOffsetsPartition {
            partition_index: r.i32()?,
            current_leader_epoch: if version >= 4 { r.i32()? } else { -1 },
            timestamp: r.i64()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        if version >= 4 {
            w.i32(self.current_leader_epoch);
        }
        w.i64(self.timestamp);
        w.no_tags();
        Ok(())
    }
}
