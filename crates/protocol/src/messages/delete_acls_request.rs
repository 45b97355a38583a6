//! DeleteAclsRequest (API key 31), versions 1-3, flexible from 2.
//!
//! Generated from `schema/wire/delete_acls_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::DeleteAclsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Removes access rules that match filters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteAclsRequest {
    pub filters: Vec<DeleteAclsFilter>,
}

impl Fields for DeleteAclsRequest {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DeleteAclsRequest { filters: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.filters, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for DeleteAclsRequest {
    const NAME: &'static str = "DeleteAclsRequest";
    const VERSIONS: RangeInclusive<i16> = 1..=3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for DeleteAclsRequest {
    const KEY: ApiKey = ApiKey::DeleteAcls;
    type Response = DeleteAclsResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsFilter {
    pub resource_type_filter: i8,
    pub resource_name_filter: Option<Str>,
    pub pattern_type_filter: i8,
    pub principal_filter: Option<Str>,
    pub host_filter: Option<Str>,
    pub operation: i8,
    pub permission_type: i8,
}

impl Default for DeleteAclsFilter {
    fn default() -> Self {
        DeleteAclsFilter {
            resource_type_filter: 0,
            resource_name_filter: Some(Str::default()),
            pattern_type_filter: 3,
            principal_filter: Some(Str::default()),
            host_filter: Some(Str::default()),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl Fields for DeleteAclsFilter {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = DeleteAclsFilter {
            resource_type_filter: r.i8()?,
            resource_name_filter: r.nullable_string()?,
            pattern_type_filter: r.i8()?,
            principal_filter: r.nullable_string()?,
            host_filter: r.nullable_string()?,
            operation: r.i8()?,
            permission_type: r.i8()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i8(self.resource_type_filter);
        w.nullable_string(&self.resource_name_filter)?;
        w.i8(self.pattern_type_filter);
        w.nullable_string(&self.principal_filter)?;
        w.nullable_string(&self.host_filter)?;
        w.i8(self.operation);
        w.i8(self.permission_type);
        w.no_tags();
        Ok(())
    }
}
