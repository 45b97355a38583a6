//! PartitionChangeRecord (record type 5), versions 0-2, flexible.
//!
//! Generated from `schema/metadata_records/partition_change_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// Something about a partition changed; a field at its default did not.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionChangeRecord {
    pub partition_id: i32,
    pub topic_id: Uuid,
    pub isr: Option<Vec<i32>>,
    /// -1 for nobody, -2 when it did not change.
    pub leader: i32,
    pub replicas: Option<Vec<i32>>,
    pub removing_replicas: Option<Vec<i32>>,
    pub adding_replicas: Option<Vec<i32>>,
    pub leader_recovery_state: i8,
    /// v1+. In the order of replicas.
    pub directories: Option<Vec<Uuid>>,
    /// v2+.
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// v2+.
    pub last_known_elr: Option<Vec<i32>>,
}

impl Default for PartitionChangeRecord {
    fn default() -> Self {
        PartitionChangeRecord {
            partition_id: -1,
            topic_id: Uuid::ZERO,
            isr: None,
            leader: -2,
            replicas: None,
            removing_replicas: None,
            adding_replicas: None,
            leader_recovery_state: -1,
            directories: None,
            eligible_leader_replicas: None,
            last_known_elr: None,
        }
    }
}

impl Fields for PartitionChangeRecord {
    const MIN_BYTES: usize = 21;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = PartitionChangeRecord {
            partition_id: r.i32()?,
            topic_id: r.uuid()?,
            isr: None,
            leader: -2,
            replicas: None,
            removing_replicas: None,
            adding_replicas: None,
            leader_recovery_state: -1,
            directories: None,
            eligible_leader_replicas: None,
            last_known_elr: None,
        };
        r.tags(|r, tag| {
            match tag {
                0 => it.isr = r.nullable_array(4, Reader::i32)?,
                1 => it.leader = r.i32()?,
                2 => it.replicas = r.nullable_array(4, Reader::i32)?,
                3 => it.removing_replicas = r.nullable_array(4, Reader::i32)?,
                4 => it.adding_replicas = r.nullable_array(4, Reader::i32)?,
                5 => it.leader_recovery_state = r.i8()?,
                8 if version >= 1 => it.directories = r.nullable_array(16, Reader::uuid)?,
                6 if version >= 2 => {
                    it.eligible_leader_replicas = r.nullable_array(4, Reader::i32)?
                }
                7 if version >= 2 => it.last_known_elr = r.nullable_array(4, Reader::i32)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_id);
        w.uuid(self.topic_id);
        if version < 2 {
            w.only_default(self.eligible_leader_replicas.is_none(), "eligible_leader_replicas")?;
        }
        if version < 2 {
            w.only_default(self.last_known_elr.is_none(), "last_known_elr")?;
        }
        if version < 1 {
            w.only_default(self.directories.is_none(), "directories")?;
        }
        w.tags(|tags| {
            if self.isr.is_some() {
                tags.field(0, |w| w.nullable_array(&self.isr, Writer::i32))?;
            }
            if self.leader != -2 {
                tags.field(1, |w| {
                    w.i32(self.leader);
                    Ok(())
                })?;
            }
            if self.replicas.is_some() {
                tags.field(2, |w| w.nullable_array(&self.replicas, Writer::i32))?;
            }
            if self.removing_replicas.is_some() {
                tags.field(3, |w| w.nullable_array(&self.removing_replicas, Writer::i32))?;
            }
            if self.adding_replicas.is_some() {
                tags.field(4, |w| w.nullable_array(&self.adding_replicas, Writer::i32))?;
            }
            if self.leader_recovery_state != -1 {
                tags.field(5, |w| {
                    w.i8(self.leader_recovery_state);
                    Ok(())
                })?;
            }
            if version >= 2 && self.eligible_leader_replicas.is_some() {
                tags.field(6, |w| w.nullable_array(&self.eligible_leader_replicas, Writer::i32))?;
            }
            if version >= 2 && self.last_known_elr.is_some() {
                tags.field(7, |w| w.nullable_array(&self.last_known_elr, Writer::i32))?;
            }
            if version >= 1 && self.directories.is_some() {
                tags.field(8, |w| w.nullable_array(&self.directories, Writer::uuid))?;
            }
            Ok(())
        })
    }
}

impl Message for PartitionChangeRecord {
    const NAME: &'static str = "PartitionChangeRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for PartitionChangeRecord {
    const ID: i16 = 5;
}

impl Json for PartitionChangeRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("partitionId", &self.partition_id, version);
            out.field("topicId", &self.topic_id, version);
            if self.isr.is_some() {
                out.field("isr", &self.isr, version);
            }
            if self.leader != -2 {
                out.field("leader", &self.leader, version);
            }
            if self.replicas.is_some() {
                out.field("replicas", &self.replicas, version);
            }
            if self.removing_replicas.is_some() {
                out.field("removingReplicas", &self.removing_replicas, version);
            }
            if self.adding_replicas.is_some() {
                out.field("addingReplicas", &self.adding_replicas, version);
            }
            if self.leader_recovery_state != -1 {
                out.field("leaderRecoveryState", &self.leader_recovery_state, version);
            }
            if version >= 1 && self.directories.is_some() {
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
