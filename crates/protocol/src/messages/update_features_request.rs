//! UpdateFeaturesRequest (API key 57), versions 0-2, flexible.
//!
//! Generated from `schema/wire/update_features_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::UpdateFeaturesResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Raises or lowers finalized feature levels.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesRequest {
    pub timeout_ms: i32,
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// v1+.
    pub validate_only: bool,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        UpdateFeaturesRequest {
            timeout_ms: 60000,
            feature_updates: Vec::new(),
            validate_only: false,
        }
    }
}

impl Fields for UpdateFeaturesRequest {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = UpdateFeaturesRequest {
            timeout_ms: r.i32()?,
            feature_updates: r.structs(version)?,
            validate_only: if version >= 1 { r.bool()? } else { false },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.timeout_ms);
        w.structs(&self.feature_updates, version)?;
        if version >= 1 {
            w.bool(self.validate_only);
        } else {
            w.only_default(!self.validate_only, "validate_only")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for UpdateFeaturesRequest {
    const NAME: &'static str = "UpdateFeaturesRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for UpdateFeaturesRequest {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
    type Response = UpdateFeaturesResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct FeatureUpdateKey {
    pub feature: Str,
    pub max_version_level: i16,
    /// v0 only.
    pub allow_downgrade: bool,
    /// v1+.
    pub upgrade_type: i8,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        FeatureUpdateKey {
            feature: Str::default(),
            max_version_level: 0,
            allow_downgrade: false,
            upgrade_type: 1,
        }
    }
}

impl Fields for FeatureUpdateKey {
    const MIN_BYTES: usize = 5;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = FeatureUpdateKey {
            feature: r.string()?,
            max_version_level: r.i16()?,
            allow_downgrade: if version <= 0 { r.bool()? } else { false },
            upgrade_type: if version >= 1 { r.i8()? } else { 1 },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.feature)?;
        w.i16(self.max_version_level);
        if version <= 0 {
            w.bool(self.allow_downgrade);
        } else {
            w.only_default(!self.allow_downgrade, "allow_downgrade")?;
        }
        if version >= 1 {
            w.i8(self.upgrade_type);
        } else {
            w.only_default(self.upgrade_type == 1, "upgrade_type")?;
        }
        w.no_tags();
        Ok(())
    }
}
