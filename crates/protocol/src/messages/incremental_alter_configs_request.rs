//! IncrementalAlterConfigsRequest (API key 44), versions 0-1, flexible from 1.
//!
//! Generated from `schema/wire/incremental_alter_configs_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::IncrementalAlterConfigsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Sets, deletes, appends to or subtracts from single configuration keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncrementalAlterConfigsRequest {
    pub resources: Vec<AlterConfigsResource>,
    pub validate_only: bool,
}

impl Fields for IncrementalAlterConfigsRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = IncrementalAlterConfigsRequest {
            resources: r.structs(version)?,
            validate_only: r.bool()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.resources, version)?;
        w.bool(self.validate_only);
        w.no_tags();
        Ok(())
    }
}

impl Message for IncrementalAlterConfigsRequest {
    const NAME: &'static str = "IncrementalAlterConfigsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for IncrementalAlterConfigsRequest {
    const KEY: ApiKey = ApiKey::IncrementalAlterConfigs;
    type Response = IncrementalAlterConfigsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterConfigsResource {
    pub resource_type: i8,
    pub resource_name: Str,
    pub configs: Vec<AlterableConfig>,
}

impl Fields for AlterConfigsResource {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = AlterConfigsResource {
            resource_type: r.i8()?,
            resource_name: r.string()?,
            configs: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i8(self.resource_type);
        w.string(&self.resource_name)?;
        w.structs(&self.configs, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterableConfig {
    pub name: Str,
    /// 0 set, 1 delete, 2 append, 3 subtract.
    pub config_operation: i8,
    pub value: Option<Str>,
}

impl Default for AlterableConfig {
    fn default() -> Self {
        AlterableConfig { name: Str::default(), config_operation: 0, value: Some(Str::default()) }
    }
}

impl Fields for AlterableConfig {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = AlterableConfig {
            name: r.string()?,
            config_operation: r.i8()?,
            value: r.nullable_string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i8(self.config_operation);
        w.nullable_string(&self.value)?;
        w.no_tags();
        Ok(())
    }
}
