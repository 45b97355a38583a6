//! OffsetCommitRequest (API key 8), versions 2-10, flexible from 8.
//!
//! Generated from `schema/wire/offset_commit_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::OffsetCommitResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Stores a group's positions.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    pub group_id: Str,
    /// -1 from a consumer that manages its partitions by itself.
    pub generation_id_or_member_epoch: i32,
    pub member_id: Str,
    /// v7+.
    pub group_instance_id: Option<Str>,
    /// v2–4. -1 for the broker's default.
    pub retention_time_ms: i64,
    pub topics: Vec<OffsetCommitRequestTopic>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        OffsetCommitRequest {
            group_id: Str::default(),
            generation_id_or_member_epoch: -1,
            member_id: Str::default(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
        }
    }
}

impl Fields for OffsetCommitRequest {
    const MIN_BYTES: usize = 9;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = OffsetCommitRequest {
            group_id: r.string()?,
            generation_id_or_member_epoch: r.i32()?,
            member_id: r.string()?,
            group_instance_id: if version >= 7 { r.nullable_string()? } else { None },
            retention_time_ms: if version <= 4 { r.i64()? } else { -1 },
            topics: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        w.i32(self.generation_id_or_member_epoch);
        w.string(&self.member_id)?;
        if version >= 7 {
            w.nullable_string(&self.group_instance_id)?;
        } else {
            w.only_default(self.group_instance_id.is_none(), "group_instance_id")?;
        }
        if version <= 4 {
            w.i64(self.retention_time_ms);
        }
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for OffsetCommitRequest {
    const NAME: &'static str = "OffsetCommitRequest";
    const VERSIONS: RangeInclusive<i16> = 2..=10;
    const FLEXIBLE_FROM: Option<i16> = Some(8);
}

impl Request for OffsetCommitRequest {
    const KEY: ApiKey = ApiKey::OffsetCommit;
    type Response = OffsetCommitResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitRequestTopic {
    /// v2–9.
    pub name: Str,
    /// v10+.
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

impl Fields for OffsetCommitRequestTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = OffsetCommitRequestTopic {
            name: if version <= 9 { r.string()? } else { Str::default() },
            topic_id: if version >= 10 { r.uuid()? } else { Uuid::ZERO },
            partitions: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version <= 9 {
            w.string(&self.name)?;
        }
        if version >= 10 {
            w.uuid(self.topic_id);
        }
        w.structs(&self.partitions, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    /// v6+.
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<Str>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        OffsetCommitRequestPartition {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(Str::default()),
        }
    }
}

impl Fields for OffsetCommitRequestPartition {
    const MIN_BYTES: usize = 14;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = OffsetCommitRequestPartition {
            partition_index: r.i32()?,
            committed_offset: r.i64()?,
            committed_leader_epoch: if version >= 6 { r.i32()? } else { -1 },
            committed_metadata: r.nullable_string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i64(self.committed_offset);
        if version >= 6 {
            w.i32(self.committed_leader_epoch);
        }
        w.nullable_string(&self.committed_metadata)?;
        w.no_tags();
        Ok(())
    }
}
