//! UpdateRaftVoterResponse (API key 82), version 0, flexible.
//!
//! Generated from `schema/wire/update_raft_voter_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// Whether the report was taken, and who leads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateRaftVoterResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub current_leader: CurrentLeader,
}

impl Fields for UpdateRaftVoterResponse {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = UpdateRaftVoterResponse {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            current_leader: CurrentLeader::default(),
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
        w.i32(self.throttle_time_ms);
        w.i16(self.error_code);
        w.tags(|tags| {
            if self.current_leader != CurrentLeader::default() {
                tags.field(0, |w| self.current_leader.write(w, version))?;
            }
            Ok(())
        })
    }
}

impl Message for UpdateRaftVoterResponse {
    const NAME: &'static str = "UpdateRaftVoterResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

#[derive(Clone, Debug, PartialEq)]
pub struct CurrentLeader {
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub host: Str,
    pub port: i32,
}

impl Default for CurrentLeader {
    fn default() -> Self {
        CurrentLeader { leader_id: -1, leader_epoch: -1, host: Str::default(), port: 0 }
    }
}

impl Fields for CurrentLeader {
    const MIN_BYTES: usize = 14;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = CurrentLeader {
            leader_id: r.i32()?,
            leader_epoch: r.i32()?,
            host: r.string()?,
            port: r.i32()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.string(&self.host)?;
        w.i32(self.port);
        w.no_tags();
        Ok(())
    }
}
