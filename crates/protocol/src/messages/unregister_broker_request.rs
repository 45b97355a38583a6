//! UnregisterBrokerRequest (API key 64), version 0, flexible.
//!
//! Generated from `schema/wire/unregister_broker_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::UnregisterBrokerResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Writer};

/// Removes a broker from the cluster's metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnregisterBrokerRequest {
    pub broker_id: i32,
}

impl Fields for UnregisterBrokerRequest {
    const MIN_BYTES: usize = 5;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = UnregisterBrokerRequest { broker_id: r.i32()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.no_tags();
        Ok(())
    }
}

impl Message for UnregisterBrokerRequest {
    const NAME: &'static str = "UnregisterBrokerRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for UnregisterBrokerRequest {
    const KEY: ApiKey = ApiKey::UnregisterBroker;
    type Response = UnregisterBrokerResponse;
}
