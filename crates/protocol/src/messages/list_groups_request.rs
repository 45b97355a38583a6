//! ListGroupsRequest (API key 16), versions 0-5, flexible from 3.
//!
//! Generated from `schema/wire/list_groups_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::ListGroupsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Lists the groups that this broker coordinates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroupsRequest {
    /// v4+.
    pub states_filter: Vec<Str>,
    /// v5+.
    pub types_filter: Vec<Str>,
}

impl Fields for ListGroupsRequest {
    const MIN_BYTES: usize = 1;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ListGroupsRequest {
            states_filter: if version >= 4 { r.array(1, Reader::string)? } else { Vec::new() },
            types_filter: if version >= 5 { r.array(1, Reader::string)? } else { Vec::new() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 4 {
            w.strings(&self.states_filter)?;
        } else {
            w.only_default(self.states_filter.is_empty(), "states_filter")?;
        }
        if version >= 5 {
            w.strings(&self.types_filter)?;
        } else {
            w.only_default(self.types_filter.is_empty(), "types_filter")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for ListGroupsRequest {
    const NAME: &'static str = "ListGroupsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for ListGroupsRequest {
    const KEY: ApiKey = ApiKey::ListGroups;
    type Response = ListGroupsResponse;
}
