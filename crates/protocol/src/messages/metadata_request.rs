//! MetadataRequest (API key 3), versions 0-13, flexible from 9.
//!
//! Generated from `schema/wire/metadata_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::MetadataResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Asks for brokers, topics and partition leaders.
/// A null topic list means every topic; in v0 an empty list does.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequest {
    /// Null asks for every topic.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// v4+.
    pub allow_auto_topic_creation: bool,
    /// v8–10.
    pub include_cluster_authorized_operations: bool,
    /// v8+.
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        MetadataRequest {
            topics: Some(Vec::new()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
        }
    }
}

impl Fields for MetadataRequest {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = MetadataRequest {
            topics: if version >= 1 {
                r.nullable_structs(version)?
            } else {
                Some(r.structs(version)?)
            },
            allow_auto_topic_creation: if version >= 4 { r.bool()? } else { true },
            include_cluster_authorized_operations: if (8..=10).contains(&version) {
                r.bool()?
            } else {
                false
            },
            include_topic_authorized_operations: if version >= 8 { r.bool()? } else { false },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 1 {
            w.nullable_structs(&self.topics, version)?;
        } else {
            w.structs(w.non_null(&self.topics, "topics")?, version)?;
        };
        if version >= 4 {
            w.bool(self.allow_auto_topic_creation);
        } else {
            w.only_default(self.allow_auto_topic_creation, "allow_auto_topic_creation")?;
        }
        if (8..=10).contains(&version) {
            w.bool(self.include_cluster_authorized_operations);
        } else {
            w.only_default(
                !self.include_cluster_authorized_operations,
                "include_cluster_authorized_operations",
            )?;
        }
        if version >= 8 {
            w.bool(self.include_topic_authorized_operations);
        } else {
            w.only_default(
                !self.include_topic_authorized_operations,
                "include_topic_authorized_operations",
            )?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for MetadataRequest {
    const NAME: &'static str = "MetadataRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=13;
    const FLEXIBLE_FROM: Option<i16> = Some(9);
}

impl Request for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
    type Response = MetadataResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequestTopic {
    /// v10+.
    pub topic_id: Uuid,
    pub name: Option<Str>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        MetadataRequestTopic { topic_id: Uuid::ZERO, name: Some(Str::default()) }
    }
}

impl Fields for MetadataRequestTopic {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = MetadataRequestTopic {
            topic_id: if version >= 10 { r.uuid()? } else { Uuid::ZERO },
            name: if version >= 10 { r.nullable_string()? } else { Some(r.string()?) },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 10 {
            w.uuid(self.topic_id);
        }
        if version >= 10 {
            w.nullable_string(&self.name)?;
        } else {
            w.string(w.non_null(&self.name, "name")?)?;
        };
        w.no_tags();
        Ok(())
    }
}
