//! ListConfigResourcesRequest (API key 74), versions 0-1, flexible.
//!
//! Generated from `schema/wire/list_config_resources_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::ListConfigResourcesResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Writer};

/// Lists resources that carry configuration; v0 knew client metrics only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListConfigResourcesRequest {
    /// v1+.
    pub resource_types: Vec<i8>,
}

impl Fields for ListConfigResourcesRequest {
    const MIN_BYTES: usize = 1;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ListConfigResourcesRequest {
            resource_types: if version >= 1 { r.array(1, Reader::i8)? } else { Vec::new() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 1 {
            w.array(&self.resource_types, Writer::i8)?;
        } else {
            w.only_default(self.resource_types.is_empty(), "resource_types")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for ListConfigResourcesRequest {
    const NAME: &'static str = "ListConfigResourcesRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ListConfigResourcesRequest {
    const KEY: ApiKey = ApiKey::ListConfigResources;
    type Response = ListConfigResourcesResponse;
}
