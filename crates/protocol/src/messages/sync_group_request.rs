//! SyncGroupRequest (API key 14), versions 0-5, flexible from 4.
//!
//! Generated from `schema/wire/sync_group_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::messages::SyncGroupResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Fetches a member's assignment; the leader hands in everyone's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupRequest {
    pub group_id: Str,
    pub generation_id: i32,
    pub member_id: Str,
    /// v3+.
    pub group_instance_id: Option<Str>,
    /// v5+.
    pub protocol_type: Option<Str>,
    /// v5+.
    pub protocol_name: Option<Str>,
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

impl Fields for SyncGroupRequest {
    const MIN_BYTES: usize = 9;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = SyncGroupRequest {
            group_id: r.string()?,
            generation_id: r.i32()?,
            member_id: r.string()?,
            group_instance_id: if version >= 3 { r.nullable_string()? } else { None },
            protocol_type: if version >= 5 { r.nullable_string()? } else { None },
            protocol_name: if version >= 5 { r.nullable_string()? } else { None },
            assignments: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        w.i32(self.generation_id);
        w.string(&self.member_id)?;
        if version >= 3 {
            w.nullable_string(&self.group_instance_id)?;
        } else {
            w.only_default(self.group_instance_id.is_none(), "group_instance_id")?;
        }
        if version >= 5 {
            w.nullable_string(&self.protocol_type)?;
            w.nullable_string(&self.protocol_name)?;
        }
        w.structs(&self.assignments, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for SyncGroupRequest {
    const NAME: &'static str = "SyncGroupRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for SyncGroupRequest {
    const KEY: ApiKey = ApiKey::SyncGroup;
    type Response = SyncGroupResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupRequestAssignment {
    pub member_id: Str,
    pub assignment: Bytes,
}

impl Fields for SyncGroupRequestAssignment {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = SyncGroupRequestAssignment { member_id: r.string()?, assignment: r.bytes()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.member_id)?;
        w.bytes(&self.assignment)?;
        w.no_tags();
        Ok(())
    }
}
