//! FetchResponse (API key 1), versions 4-18, flexible from 12.
//!
//! Generated from `schema/wire/fetch_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;
use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// Record batches, watermarks and session state for each partition asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    /// v7+.
    pub error_code: i16,
    /// v7+.
    pub session_id: i32,
    pub responses: Vec<FetchableTopicResponse>,
    /// v16+.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Fields for FetchResponse {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = FetchResponse {
            throttle_time_ms: r.i32()?,
            error_code: if version >= 7 { r.i16()? } else { 0 },
            session_id: if version >= 7 { r.i32()? } else { 0 },
            responses: r.structs(version)?,
            node_endpoints: Vec::new(),
        };
        r.tags(|r, tag| {
            if tag == 0 && version >= 16 {
                it.node_endpoints = r.structs(version)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        if version >= 7 {
            w.i16(self.error_code);
            w.i32(self.session_id);
        } else {
            w.only_default(self.session_id == 0, "session_id")?;
        }
        w.structs(&self.responses, version)?;
        if version < 16 {
            w.only_default(self.node_endpoints.is_empty(), "node_endpoints")?;
        }
        w.tags(|tags| {
            if version >= 16 && !self.node_endpoints.is_empty() {
                tags.field(0, |w| w.structs(&self.node_endpoints, version))?;
            }
            Ok(())
        })
    }
}

impl Message for FetchResponse {
    const NAME: &'static str = "FetchResponse";
    const VERSIONS: RangeInclusive<i16> = 4..=18;
    const FLEXIBLE_FROM: Option<i16> = Some(12);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchableTopicResponse {
    /// v4–12.
    pub topic: Str,
    /// v13+.
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
}

impl Fields for FetchableTopicResponse {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = FetchableTopicResponse {
            topic: if version <= 12 { r.string()? } else { Str::default() },
            topic_id: if version >= 13 { r.uuid()? } else { Uuid::ZERO },
            partitions: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version <= 12 {
            w.string(&self.topic)?;
        }
        if version >= 13 {
            w.uuid(self.topic_id);
        }
        w.structs(&self.partitions, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    /// v5+.
    pub log_start_offset: i64,
    /// v12+. Set when the follower must truncate to here.
    pub diverging_epoch: EpochEndOffset,
    /// v12+.
    pub current_leader: LeaderIdAndEpoch,
    /// v12+. Set when the follower must read a snapshot first.
    pub snapshot_id: SnapshotId,
    /// Null when nothing in reach was aborted, or uncommitted data was asked for.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// v11+. -1 to stay with this broker.
    pub preferred_read_replica: i32,
    /// Whole batches one after another; opaque here.
    pub records: Option<Bytes>,
}

impl Default for PartitionData {
    fn default() -> Self {
        PartitionData {
            partition_index: 0,
            error_code: 0,
            high_watermark: 0,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: Some(Vec::new()),
            preferred_read_replica: -1,
            records: None,
        }
    }
}

impl Fields for PartitionData {
    const MIN_BYTES: usize = 30;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = PartitionData {
            partition_index: r.i32()?,
            error_code: r.i16()?,
            high_watermark: r.i64()?,
            last_stable_offset: r.i64()?,
            log_start_offset: if version >= 5 { r.i64()? } else { -1 },
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: r.nullable_structs(version)?,
            preferred_read_replica: if version >= 11 { r.i32()? } else { -1 },
            records: r.nullable_records()?,
        };
        r.tags(|r, tag| {
            match tag {
                0 => it.diverging_epoch = r.structure(version)?,
                1 => it.current_leader = r.structure(version)?,
                2 => it.snapshot_id = r.structure(version)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i16(self.error_code);
        w.i64(self.high_watermark);
        w.i64(self.last_stable_offset);
        if version >= 5 {
            w.i64(self.log_start_offset);
        }
        w.nullable_structs(&self.aborted_transactions, version)?;
        if version >= 11 {
            w.i32(self.preferred_read_replica);
        } else {
            w.only_default(self.preferred_read_replica == -1, "preferred_read_replica")?;
        }
        w.nullable_records(&self.records)?;
        if version < 12 {
            w.only_default(self.diverging_epoch == EpochEndOffset::default(), "diverging_epoch")?;
        }
        if version < 12 {
            w.only_default(self.current_leader == LeaderIdAndEpoch::default(), "current_leader")?;
        }
        if version < 12 {
            w.only_default(self.snapshot_id == SnapshotId::default(), "snapshot_id")?;
        }
        w.tags(|tags| {
            if self.diverging_epoch != EpochEndOffset::default() {
                tags.field(0, |w| self.diverging_epoch.write(w, version))?;
            }
            if self.current_leader != LeaderIdAndEpoch::default() {
                tags.field(1, |w| self.current_leader.write(w, version))?;
            }
            if self.snapshot_id != SnapshotId::default() {
                tags.field(2, |w| self.snapshot_id.write(w, version))?;
            }
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    pub epoch: i32,
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        EpochEndOffset { epoch: -1, end_offset: -1 }
    }
}

impl Fields for EpochEndOffset {
    const MIN_BYTES: usize = 13;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = EpochEndOffset { epoch: r.i32()?, end_offset: r.i64()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.epoch);
        w.i64(self.end_offset);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        LeaderIdAndEpoch { leader_id: -1, leader_epoch: -1 }
    }
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

#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
}

impl Default for SnapshotId {
    fn default() -> Self {
        SnapshotId { end_offset: -1, epoch: -1 }
    }
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
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

impl Fields for AbortedTransaction {
    const MIN_BYTES: usize = 16;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = AbortedTransaction { producer_id: r.i64()?, first_offset: r.i64()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i64(self.producer_id);
        w.i64(self.first_offset);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
}

impl Fields for NodeEndpoint {
    const MIN_BYTES: usize = 11;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = NodeEndpoint {
            node_id: r.i32()?,
            host: r.string()?,
            port: r.i32()?,
            rack: r.nullable_string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.node_id);
        w.string(&self.host)?;
        w.i32(self.port);
        w.nullable_string(&self.rack)?;
        w.no_tags();
        Ok(())
    }
}
