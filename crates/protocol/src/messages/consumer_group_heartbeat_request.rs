//! ConsumerGroupHeartbeatRequest (API key 68), versions 0-1, flexible.
//!
//! Generated from `schema/wire/consumer_group_heartbeat_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::ConsumerGroupHeartbeatResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Joins, keeps alive, reconciles or leaves a consumer group (KIP-848).
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupHeartbeatRequest {
    pub group_id: Str,
    pub member_id: Str,
    /// 0 joins, -1 leaves, -2 leaves as a static member that comes back.
    pub member_epoch: i32,
    pub instance_id: Option<Str>,
    pub rack_id: Option<Str>,
    pub rebalance_timeout_ms: i32,
    pub subscribed_topic_names: Option<Vec<Str>>,
    /// v1+.
    pub subscribed_topic_regex: Option<Str>,
    pub server_assignor: Option<Str>,
    pub topic_partitions: Option<Vec<TopicPartitions>>,
}

impl Default for ConsumerGroupHeartbeatRequest {
    fn default() -> Self {
        ConsumerGroupHeartbeatRequest {
            group_id: Str::default(),
            member_id: Str::default(),
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            subscribed_topic_names: None,
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: None,
        }
    }
}

impl Fields for ConsumerGroupHeartbeatRequest {
    const MIN_BYTES: usize = 16;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ConsumerGroupHeartbeatRequest {
            group_id: r.string()?,
            member_id: r.string()?,
            member_epoch: r.i32()?,
            instance_id: r.nullable_string()?,
            rack_id: r.nullable_string()?,
            rebalance_timeout_ms: r.i32()?,
            subscribed_topic_names: r.nullable_array(1, Reader::string)?,
            subscribed_topic_regex: if version >= 1 { r.nullable_string()? } else { None },
            server_assignor: r.nullable_string()?,
            topic_partitions: r.nullable_structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        w.string(&self.member_id)?;
        w.i32(self.member_epoch);
        w.nullable_string(&self.instance_id)?;
        w.nullable_string(&self.rack_id)?;
        w.i32(self.rebalance_timeout_ms);
        w.nullable_strings(&self.subscribed_topic_names)?;
        if version >= 1 {
            w.nullable_string(&self.subscribed_topic_regex)?;
        } else {
            w.only_default(self.subscribed_topic_regex.is_none(), "subscribed_topic_regex")?;
        }
        w.nullable_string(&self.server_assignor)?;
        w.nullable_structs(&self.topic_partitions, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ConsumerGroupHeartbeatRequest {
    const NAME: &'static str = "ConsumerGroupHeartbeatRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ConsumerGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupHeartbeat;
    type Response = ConsumerGroupHeartbeatResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

impl Fields for TopicPartitions {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = TopicPartitions { topic_id: r.uuid()?, partitions: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.array(&self.partitions, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
