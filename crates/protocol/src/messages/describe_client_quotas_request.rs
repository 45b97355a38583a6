//! DescribeClientQuotasRequest (API key 48), versions 0-1, flexible from 1.
//!
//! Generated from `schema/wire/describe_client_quotas_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::DescribeClientQuotasResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Lists client quotas that match a filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeClientQuotasRequest {
    pub components: Vec<ComponentData>,
    pub strict: bool,
}

impl Fields for DescribeClientQuotasRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DescribeClientQuotasRequest { components: r.structs(version)?, strict: r.bool()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.components, version)?;
        w.bool(self.strict);
        w.no_tags();
        Ok(())
    }
}

impl Message for DescribeClientQuotasRequest {
    const NAME: &'static str = "DescribeClientQuotasRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for DescribeClientQuotasRequest {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
    type Response = DescribeClientQuotasResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct ComponentData {
    pub entity_type: Str,
    pub match_type: i8,
    pub r#match: Option<Str>,
}

impl Default for ComponentData {
    fn default() -> Self {
        ComponentData { entity_type: Str::default(), match_type: 0, r#match: Some(Str::default()) }
    }
}

impl Fields for ComponentData {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ComponentData {
            entity_type: r.string()?,
            match_type: r.i8()?,
            r#match: r.nullable_string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.entity_type)?;
        w.i8(self.match_type);
        w.nullable_string(&self.r#match)?;
        w.no_tags();
        Ok(())
    }
}
