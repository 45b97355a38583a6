//! FetchSnapshotRequest (API key 59), versions 0-1, flexible.
//!
//! Generated from `schema/wire/fetch_snapshot_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::FetchSnapshotResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Reads a slice of a metadata snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchSnapshotRequest {
    pub cluster_id: Option<Str>,
    pub replica_id: i32,
    pub max_bytes: i32,
    pub topics: Vec<TopicSnapshot>,
}

impl Default for FetchSnapshotRequest {
    fn default() -> Self {
        FetchSnapshotRequest {
            cluster_id: None,
            replica_id: -1,
            max_bytes: i32::MAX,
            topics: Vec::new(),
        }
    }
}

impl Fields for FetchSnapshotRequest {
    const MIN_BYTES: usize = 10;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = FetchSnapshotRequest {
            cluster_id: None,
            replica_id: r.i32()?,
            max_bytes: r.i32()?,
            topics: r.structs(version)?,
        };
        r.tags(|r, tag| {
            if tag == 0 {
                it.cluster_id = r.nullable_string()?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.replica_id);
        w.i32(self.max_bytes);
        w.structs(&self.topics, version)?;
        w.tags(|tags| {
            if self.cluster_id.is_some() {
                tags.field(0, |w| w.nullable_string(&self.cluster_id))?;
            }
            Ok(())
        })
    }
}

impl Message for FetchSnapshotRequest {
    const NAME: &'static str = "FetchSnapshotRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for FetchSnapshotRequest {
    const KEY: ApiKey = ApiKey::FetchSnapshot;
    type Response = FetchSnapshotResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicSnapshot {
    pub name: Str,
    pub partitions: Vec<PartitionSnapshot>,
}

impl Fields for TopicSnapshot {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = TopicSnapshot { name: r.string()?, partitions: r.structs(version)? };
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
pub struct PartitionSnapshot {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub snapshot_id: SnapshotId,
    pub position: i64,
    /// v1+.
    pub replica_directory_id: Uuid,
}

impl Fields for PartitionSnapshot {
    const MIN_BYTES: usize = 30;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = PartitionSnapshot {
            partition: r.i32()?,
            current_leader_epoch: r.i32()?,
            snapshot_id: r.structure(version)?,
            position: r.i64()?,
            replica_directory_id: Uuid::ZERO,
        };
        r.tags(|r, tag| {
            if tag == 0 && version >= 1 {
                it.replica_directory_id = r.uuid()?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.i32(self.current_leader_epoch);
        self.snapshot_id.write(w, version)?;
        w.i64(self.position);
        w.tags(|tags| {
            if version >= 1 && !self.replica_directory_id.is_zero() {
                tags.field(0, |w| {
                    w.uuid(self.replica_directory_id);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
}

impl Fields for SnapshotId {
    const MIN_BYTES: usize = 13;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = SnapshotId { end_offset: r.i64()?, epoch: r.i32()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i64(self.end_offset);
        w.i32(self.epoch);
        w.no_tags();
        Ok(())
    }
}
