//! DescribeGroupsResponse (API key 15), versions 0-6, flexible from 5.
//!
//! Generated from `schema/wire/describe_groups_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// State, members and assignments of each group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeGroupsResponse {
    /// v1+.
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
}

impl Fields for DescribeGroupsResponse {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribeGroupsResponse {
            throttle_time_ms: if version >= 1 { r.i32()? } else { 0 },
            groups: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.structs(&self.groups, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for DescribeGroupsResponse {
    const NAME: &'static str = "DescribeGroupsResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=6;
    const FLEXIBLE_FROM: Option<i16> = Some(5);
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    pub error_code: i16,
    /// v6+.
    pub error_message: Option<Str>,
    pub group_id: Str,
    pub group_state: Str,
    pub protocol_type: Str,
    pub protocol_data: Str,
    pub members: Vec<DescribedGroupMember>,
    /// v3+.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        DescribedGroup {
            error_code: 0,
            error_message: None,
            group_id: Str::default(),
            group_state: Str::default(),
            protocol_type: Str::default(),
            protocol_data: Str::default(),
            members: Vec::new(),
            authorized_operations: i32::MIN,
        }
    }
}

impl Fields for DescribedGroup {
    const MIN_BYTES: usize = 12;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribedGroup {
            error_code: r.i16()?,
            error_message: if version >= 6 { r.nullable_string()? } else { None },
            group_id: r.string()?,
            group_state: r.string()?,
            protocol_type: r.string()?,
            protocol_data: r.string()?,
            members: r.structs(version)?,
            authorized_operations: if version >= 3 { r.i32()? } else { i32::MIN },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.error_code);
        if version >= 6 {
            w.nullable_string(&self.error_message)?;
        } else {
            w.only_default(self.error_message.is_none(), "error_message")?;
        }
        w.string(&self.group_id)?;
        w.string(&self.group_state)?;
        w.string(&self.protocol_type)?;
        w.string(&self.protocol_data)?;
        w.structs(&self.members, version)?;
        if version >= 3 {
            w.i32(self.authorized_operations);
        } else {
            w.only_default(self.authorized_operations == i32::MIN, "authorized_operations")?;
        }
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedGroupMember {
    pub member_id: Str,
    /// v4+.
    pub group_instance_id: Option<Str>,
    pub client_id: Str,
    pub client_host: Str,
    pub member_metadata: Bytes,
    pub member_assignment: Bytes,
}

impl Fields for DescribedGroupMember {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribedGroupMember {
            member_id: r.string()?,
            group_instance_id: if version >= 4 { r.nullable_string()? } else { None },
            client_id: r.string()?,
            client_host: r.string()?,
            member_metadata: r.bytes()?,
            member_assignment: r.bytes()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.member_id)?;
        if version >= 4 {
            w.nullable_string(&self.group_instance_id)?;
        }
        w.string(&self.client_id)?;
        w.string(&self.client_host)?;
        w.bytes(&self.member_metadata)?;
        w.bytes(&self.member_assignment)?;
        w.no_tags();
        Ok(())
    }
}
