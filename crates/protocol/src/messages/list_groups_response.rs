//! ListGroupsResponse (API key 16), versions 0-5, flexible from 3.
//!
//! Generated from `schema/wire/list_groups_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// Groups with their state and type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroupsResponse {
    /// v1+.
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub groups: Vec<ListedGroup>,
}

impl Fields for ListGroupsResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ListGroupsResponse {
            throttle_time_ms: if version >= 1 { r.i32()? } else { 0 },
            error_code: r.i16()?,
            groups: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.i16(self.error_code);
        w.structs(&self.groups, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ListGroupsResponse {
    const NAME: &'static str = "ListGroupsResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedGroup {
    pub group_id: Str,
    pub protocol_type: Str,
    /// v4+.
    pub group_state: Str,
    /// v5+.
    pub group_type: Str,
}

impl Fields for ListedGroup {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ListedGroup {
            group_id: r.string()?,
            protocol_type: r.string()?,
            group_state: if version >= 4 { r.string()? } else { Str::default() },
            group_type: if version >= 5 { r.string()? } else { Str::default() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        w.string(&self.protocol_type)?;
        if version >= 4 {
            w.string(&self.group_state)?;
        }
        if version >= 5 {
            w.string(&self.group_type)?;
        }
        w.no_tags();
        Ok(())
    }
}
