//! FindCoordinatorRequest (API key 10), versions 0-6, flexible from 3.
//!
//! Generated from `schema/wire/find_coordinator_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::FindCoordinatorResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Asks which broker coordinates a group, a transactional id or a share partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindCoordinatorRequest {
    /// v0–3.
    pub key: Str,
    /// v1+. 0 group, 1 transactional id, 2 share partition.
    pub key_type: i8,
    /// v4+.
    pub coordinator_keys: Vec<Str>,
}

impl Fields for FindCoordinatorRequest {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = FindCoordinatorRequest {
            key: if version <= 3 { r.string()? } else { Str::default() },
            key_type: if version >= 1 { r.i8()? } else { 0 },
            coordinator_keys: if version >= 4 { r.array(1, Reader::string)? } else { Vec::new() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version <= 3 {
            w.string(&self.key)?;
        } else {
            w.only_default(self.key.is_empty(), "key")?;
        }
        if version >= 1 {
            w.i8(self.key_type);
        } else {
            w.only_default(self.key_type == 0, "key_type")?;
        }
        if version >= 4 {
            w.strings(&self.coordinator_keys)?;
        } else {
            w.only_default(self.coordinator_keys.is_empty(), "coordinator_keys")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for FindCoordinatorRequest {
    const NAME: &'static str = "FindCoordinatorRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=6;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    type Response = FindCoordinatorResponse;
}
