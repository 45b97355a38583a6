//! BrokerRegistrationRequest (API key 62), versions 0-4, flexible.
//!
//! Generated from `schema/wire/broker_registration_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::BrokerRegistrationResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// A starting broker introduces itself to the controller.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerRegistrationRequest {
    pub broker_id: i32,
    pub cluster_id: Str,
    pub incarnation_id: Uuid,
    pub listeners: Vec<Listener>,
    pub features: Vec<Feature>,
    pub rack: Option<Str>,
    /// v1+.
    pub is_migrating_zk_broker: bool,
    /// v2+.
    pub log_dirs: Vec<Uuid>,
    /// v3+.
    pub previous_broker_epoch: i64,
}

impl Default for BrokerRegistrationRequest {
    fn default() -> Self {
        BrokerRegistrationRequest {
            broker_id: 0,
            cluster_id: Str::default(),
            incarnation_id: Uuid::ZERO,
            listeners: Vec::new(),
            features: Vec::new(),
            rack: Some(Str::default()),
            is_migrating_zk_broker: false,
            log_dirs: Vec::new(),
            previous_broker_epoch: -1,
        }
    }
}

impl Fields for BrokerRegistrationRequest {
    const MIN_BYTES: usize = 25;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = BrokerRegistrationRequest {
            broker_id: r.i32()?,
            cluster_id: r.string()?,
            incarnation_id: r.uuid()?,
            listeners: r.structs(version)?,
            features: r.structs(version)?,
            rack: r.nullable_string()?,
            is_migrating_zk_broker: if version >= 1 { r.bool()? } else { false },
            log_dirs: if version >= 2 { r.array(16, Reader::uuid)? } else { Vec::new() },
            previous_broker_epoch: if version >= 3 { r.i64()? } else { -1 },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.string(&self.cluster_id)?;
        w.uuid(self.incarnation_id);
        w.structs(&self.listeners, version)?;
        w.structs(&self.features, version)?;
        w.nullable_string(&self.rack)?;
        if version >= 1 {
            w.bool(self.is_migrating_zk_broker);
        } else {
            w.only_default(!self.is_migrating_zk_broker, "is_migrating_zk_broker")?;
        }
        if version >= 2 {
            w.array(&self.log_dirs, Writer::uuid)?;
        }
        if version >= 3 {
            w.i64(self.previous_broker_epoch);
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for BrokerRegistrationRequest {
    const NAME: &'static str = "BrokerRegistrationRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for BrokerRegistrationRequest {
    const KEY: ApiKey = ApiKey::BrokerRegistration;
    type Response = BrokerRegistrationResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listener {
    pub name: Str,
    pub host: Str,
    pub port: u16,
    pub security_protocol: i16,
}

impl Fields for Listener {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = Listener {
            name: r.string()?,
            host: r.string()?,
            port: r.u16()?,
            security_protocol: r.i16()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.string(&self.host)?;
        w.u16(self.port);
        w.i16(self.security_protocol);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Feature {
    pub name: Str,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}

impl Fields for Feature {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = Feature {
            name: r.string()?,
            min_supported_version: r.i16()?,
            max_supported_version: r.i16()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.i16(self.min_supported_version);
        w.i16(self.max_supported_version);
        w.no_tags();
        Ok(())
    }
}
