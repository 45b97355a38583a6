//! QuorumMessageResponse (API key 20002), version 0, flexible.
//!
//! Generated from `schema/wire/quorum_message_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Writer};

/// That the message has arrived. What the voter has to say to it is a message of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuorumMessageResponse {
    pub error_code: i16,
}

impl Fields for QuorumMessageResponse {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = QuorumMessageResponse { error_code: r.i16()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i16(self.error_code);
        w.no_tags();
        Ok(())
    }
}

impl Message for QuorumMessageResponse {
    const NAME: &'static str = "QuorumMessageResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
