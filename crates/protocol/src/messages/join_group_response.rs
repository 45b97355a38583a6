//! JoinGroupResponse (API key 11), versions 0-9, flexible from 6.
//!
//! Generated from `schema/wire/join_group_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The member's place in the new generation; the leader also gets all subscriptions.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponse {
    /// v2+.
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub generation_id: i32,
    /// v7+.
    pub protocol_type: Option<Str>,
    pub protocol_name: Option<Str>,
    pub leader: Str,
    /// v9+. The leader keeps the old assignment (static member came back).
    pub skip_assignment: bool,
    pub member_id: Str,
    /// Filled for the leader only.
    pub members: Vec<JoinGroupResponseMember>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        JoinGroupResponse {
            throttle_time_ms: 0,
            error_code: 0,
            generation_id: -1,
            protocol_type: None,
            protocol_name: Some(Str::default()),
            leader: Str::default(),
            skip_assignment: false,
            member_id: Str::default(),
            members: Vec::new(),
        }
    }
}

impl Fields for JoinGroupResponse {
    const MIN_BYTES: usize = 15;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = JoinGroupResponse {
            throttle_time_ms: if version >= 2 { r.i32()? } else { 0 },
            error_code: r.i16()?,
            generation_id: r.i32()?,
            protocol_type: if version >= 7 { r.nullable_string()? } else { None },
            protocol_name: if version >= 7 { r.nullable_string()? } else { Some(r.string()?) },
            leader: r.string()?,
            skip_assignment: if version >= 9 { r.bool()? } else { false },
            member_id: r.string()?,
            members: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 2 {
            w.i32(self.throttle_time_ms);
        }
        w.i16(self.error_code);
        w.i32(self.generation_id);
        if version >= 7 {
            w.nullable_string(&self.protocol_type)?;
        }
        if version >= 7 {
            w.nullable_string(&self.protocol_name)?;
        } else {
            w.string(w.non_null(&self.protocol_name, "protocol_name")?)?;
        };
        w.string(&self.leader)?;
        if version >= 9 {
            w.bool(self.skip_assignment);
        } else {
            w.only_default(!self.skip_assignment, "skip_assignment")?;
        }
        w.string(&self.member_id)?;
        w.structs(&self.members, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for JoinGroupResponse {
    const NAME: &'static str = "JoinGroupResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=9;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinGroupResponseMember {
    pub member_id: Str,
    /// v5+.
    pub group_instance_id: Option<Str>,
    pub metadata: Bytes,
}

impl Fields for JoinGroupResponseMember {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = JoinGroupResponseMember {
            member_id: r.string()?,
            group_instance_id: if version >= 5 { r.nullable_string()? } else { None },
            metadata: r.bytes()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.member_id)?;
        if version >= 5 {
            w.nullable_string(&self.group_instance_id)?;
        }
        w.bytes(&self.metadata)?;
        w.no_tags();
        Ok(())
    }
}
