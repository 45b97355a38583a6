//! ApiVersionsRequest (API key 18), versions 0-4, flexible from 3.
//!
//! Generated from `schema/wire/api_versions_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::ApiVersionsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Asks which API versions and features the broker speaks; the first request of most clients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiVersionsRequest {
    /// v3+.
    pub client_software_name: Str,
    /// v3+.
    pub client_software_version: Str,
}

impl Fields for ApiVersionsRequest {
    const MIN_BYTES: usize = 1;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ApiVersionsRequest {
            client_software_name: if version >= 3 { r.string()? } else { Str::default() },
            client_software_version: if version >= 3 { r.string()? } else { Str::default() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 3 {
            w.string(&self.client_software_name)?;
            w.string(&self.client_software_version)?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for ApiVersionsRequest {
    const NAME: &'static str = "ApiVersionsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
    type Response = ApiVersionsResponse;
}
