//! PartitionRecord (record type 3), versions 0-2, flexible.
//!
//! Generated from `schema/metadata_records/partition_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// A partition was created, or is stated in full in a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionRecord {
    pub partition_id: i32,
    pub topic_id: Uuid,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub removing_replicas: Vec<i32>,
    pub adding_replicas: Vec<i32>,
    pub leader: i32,
    pub leader_recovery_state: i8,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
    /// v1+. In the order of replicas.
    pub directories: Vec<Uuid>,
    /// v2+.
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// v2+.
    pub last_known_elr: Option<Vec<i32>>,
}

impl Default for PartitionRecord {
    fn default() -> Self {
        PartitionRecord {
            partition_id: -1,
            topic_id: Uuid::ZERO,
            replicas: Vec::new(),
            isr: Vec::new(),
            removing_replicas: Vec::new(),
            adding_replicas: Vec::new(),
            leader: -1,
            leader_recovery_state: 0,
            leader_epoch: -1,
            partition_epoch: -1,
            directories: Vec::new(),
            eligible_leader_replicas: None,
            last_known_elr: None,
        }
    }
}

impl Fields for PartitionRecord {
    const MIN_BYTES: usize = 37;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = PartitionRecord {
            partition_id: r.i32()?,
            topic_id: r.uuid()?,
            replicas: r.array(4, Reader::i32)?,
            isr: r.array(4, Reader::i32)?,
            removing_replicas: r.array(4, Reader::i32)?,
            adding_replicas: r.array(4, Reader::i32)?,
            leader: r.i32()?,
            leader_recovery_state: 0,
            leader_epoch: r.i32()?,
            partition_epoch: r.i32()?,
            directories: if version >= 1 { r.array(16, Reader::uuid)? } else { Vec::new() },
            eligible_leader_replicas: None,
            last_known_elr: None,
        };
        r.tags(|r, tag| {
            match tag {
                0 => it.leader_recovery_state = r.i8()?,
                1 if version >= 2 => {
                    it.eligible_leader_replicas = r.nullable_array(4, Reader::i32)?
                }
                2 if version >= 2 => it.last_known_elr = r.nullable_array(4, Reader::i32)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_id);
        w.uuid(self.topic_id);
        w.array(&self.replicas, Writer::i32)?;
        w.array(&self.isr, Writer::i32)?;
        w.array(&self.removing_replicas, Writer::i32)?;
        w.array(&self.adding_replicas, Writer::i32)?;
        w.i32(self.leader);
        w.i32(self.leader_epoch);
        w.i32(self.partition_epoch);
        if version >= 1 {
            w.array(&self.directories, Writer::uuid)?;
        } else {
            w.only_default(self.directories.is_empty(), "directories")?;
        }
        if version < 2 {
            w.only_default(self.eligible_leader_replicas.is_none(), "eligible_leader_replicas")?;
        }
        if version < 2 {
            w.only_default(self.last_known_elr.is_none(), "last_known_elr")?;
        }
        w.tags(|tags| {
            if self.leader_recovery_state != 0 {
                tags.field(0, |w| {
                    w.i8(self.leader_recovery_state);
                    Ok(())
                })?;
            }
            if version >= 2 && self.eligible_leader_replicas.is_some() {
                tags.field(1, |w| w.nullable_array(&self.eligible_leader_replicas, Writer::i32))?;
            }
            if version >= 2 && self.last_known_elr.is_some() {
                tags.field(2, |w| w.nullable_array(&self.last_known_elr, Writer::i32))?;
            }
            Ok(())
        })
    }
}

impl Message for PartitionRecord {
    const NAME: &'static str = "PartitionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for PartitionRecord {
    const ID: i16 = 3;
}

impl Json for PartitionRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("partitionId", &self.partition_id, version);
            out.field("topicId", &self.topic_id, version);
            out.field("replicas", &self.replicas, version);
            out.field("isr", &self.isr, version);
            out.field("removingReplicas", &self.removing_replicas, version);
            out.field("addingReplicas", &self.adding_replicas, version);
            out.field("leader", &self.leader, version);
            if self.leader_recovery_state != 0 {
                out.field("leaderRecoveryState", &self.leader_recovery_state, version);
            }
            out.field("leaderEpoch", &self.leader_epoch, version);
            out.field("partitionEpoch", &self.partition_epoch, version);
            if version >= 1 {
                out.field("directories", &self.directories, version);
            }
            if version >= 2 && self.eligible_leader_replicas.is_some() {
                out.field("eligibleLeaderReplicas", &self.eligible_leader_replicas, version);
            }
            if version >= 2 && self.last_known_elr.is_some() {
                out.field("lastKnownElr", &self.last_known_elr, version);
            }
        })
    }
}
