//! QuorumMessageRequest (API key 20002), version 0, flexible.
//!
//! Generated from `schema/wire/quorum_message_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::messages::QuorumMessageResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// What one voter on the metadata log tells another. Ottla's own: its quorum is not Kafka's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuorumMessageRequest {
    pub cluster_id: Str,
    pub message: Bytes,
}

impl Fields for QuorumMessageRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = QuorumMessageRequest { cluster_id: r.string()?, message: r.bytes()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.cluster_id)?;
        w.bytes(&self.message)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for QuorumMessageRequest {
    const NAME: &'static str = "QuorumMessageRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for QuorumMessageRequest {
    const KEY: ApiKey = ApiKey::QuorumMessage;
    type Response = QuorumMessageResponse;
}
