//! LeaderChangeMessage, versions 0-1, flexible.
//!
//! Generated from `schema/metadata_records/leader_change_message.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Reader, Writer};

/// Control record: a new leader of the metadata log, with its voters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaderChangeMessage {
    pub version: i16,
    pub leader_id: i32,
    pub voters: Vec<Voter>,
    pub granting_voters: Vec<Voter>,
}

impl Fields for LeaderChangeMessage {
    const MIN_BYTES: usize = 9;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = LeaderChangeMessage {
            version: r.i16()?,
            leader_id: r.i32()?,
            voters: r.structs(version)?,
            granting_voters: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.version);
        w.i32(self.leader_id);
        w.structs(&self.voters, version)?;
        w.structs(&self.granting_voters, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for LeaderChangeMessage {
    const NAME: &'static str = "LeaderChangeMessage";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Voter {
    pub voter_id: i32,
    /// v1+.
    pub voter_directory_id: Uuid,
}

impl Fields for Voter {
    const MIN_BYTES: usize = 5;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = Voter {
            voter_id: r.i32()?,
            voter_directory_id: if version >= 1 { r.uuid()? } else { Uuid::ZERO },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.voter_id);
        if version >= 1 {
            w.uuid(self.voter_directory_id);
        } else {
            w.only_default(self.voter_directory_id.is_zero(), "voter_directory_id")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Json for LeaderChangeMessage {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("version", &self.version, version);
            out.field("leaderId", &self.leader_id, version);
            out.field("voters", &self.voters, version);
            out.field("grantingVoters", &self.granting_voters, version);
        })
    }
}

impl Json for Voter {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("voterId", &self.voter_id, version);
            if version >= 1 {
                out.field("voterDirectoryId", &self.voter_directory_id, version);
            }
        })
    }
}
