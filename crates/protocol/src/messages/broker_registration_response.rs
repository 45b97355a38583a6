//! BrokerRegistrationResponse (API key 62), versions 0-4, flexible.
//!
//! Generated from `schema/wire/broker_registration_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Writer};

/// The epoch under which the broker is registered.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerRegistrationResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub broker_epoch: i64,
}

impl Default for BrokerRegistrationResponse {
    fn default() -> Self {
        BrokerRegistrationResponse { throttle_time_ms: 0, error_code: 0, broker_epoch: -1 }
    }
}

impl Fields for BrokerRegistrationResponse {
    const MIN_BYTES: usize = 15;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = BrokerRegistrationResponse {
            throttle_time_ms: r.i32()?,
            error_code: r.i16()?,
            broker_epoch: r.i64()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.i16(self.error_code);
        w.i64(self.broker_epoch);
        w.no_tags();
        Ok(())
    }
}

impl Message for BrokerRegistrationResponse {
    const NAME: &'static str = "BrokerRegistrationResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
