//! DeleteTopicsRequest (API key 20), versions 1-6, flexible from 4.
//!
//! Generated from `schema/wire/delete_topics_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::DeleteTopicsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Deletes topics by name, or from v6 on by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicsRequest {
    /// v6+.
    pub topics: Vec<DeleteTopicState>,
    /// v1–5.
    pub topic_names: Vec<Str>,
    pub timeout_ms: i32,
}

impl Fields for DeleteTopicsRequest {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = DeleteTopicsRequest {
            topics: if version >= 6 { r.structs(version)? } else { Vec::new() },
            topic_names: if version <= 5 { r.array(1, Reader::string)? } else { Vec::new() },
            timeout_ms: r.i32()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 6 {
            w.structs(&self.topics, version)?;
        } else {
            w.only_default(self.topics.is_empty(), "topics")?;
        }
        if version <= 5 {
            w.strings(&self.topic_names)?;
        }
        w.i32(self.timeout_ms);
        w.no_tags();
        Ok(())
    }
}

impl Message for DeleteTopicsRequest {
    const NAME: &'static str = "DeleteTopicsRequest";
    const VERSIONS: RangeInclusive<i16> = 1..=6;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for DeleteTopicsRequest {
    const KEY: ApiKey = ApiKey::DeleteTopics;
    type Response = DeleteTopicsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicState {
    pub name: Option<Str>,
    pub topic_id: Uuid,
}

impl Fields for DeleteTopicState {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = DeleteTopicState { name: r.nullable_string()?, topic_id: r.uuid()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.nullable_string(&self.name)?;
        w.uuid(self.topic_id);
        w.no_tags();
        Ok(())
    }
}
