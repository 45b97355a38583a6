//! FindCoordinatorResponse (API key 10), versions 0-6, flexible from 3.
//!
//! Generated from `schema/wire/find_coordinator_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The coordinating broker for each key.
#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorResponse {
    /// v1+.
    pub throttle_time_ms: i32,
    /// v0–3.
    pub error_code: i16,
    /// v1–3.
    pub error_message: Option<Str>,
    /// v0–3.
    pub node_id: i32,
    /// v0–3.
    pub host: Str,
    /// v0–3.
    pub port: i32,
    /// v4+.
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        FindCoordinatorResponse {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::default()),
            node_id: 0,
            host: Str::default(),
            port: 0,
            coordinators: Vec::new(),
        }
    }
}

impl Fields for FindCoordinatorResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = FindCoordinatorResponse {
            throttle_time_ms: if version >= 1 { r.i32()? } else { 0 },
            error_code: if version <= 3 { r.i16()? } else { 0 },
            error_message: if (1..=3).contains(&version) {
                r.nullable_string()?
            } else {
                Some(Str::default())
            },
            node_id: if version <= 3 { r.i32()? } else { 0 },
            host: if version <= 3 { r.string()? } else { Str::default() },
            port: if version <= 3 { r.i32()? } else { 0 },
            coordinators: if version >= 4 { r.structs(version)? } else { Vec::new() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 1 {
            w.i32(self.throttle_time_ms);
        }
        if version <= 3 {
            w.i16(self.error_code);
        } else {
            w.only_default(self.error_code == 0, "error_code")?;
        }
        if (1..=3).contains(&version) {
            w.nullable_string(&self.error_message)?;
        }
        if version <= 3 {
            w.i32(self.node_id);
            w.string(&self.host)?;
            w.i32(self.port);
        } else {
            w.only_default(self.node_id == 0, "node_id")?;
            w.only_default(self.host.is_empty(), "host")?;
            w.only_default(self.port == 0, "port")?;
        }
        if version >= 4 {
            w.structs(&self.coordinators, version)?;
        } else {
            w.only_default(self.coordinators.is_empty(), "coordinators")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for FindCoordinatorResponse {
    const NAME: &'static str = "FindCoordinatorResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=6;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

#[derive(Clone, Debug, PartialEq)]
pub struct Coordinator {
    pub key: Str,
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub error_code: i16,
    pub error_message: Option<Str>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Coordinator {
            key: Str::default(),
            node_id: 0,
            host: Str::default(),
            port: 0,
            error_code: 0,
            error_message: Some(Str::default()),
        }
    }
}

impl Fields for Coordinator {
    const MIN_BYTES: usize = 14;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = Coordinator {
            key: r.string()?,
            node_id: r.i32()?,
            host: r.string()?,
            port: r.i32()?,
            error_code: r.i16()?,
            error_message: r.nullable_string()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.key)?;
        w.i32(self.node_id);
        w.string(&self.host)?;
        w.i32(self.port);
        w.i16(self.error_code);
        w.nullable_string(&self.error_message)?;
        w.no_tags();
        Ok(())
    }
}
