//! FetchSnapshotResponse (API key 59), versions 0-1, flexible.
//!
//! Generated from `schema/wire/fetch_snapshot_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// A slice of the snapshot and its total size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchSnapshotResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub topics: Vec<TopicSnapshot>,
    /// v1+.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Fields for FetchSnapshotResponse {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = FetchSnapshotResponse {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            topics: r.structs(version)?,
            node_endpoints: Vec::new(),
        };
        r.tags(|r, tag| {
            if tag == 0 && version >= 1 {
                it.node_endpoints = r.structs(version)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.i16(self.error_code);
        w.structs(&self.topics, version)?;
        if version < 1 {
            w.only_default(self.node_endpoints.is_empty(), "node_endpoints")?;
        }
        w.tags(|tags| {
            if version >= 1 && !self.node_endpoints.is_empty() {
                tags.field(0, |w| w.structs(&self.node_endpoints, version))?;
            }
            Ok(())
        })
    }
}

impl Message for FetchSnapshotResponse {
    const NAME: &'static str = "FetchSnapshotResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
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
    pub index: i32,
    pub error_code: i16,
    pub snapshot_id: SnapshotId,
    pub current_leader: LeaderIdAndEpoch,
    pub size: i64,
    pub position: i64,
    pub unaligned_records: Option<Bytes>,
}

impl Fields for PartitionSnapshot {
    const MIN_BYTES: usize = 37;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = PartitionSnapshot {
            index: r.i32()?,
            error_code: r.i16()?,
            snapshot_id: r.structure(version)?,
            current_leader: LeaderIdAndEpoch::default(),
            size: r.i64()?,
            position: r.i64()?,
            unaligned_records: Some(r.records()?),
        };
        r.tags(|r, tag| {
            if tag == 0 {
                it.current_leader = r.structure(version)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.index);
        w.i16(self.error_code);
        self.snapshot_id.write(w, version)?;
        w.i64(self.size);
        w.i64(self.position);
        w.records(w.non_null(&self.unaligned_records, "unaligned_records")?)?;
        w.tags(|tags| {
            if self.current_leader != LeaderIdAndEpoch::default() {
                tags.field(0, |w| self.current_leader.write(w, version))?;
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

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
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
    pub port: u16,
}

impl Fields for NodeEndpoint {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = NodeEndpoint { node_id: r.i32()?, host: r.string()?, port: r.u16()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.string(&self.host)?;
        w.u16(self.port);
        w.no_tags();
        Ok(())
    }
}
