//! SyncGroupResponse (API key 14), versions 0-5, flexible from 4.
//!
//! Generated from `schema/wire/sync_group_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The assignment of the asking member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupResponse {
    /// v1+.
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// v5+.
    pub protocol_type: Option<Str>,
    /// v5+.
    pub protocol_name: Option<Str>,
    pub assignment: Bytes,
}

impl Fields for SyncGroupResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = SyncGroupResponse {
            throttle_time_ms: if version >= 1 { r.i32()? } else { 0 },
            error_code: r.i16()?,
            protocol_type: if version >= 5 { r.nullable_string()? } else { None },
            protocol_name: if version >= 5 { r.nullable_string()? } else { None },
            assignment: r.bytes()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.i16(self.error_code);
        if version >= 5 {
            w.nullable_string(&self.protocol_type)?;
            w.nullable_string(&self.protocol_name)?;
        }
        w.bytes(&self.assignment)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for SyncGroupResponse {
    const NAME: &'static str = "SyncGroupResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}
