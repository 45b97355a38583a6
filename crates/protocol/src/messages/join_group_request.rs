//! JoinGroupRequest (API key 11), versions 0-9, flexible from 6.
//!
//! Generated from `schema/wire/join_group_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::messages::JoinGroupResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Enters a classic group, or enters it again when a rebalance is on.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequest {
    pub group_id: Str,
    pub session_timeout_ms: i32,
    /// v1+.
    pub rebalance_timeout_ms: i32,
    /// Empty on the first try.
    pub member_id: Str,
    /// v5+. Set by static members (KIP-345).
    pub group_instance_id: Option<Str>,
    pub protocol_type: Str,
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// v8+.
    pub reason: Option<Str>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        JoinGroupRequest {
            group_id: Str::default(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: -1,
            member_id: Str::default(),
            group_instance_id: None,
            protocol_type: Str::default(),
            protocols: Vec::new(),
            reason: None,
        }
    }
}

impl Fields for JoinGroupRequest {
    const MIN_BYTES: usize = 14;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = JoinGroupRequest {
            group_id: r.string()?,
            session_timeout_ms: r.i32()?,
            rebalance_timeout_ms: if version >= 1 { r.i32()? } else { -1 },
            member_id: r.string()?,
            group_instance_id: if version >= 5 { r.nullable_string()? } else { None },
            protocol_type: r.string()?,
            protocols: r.structs(version)?,
            reason: if version >= 8 { r.nullable_string()? } else { None },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        w.i32(self.session_timeout_ms);
        if version >= 1 {
            w.i32(self.rebalance_timeout_ms);
        }
        w.string(&self.member_id)?;
        if version >= 5 {
            w.nullable_string(&self.group_instance_id)?;
        } else {
            w.only_default(self.group_instance_id.is_none(), "group_instance_id")?;
        }
        w.string(&self.protocol_type)?;
        w.structs(&self.protocols, version)?;
        if version >= 8 {
            w.nullable_string(&self.reason)?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for JoinGroupRequest {
    const NAME: &'static str = "JoinGroupRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=9;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Request for JoinGroupRequest {
    const KEY: ApiKey = ApiKey::JoinGroup;
    type Response = JoinGroupResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinGroupRequestProtocol {
    pub name: Str,
    pub metadata: Bytes,
}

impl Fields for JoinGroupRequestProtocol {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = JoinGroupRequestProtocol { name: r.string()?, metadata: r.bytes()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.bytes(&self.metadata)?;
        w.no_tags();
        Ok(())
    }
}
