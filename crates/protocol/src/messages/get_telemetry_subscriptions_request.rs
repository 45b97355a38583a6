//! GetTelemetrySubscriptionsRequest (API key 71), version 0, flexible.
//!
//! Generated from `schema/wire/get_telemetry_subscriptions_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::GetTelemetrySubscriptionsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Writer};

/// A client asks which metrics it should push (KIP-714).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetTelemetrySubscriptionsRequest {
    pub client_instance_id: Uuid,
}

impl Fields for GetTelemetrySubscriptionsRequest {
    const MIN_BYTES: usize = 17;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = GetTelemetrySubscriptionsRequest { client_instance_id: r.uuid()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.uuid(self.client_instance_id);
        w.no_tags();
        Ok(())
    }
}

impl Message for GetTelemetrySubscriptionsRequest {
    const NAME: &'static str = "GetTelemetrySubscriptionsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for GetTelemetrySubscriptionsRequest {
    const KEY: ApiKey = ApiKey::GetTelemetrySubscriptions;
    type Response = GetTelemetrySubscriptionsResponse;
}
