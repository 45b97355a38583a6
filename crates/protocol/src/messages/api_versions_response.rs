//! ApiVersionsResponse (API key 18), versions 0-4, flexible from 3.
//!
//! Generated from `schema/wire/api_versions_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// Version ranges and features.
/// Always sent under response header v0, so that any client can read it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsResponse {
    pub error_code: i16,
    pub api_keys: Vec<ApiVersion>,
    /// v1+.
    pub throttle_time_ms: i32,
    /// v3+.
    pub supported_features: Vec<SupportedFeatureKey>,
    /// v3+. -1 when unknown.
    pub finalized_features_epoch: i64,
    /// v3+.
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// v3+. Set only by brokers that could migrate from ZooKeeper.
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        ApiVersionsResponse {
            error_code: 0,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        }
    }
}

impl Fields for ApiVersionsResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = ApiVersionsResponse {
            error_code: r.i16()?,
            api_keys: r.structs(version)?,
            throttle_time_ms: if version >= 1 { r.i32()? } else { 0 },
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        };
        r.tags(|r, tag| {
            match tag {
                0 => it.supported_features = r.structs(version)?,
                1 => it.finalized_features_epoch = r.i64()?,
                2 => it.finalized_features = r.structs(version)?,
                3 => it.zk_migration_ready = r.bool()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.error_code);
        w.structs(&self.api_keys, version)?;
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.tags(|tags| {
            if !self.supported_features.is_empty() {
                tags.field(0, |w| w.structs(&self.supported_features, version))?;
            }
            if self.finalized_features_epoch != -1 {
                tags.field(1, |w| {
                    w.i64(self.finalized_features_epoch);
                    Ok(())
                })?;
            }
            if !self.finalized_features.is_empty() {
                tags.field(2, |w| w.structs(&self.finalized_features, version))?;
            }
            if self.zk_migration_ready {
                tags.field(3, |w| {
                    w.bool(self.zk_migration_ready);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Message for ApiVersionsResponse {
    const NAME: &'static str = "ApiVersionsResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
}

impl Fields for ApiVersion {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ApiVersion { api_key: r.i16()?, min_version: r.i16()?, max_version: r.i16()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i16(self.api_key);
        w.i16(self.min_version);
        w.i16(self.max_version);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupportedFeatureKey {
    pub name: Str,
    pub min_version: i16,
    pub max_version: i16,
}

impl Fields for SupportedFeatureKey {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it =
            SupportedFeatureKey { name: r.string()?, min_version: r.i16()?, max_version: r.i16()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i16(self.min_version);
        w.i16(self.max_version);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FinalizedFeatureKey {
    pub name: Str,
    pub max_version_level: i16,
    pub min_version_level: i16,
}

impl Fields for FinalizedFeatureKey {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = FinalizedFeatureKey {
            name: r.string()?,
            max_version_level: r.i16()?,
            min_version_level: r.i16()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i16(self.max_version_level);
        w.i16(self.min_version_level);
        w.no_tags();
        Ok(())
    }
}
