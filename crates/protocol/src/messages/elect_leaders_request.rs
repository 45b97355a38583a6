//! ElectLeadersRequest (API key 43), versions 0-2, flexible from 2.
//!
//! Generated from `schema/wire/elect_leaders_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::ElectLeadersResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Starts preferred or unclean leader elections.
#[derive(Clone, Debug, PartialEq)]
pub struct ElectLeadersRequest {
    /// v1+. 0 preferred, 1 unclean.
    pub election_type: i8,
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    pub timeout_ms: i32,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        ElectLeadersRequest {
            election_type: 0,
            topic_partitions: Some(Vec::new()),
            timeout_ms: 60000,
        }
    }
}

impl Fields for ElectLeadersRequest {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ElectLeadersRequest {
            election_type: if version >= 1 { r.i8()? } else { 0 },
            topic_partitions: r.nullable_structs(version)?,
            timeout_ms: r.i32()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 1 {
            w.i8(self.election_type);
        } else {
            w.only_default(self.election_type == 0, "election_type")?;
        }
        w.nullable_structs(&self.topic_partitions, version)?;
        w.i32(self.timeout_ms);
        w.no_tags();
        Ok(())
    }
}

impl Message for ElectLeadersRequest {
    const NAME: &'static str = "ElectLeadersRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for ElectLeadersRequest {
    const KEY: ApiKey = ApiKey::ElectLeaders;
    type Response = ElectLeadersResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    pub topic: Str,
    pub partitions: Vec<i32>,
}

impl Fields for TopicPartitions {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = TopicPartitions { topic: r.string()?, partitions: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.topic)?;
        w.array(&self.partitions, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
