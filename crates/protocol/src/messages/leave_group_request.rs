//! LeaveGroupRequest (API key 13), versions 0-5, flexible from 4.
//!
//! Generated from `schema/wire/leave_group_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::LeaveGroupResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Takes members out of a classic group at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaveGroupRequest {
    pub group_id: Str,
    /// v0–2.
    pub member_id: Str,
    /// v3+.
    pub members: Vec<MemberIdentity>,
}

impl Fields for LeaveGroupRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = LeaveGroupRequest {
            group_id: r.string()?,
            member_id: if version <= 2 { r.string()? } else { Str::default() },
            members: if version >= 3 { r.structs(version)? } else { Vec::new() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        if version <= 2 {
            w.string(&self.member_id)?;
        } else {
            w.only_default(self.member_id.is_empty(), "member_id")?;
        }
        if version >= 3 {
            w.structs(&self.members, version)?;
        } else {
            w.only_default(self.members.is_empty(), "members")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for LeaveGroupRequest {
    const NAME: &'static str = "LeaveGroupRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for LeaveGroupRequest {
    const KEY: ApiKey = ApiKey::LeaveGroup;
    type Response = LeaveGroupResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberIdentity {
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    /// v5+.
    pub reason: Option<Str>,
}

impl Fields for MemberIdentity {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = MemberIdentity {
            member_id: r.string()?,
            group_instance_id: r.nullable_string()?,
            reason: if version >= 5 { r.nullable_string()? } else { None },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.member_id)?;
        w.nullable_string(&self.group_instance_id)?;
        if version >= 5 {
            w.nullable_string(&self.reason)?;
        }
        w.no_tags();
        Ok(())
    }
}
