//! GroupMetadataValue (key version 2), versions 0-4, flexible from 4.
//!
//! Generated from `schema/offsets_records/group_metadata_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// A classic group's generation with its members. Written as v3.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMetadataValue {
    pub protocol_type: Str,
    pub generation: i32,
    pub protocol: Option<Str>,
    pub leader: Option<Str>,
    /// v2+. When the group became empty or stable; -1 when unknown.
    pub current_state_timestamp: i64,
    pub members: Vec<MemberMetadata>,
}

impl Default for GroupMetadataValue {
    fn default() -> Self {
        GroupMetadataValue {
            protocol_type: Str::default(),
            generation: 0,
            protocol: Some(Str::default()),
            leader: Some(Str::default()),
            current_state_timestamp: -1,
            members: Vec::new(),
        }
    }
}

impl Fields for GroupMetadataValue {
    const MIN_BYTES: usize = 14;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = GroupMetadataValue {
            protocol_type: r.string()?,
            generation: r.i32()?,
            protocol: r.nullable_string()?,
            leader: r.nullable_string()?,
            current_state_timestamp: if version >= 2 { r.i64()? } else { -1 },
            members: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.protocol_type)?;
        w.i32(self.generation);
        w.nullable_string(&self.protocol)?;
        w.nullable_string(&self.leader)?;
        if version >= 2 {
            w.i64(self.current_state_timestamp);
        }
        w.structs(&self.members, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for GroupMetadataValue {
    const NAME: &'static str = "GroupMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Numbered for GroupMetadataValue {
    const ID: i16 = 2;
}

#[derive(Clone, Debug, PartialEq)]
pub struct MemberMetadata {
    pub member_id: Str,
    /// v3+.
    pub group_instance_id: Option<Str>,
    pub client_id: Str,
    pub client_host: Str,
    /// v1+.
    pub rebalance_timeout: i32,
    pub session_timeout: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
}

impl Default for MemberMetadata {
    fn default() -> Self {
        MemberMetadata {
            member_id: Str::default(),
            group_instance_id: None,
            client_id: Str::default(),
            client_host: Str::default(),
            rebalance_timeout: -1,
            session_timeout: 0,
            subscription: Bytes::new(),
            assignment: Bytes::new(),
        }
    }
}

impl Fields for MemberMetadata {
    const MIN_BYTES: usize = 15;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = MemberMetadata {
            member_id: r.string()?,
            group_instance_id: if version >= 3 { r.nullable_string()? } else { None },
            client_id: r.string()?,
            client_host: r.string()?,
            rebalance_timeout: if version >= 1 { r.i32()? } else { -1 },
            session_timeout: r.i32()?,
            subscription: r.bytes()?,
            assignment: r.bytes()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.member_id)?;
        if version >= 3 {
            w.nullable_string(&self.group_instance_id)?;
        }
        w.string(&self.client_id)?;
        w.string(&self.client_host)?;
        if version >= 1 {
            w.i32(self.rebalance_timeout);
        }
        w.i32(self.session_timeout);
        w.bytes(&self.subscription)?;
        w.bytes(&self.assignment)?;
        w.no_tags();
        Ok(())
    }
}
