//! AlterPartitionReassignmentsRequest (API key 45), versions 0-1, flexible.
//!
//! Generated from `schema/wire/alter_partition_reassignments_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::AlterPartitionReassignmentsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Gives partitions a new replica set, or cancels a move under way.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionReassignmentsRequest {
    pub timeout_ms: i32,
    /// v1+.
    pub allow_replication_factor_change: bool,
    pub topics: Vec<ReassignableTopic>,
}

impl Default for AlterPartitionReassignmentsRequest {
    fn default() -> Self {
        AlterPartitionReassignmentsRequest {
            timeout_ms: 60000,
            allow_replication_factor_change: true,
            topics: Vec::new(),
        }
    }
}

impl Fields for AlterPartitionReassignmentsRequest {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = AlterPartitionReassignmentsRequest {
            timeout_ms: r.i32()?,
            allow_replication_factor_change: if version >= 1 { r.bool()? } else { true },
            topics: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.timeout_ms);
        if version >= 1 {
            w.bool(self.allow_replication_factor_change);
        } else {
            w.only_default(
                self.allow_replication_factor_change,
                "allow_replication_factor_change",
            )?;
        }
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for AlterPartitionReassignmentsRequest {
    const NAME: &'static str = "AlterPartitionReassignmentsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for AlterPartitionReassignmentsRequest {
    const KEY: ApiKey = ApiKey::AlterPartitionReassignments;
    type Response = AlterPartitionReassignmentsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReassignableTopic {
    pub name: Str,
    pub partitions: Vec<ReassignablePartition>,
}

impl Fields for ReassignableTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ReassignableTopic { name: r.string()?, partitions: r.structs(version)? };
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

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReassignablePartition {
    pub partition_index: i32,
    /// Null cancels the move under way.
    pub replicas: Option<Vec<i32>>,
}

impl Fields for ReassignablePartition {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ReassignablePartition {
            partition_index: r.i32()?,
            replicas: r.nullable_array(4, Reader::i32)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.nullable_array(&self.replicas, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
