//! CreateTopicsResponse (API key 19), versions 2-7, flexible from 5.
//!
//! Generated from `schema/wire/create_topics_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The outcome for each topic, with what it was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateTopicsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
}

impl Fields for CreateTopicsResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = CreateTopicsResponse { throttle_time_ms: r.i32()?, topics: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for CreateTopicsResponse {
    const NAME: &'static str = "CreateTopicsResponse";
    const VERSIONS: RangeInclusive<i16> = 2..=7;
    const FLEXIBLE_FROM: Option<i16> = Some(5);
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicResult {
    pub name: Str,
    /// v7+.
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<Str>,
    /// v5+. Set when the configs could not be read back.
    pub topic_config_error_code: i16,
    /// v5+.
    pub num_partitions: i32,
    /// v5+.
    pub replication_factor: i16,
    /// v5+.
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        CreatableTopicResult {
            name: Str::default(),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: Some(Str::default()),
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
        }
    }
}

impl Fields for CreatableTopicResult {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = CreatableTopicResult {
            name: r.string()?,
            topic_id: if version >= 7 { r.uuid()? } else { Uuid::ZERO },
            error_code: r.i16()?,
            error_message: r.nullable_string()?,
            topic_config_error_code: 0,
            num_partitions: if version >= 5 { r.i32()? } else { -1 },
            replication_factor: if version >= 5 { r.i16()? } else { -1 },
            configs: if version >= 5 { r.nullable_structs(version)? } else { Some(Vec::new()) },
        };
        r.tags(|r, tag| {
            if tag == 0 {
                it.topic_config_error_code = r.i16()?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        if version >= 7 {
            w.uuid(self.topic_id);
        }
        w.i16(self.error_code);
        w.nullable_string(&self.error_message)?;
        if version >= 5 {
            w.i32(self.num_partitions);
            w.i16(self.replication_factor);
            w.nullable_structs(&self.configs, version)?;
        }
        w.tags(|tags| {
            if self.topic_config_error_code != 0 {
                tags.field(0, |w| {
                    w.i16(self.topic_config_error_code);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfigs {
    pub name: Str,
    pub value: Option<Str>,
    pub read_only: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        CreatableTopicConfigs {
            name: Str::default(),
            value: Some(Str::default()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
        }
    }
}

impl Fields for CreatableTopicConfigs {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = CreatableTopicConfigs {
            name: r.string()?,
            value: r.nullable_string()?,
            read_only: r.bool()?,
            config_source: r.i8()?,
            is_sensitive: r.bool()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.nullable_string(&self.value)?;
        w.bool(self.read_only);
        w.i8(self.config_source);
        w.bool(self.is_sensitive);
        w.no_tags();
        Ok(())
    }
}
