//! ConsumerProtocolSubscription, versions 0-3, never flexible.
//!
//! Generated from `schema/wire/consumer_protocol_subscription.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// What a consumer subscribes to; travels as the metadata of JoinGroup, after an int16 version.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerProtocolSubscription {
    pub topics: Vec<Str>,
    pub user_data: Option<Bytes>,
    /// v1+.
    pub owned_partitions: Vec<TopicPartition>,
    /// v2+.
    pub generation_id: i32,
    /// v3+.
    pub rack_id: Option<Str>,
}

impl Default for ConsumerProtocolSubscription {
    fn default() -> Self {
        ConsumerProtocolSubscription {
            topics: Vec::new(),
            user_data: None,
            owned_partitions: Vec::new(),
            generation_id: -1,
            rack_id: None,
        }
    }
}

impl Fields for ConsumerProtocolSubscription {
    const MIN_BYTES: usize = 8;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        Ok(ConsumerProtocolSubscription {
            topics: r.array(1, Reader::string)?,
            user_data: r.nullable_bytes()?,
            owned_partitions: if version >= 1 { r.structs(version)? } else { Vec::new() },
            generation_id: if version >= 2 { r.i32()? } else { -1 },
            rack_id: if version >= 3 { r.nullable_string()? } else { None },
        })
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.strings(&self.topics)?;
        w.nullable_bytes(&self.user_data)?;
        if version >= 1 {
            w.structs(&self.owned_partitions, version)?;
        }
        if version >= 2 {
            w.i32(self.generation_id);
        }
        if version >= 3 {
            w.nullable_string(&self.rack_id)?;
        }
        Ok(())
    }
}

impl Message for ConsumerProtocolSubscription {
    const NAME: &'static str = "ConsumerProtocolSubscription";
    const VERSIONS: RangeInclusive<i16> = 0..=3;
    const FLEXIBLE_FROM: Option<i16> = None;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartition {
    pub topic: Str,
    pub partitions: Vec<i32>,
}

impl Fields for TopicPartition {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(TopicPartition { topic: r.string()?, partitions: r.array(4, Reader::i32)? })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.topic)?;
        w.array(&self.partitions, Writer::i32)?;
        Ok(())
    }
}
