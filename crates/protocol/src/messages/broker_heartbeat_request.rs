//! BrokerHeartbeatRequest (API key 63), versions 0-1, flexible.
//!
//! Generated from `schema/wire/broker_heartbeat_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::BrokerHeartbeatResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Writer};

/// A broker tells the controller it is alive and what state it wants.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerHeartbeatRequest {
    pub broker_id: i32,
    pub broker_epoch: i64,
    pub current_metadata_offset: i64,
    pub want_fence: bool,
    pub want_shut_down: bool,
    /// v1+.
    pub offline_log_dirs: Vec<Uuid>,
}

impl Default for BrokerHeartbeatRequest {
    fn default() -> Self {
        BrokerHeartbeatRequest {
            broker_id: 0,
            broker_epoch: -1,
            current_metadata_offset: 0,
            want_fence: false,
            want_shut_down: false,
            offline_log_dirs: Vec::new(),
        }
    }
}

impl Fields for BrokerHeartbeatRequest {
    const MIN_BYTES: usize = 23;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = BrokerHeartbeatRequest {
            broker_id: r.i32()?,
            broker_epoch: r.i64()?,
            current_metadata_offset: r.i64()?,
            want_fence: r.bool()?,
            want_shut_down: r.bool()?,
            offline_log_dirs: Vec::new(),
        };
        r.tags(|r, tag| {
            if tag == 0 && version >= 1 {
                it.offline_log_dirs = r.array(16, Reader::uuid)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.i64(self.broker_epoch);
        w.i64(self.current_metadata_offset);
        w.bool(self.want_fence);
        w.bool(self.want_shut_down);
        if version < 1 {
            w.only_default(self.offline_log_dirs.is_empty(), "offline_log_dirs")?;
        }
        w.tags(|tags| {
            if version >= 1 && !self.offline_log_dirs.is_empty() {
                tags.field(0, |w| w.array(&self.offline_log_dirs, Writer::uuid))?;
            }
            Ok(())
        })
    }
}

impl Message for BrokerHeartbeatRequest {
    const NAME: &'static str = "BrokerHeartbeatRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for BrokerHeartbeatRequest {
    const KEY: ApiKey = ApiKey::BrokerHeartbeat;
    type Response = BrokerHeartbeatResponse;
}
