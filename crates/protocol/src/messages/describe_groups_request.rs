//! DescribeGroupsRequest (API key 15), versions 0-6, flexible from 5.
//!
//! Generated from `schema/wire/describe_groups_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::DescribeGroupsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Asks for state and members of classic groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeGroupsRequest {
    pub groups: Vec<Str>,
    /// v3+.
    pub include_authorized_operations: bool,
}

impl Fields for DescribeGroupsRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribeGroupsRequest {
            groups: r.array(1, Reader::string)?,
            include_authorized_operations: if version >= 3 { r.bool()? } else { false },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.strings(&self.groups)?;
        if version >= 3 {
            w.bool(self.include_authorized_operations);
        } else {
            w.only_default(!self.include_authorized_operations, "include_authorized_operations")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for DescribeGroupsRequest {
    const NAME: &'static str = "DescribeGroupsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=6;
    const FLEXIBLE_FROM: Option<i16> = Some(5);
}

impl Request for DescribeGroupsRequest {
    const KEY: ApiKey = ApiKey::DescribeGroups;
    type Response = DescribeGroupsResponse;
}
