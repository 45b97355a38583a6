//! OffsetFetchRequest (API key 9), versions 1-10, flexible from 6.
//!
//! Generated from `schema/wire/offset_fetch_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::OffsetFetchResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Reads positions a group has committed; from v8 on for several groups at once.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequest {
    /// v1–7.
    pub group_id: Str,
    /// v1–7. Null asks for everything committed.
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// v8+.
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// v7+. Refuses offsets that an open transaction may still change.
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        OffsetFetchRequest {
            group_id: Str::default(),
            topics: Some(Vec::new()),
            groups: Vec::new(),
            require_stable: false,
        }
    }
}

impl Fields for OffsetFetchRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = OffsetFetchRequest {
            group_id: if version <= 7 { r.string()? } else { Str::default() },
            topics: if version <= 7 {
                if version >= 2 { r.nullable_structs(version)? } else { Some(r.structs(version)?) }
            } else {
                Some(Vec::new())
            },
            groups: if version >= 8 { r.structs(version)? } else { Vec::new() },
            require_stable: if version >= 7 { r.bool()? } else { false },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version <= 7 {
            w.string(&self.group_id)?;
            if version >= 2 {
                w.nullable_structs(&self.topics, version)?;
            } else {
                w.structs(w.non_null(&self.topics, "topics")?, version)?;
            };
        } else {
            w.only_default(self.group_id.is_empty(), "group_id")?;
            w.only_default(self.topics.as_ref().is_some_and(|it| it.is_empty()), "topics")?;
        }
        if version >= 8 {
            w.structs(&self.groups, version)?;
        } else {
            w.only_default(self.groups.is_empty(), "groups")?;
        }
        if version >= 7 {
            w.bool(self.require_stable);
        } else {
            w.only_default(!self.require_stable, "require_stable")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for OffsetFetchRequest {
    const NAME: &'static str = "OffsetFetchRequest";
    const VERSIONS: RangeInclusive<i16> = 1..=10;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Request for OffsetFetchRequest {
    const KEY: ApiKey = ApiKey::OffsetFetch;
    type Response = OffsetFetchResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchRequestTopic {
    pub name: Str,
    pub partition_indexes: Vec<i32>,
}

impl Fields for OffsetFetchRequestTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = OffsetFetchRequestTopic {
            name: r.string()?,
            partition_indexes: r.array(4, Reader::i32)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.array(&self.partition_indexes, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    pub group_id: Str,
    /// v9+.
    pub member_id: Option<Str>,
    /// v9+.
    pub member_epoch: i32,
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        OffsetFetchRequestGroup {
            group_id: Str::default(),
            member_id: None,
            member_epoch: -1,
            topics: Some(Vec::new()),
        }
    }
}

impl Fields for OffsetFetchRequestGroup {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = OffsetFetchRequestGroup {
            group_id: r.string()?,
            member_id: if version >= 9 { r.nullable_string()? } else { None },
            member_epoch: if version >= 9 { r.i32()? } else { -1 },
            topics: r.nullable_structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        if version >= 9 {
            w.nullable_string(&self.member_id)?;
            w.i32(self.member_epoch);
        }
        w.nullable_structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchRequestTopics {
    /// v8–9.
    pub name: Str,
    /// v10+.
    pub topic_id: Uuid,
    pub partition_indexes: Vec<i32>,
}

impl Fields for OffsetFetchRequestTopics {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = OffsetFetchRequestTopics {
            name: if version <= 9 { r.string()? } else { Str::default() },
            topic_id: if version >= 10 { r.uuid()? } else { Uuid::ZERO },
            partition_indexes: r.array(4, Reader::i32)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version <= 9 {
            w.string(&self.name)?;
        }
        if version >= 10 {
            w.uuid(self.topic_id);
        }
        w.array(&self.partition_indexes, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
