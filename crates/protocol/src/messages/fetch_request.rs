//! FetchRequest (API key 1), versions 4-18, flexible from 12.
//!
//! Generated from `schema/wire/fetch_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::FetchResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Reads record batches from partitions; consumers, followers and observers of the metadata log
/// all use it.
/// v7 adds fetch sessions, v13 names topics by id.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    /// v12+.
    pub cluster_id: Option<Str>,
    /// v4–14. -1 for a consumer, otherwise the follower's broker id.
    pub replica_id: i32,
    /// v15+. Who follows; takes the place of replica_id (KIP-903).
    pub replica_state: ReplicaState,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    /// 0 read uncommitted, 1 read committed.
    pub isolation_level: i8,
    /// v7+. 0 opens a session or does without.
    pub session_id: i32,
    /// v7+. -1 ends the session, 0 starts it anew.
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic>,
    /// v7+. Partitions that leave the session.
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// v11+.
    pub rack_id: Str,
}

impl Default for FetchRequest {
    fn default() -> Self {
        FetchRequest {
            cluster_id: None,
            replica_id: -1,
            replica_state: ReplicaState::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: Str::default(),
        }
    }
}

impl Fields for FetchRequest {
    const MIN_BYTES: usize = 21;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = FetchRequest {
            cluster_id: None,
            replica_id: if version <= 14 { r.i32()? } else { -1 },
            replica_state: ReplicaState::default(),
            max_wait_ms: r.i32()?,
            min_bytes: r.i32()?,
            max_bytes: r.i32()?,
            isolation_level: r.i8()?,
            session_id: if version >= 7 { r.i32()? } else { 0 },
            session_epoch: if version >= 7 { r.i32()? } else { -1 },
            topics: r.structs(version)?,
            forgotten_topics_data: if version >= 7 { r.structs(version)? } else { Vec::new() },
            rack_id: if version >= 11 { r.string()? } else { Str::default() },
        };
        r.tags(|r, tag| {
            match tag {
                0 => it.cluster_id = r.nullable_string()?,
                1 if version >= 15 => it.replica_state = r.structure(version)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version <= 14 {
            w.i32(self.replica_id);
        } else {
            w.only_default(self.replica_id == -1, "replica_id")?;
        }
        w.i32(self.max_wait_ms);
        w.i32(self.min_bytes);
        w.i32(self.max_bytes);
        w.i8(self.isolation_level);
        if version >= 7 {
            w.i32(self.session_id);
            w.i32(self.session_epoch);
        }
        w.structs(&self.topics, version)?;
        if version >= 7 {
            w.structs(&self.forgotten_topics_data, version)?;
        } else {
            w.only_default(self.forgotten_topics_data.is_empty(), "forgotten_topics_data")?;
        }
        if version >= 11 {
            w.string(&self.rack_id)?;
        }
        if version < 15 {
            w.only_default(self.replica_state == ReplicaState::default(), "replica_state")?;
        }
        w.tags(|tags| {
            if self.cluster_id.is_some() {
                tags.field(0, |w| w.nullable_string(&self.cluster_id))?;
            }
            if version >= 15 && self.replica_state != ReplicaState::default() {
                tags.field(1, |w| self.replica_state.write(w, version))?;
            }
            Ok(())
        })
    }
}

impl Message for FetchRequest {
    const NAME: &'static str = "FetchRequest";
    const VERSIONS: RangeInclusive<i16> = 4..=18;
    const FLEXIBLE_FROM: Option<i16> = Some(12);
}

impl Request for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
    type Response = FetchResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_epoch: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        ReplicaState { replica_id: -1, replica_epoch: -1 }
    }
}

impl Fields for ReplicaState {
    const MIN_BYTES: usize = 13;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ReplicaState { replica_id: r.i32()?, replica_epoch: r.i64()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.replica_id);
        w.i64(self.replica_epoch);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchTopic {
    /// v4–12.
    pub topic: Str,
    /// v13+.
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
}

impl Fields for FetchTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = FetchTopic {
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
pub struct FetchPartition {
    pub partition: i32,
    /// v9+.
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    /// v12+. -1 when the follower does not know it.
    pub last_fetched_epoch: i32,
    /// v5+.
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    /// v17+.
    pub replica_directory_id: Uuid,
    /// v18+. What the follower holds the high watermark to be; the default means it does not say.
    pub high_watermark: i64,
}

impl Default for FetchPartition {
    fn default() -> Self {
        FetchPartition {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: Uuid::ZERO,
            high_watermark: i64::MAX,
        }
    }
}

impl Fields for FetchPartition {
    const MIN_BYTES: usize = 16;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = FetchPartition {
            partition: r.i32()?,
            current_leader_epoch: if version >= 9 { r.i32()? } else { -1 },
            fetch_offset: r.i64()?,
            last_fetched_epoch: if version >= 12 { r.i32()? } else { -1 },
            log_start_offset: if version >= 5 { r.i64()? } else { -1 },
            partition_max_bytes: r.i32()?,
            replica_directory_id: Uuid::ZERO,
            high_watermark: i64::MAX,
        };
        r.tags(|r, tag| {
            match tag {
                0 if version >= 17 => it.replica_directory_id = r.uuid()?,
                1 if version >= 18 => it.high_watermark = r.i64()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition);
        if version >= 9 {
            w.i32(self.current_leader_epoch);
        }
        w.i64(self.fetch_offset);
        if version >= 12 {
            w.i32(self.last_fetched_epoch);
        } else {
            w.only_default(self.last_fetched_epoch == -1, "last_fetched_epoch")?;
        }
        if version >= 5 {
            w.i64(self.log_start_offset);
        }
        w.i32(self.partition_max_bytes);
        w.tags(|tags| {
            if version >= 17 && !self.replica_directory_id.is_zero() {
                tags.field(0, |w| {
                    w.uuid(self.replica_directory_id);
                    Ok(())
                })?;
            }
            if version >= 18 && self.high_watermark != i64::MAX {
                tags.field(1, |w| {
                    w.i64(self.high_watermark);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForgottenTopic {
    /// v7–12.
    pub topic: Str,
    /// v13+.
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

impl Fields for ForgottenTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ForgottenTopic {
            topic: if version <= 12 { r.string()? } else { Str::default() },
            topic_id: if version >= 13 { r.uuid()? } else { Uuid::ZERO },
            partitions: r.array(4, Reader::i32)?,
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
        w.array(&self.partitions, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
