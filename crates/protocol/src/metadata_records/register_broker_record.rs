//! RegisterBrokerRecord (record type 0), versions 0-3, flexible.
//!
//! Generated from `schema/metadata_records/register_broker_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// A broker came up under a new epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisterBrokerRecord {
    pub broker_id: i32,
    /// v2+.
    pub is_migrating_zk_broker: bool,
    pub incarnation_id: Uuid,
    pub broker_epoch: i64,
    pub end_points: Vec<BrokerEndpoint>,
    pub features: Vec<BrokerFeature>,
    pub rack: Option<Str>,
    pub fenced: bool,
    /// v1+.
    pub in_controlled_shutdown: bool,
    /// v3+.
    pub log_dirs: Vec<Uuid>,
}

impl Default for RegisterBrokerRecord {
    fn default() -> Self {
        RegisterBrokerRecord {
            broker_id: 0,
            is_migrating_zk_broker: false,
            incarnation_id: Uuid::ZERO,
            broker_epoch: 0,
            end_points: Vec::new(),
            features: Vec::new(),
            rack: Some(Str::default()),
            fenced: true,
            in_controlled_shutdown: false,
            log_dirs: Vec::new(),
        }
    }
}

impl Fields for RegisterBrokerRecord {
    const MIN_BYTES: usize = 33;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = RegisterBrokerRecord {
            broker_id: r.i32()?,
            is_migrating_zk_broker: if version >= 2 { r.bool()? } else { false },
            incarnation_id: r.uuid()?,
            broker_epoch: r.i64()?,
            end_points: r.structs(version)?,
            features: r.structs(version)?,
            rack: r.nullable_string()?,
            fenced: r.bool()?,
            in_controlled_shutdown: if version >= 1 { r.bool()? } else { false },
            log_dirs: Vec::new(),
        };
        r.tags(|r, tag| {
            if tag == 0 && version >= 3 {
                it.log_dirs = r.array(16, Reader::uuid)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        if version >= 2 {
            w.bool(self.is_migrating_zk_broker);
        } else {
            w.only_default(!self.is_migrating_zk_broker, "is_migrating_zk_broker")?;
        }
        w.uuid(self.incarnation_id);
        w.i64(self.broker_epoch);
        w.structs(&self.end_points, version)?;
        w.structs(&self.features, version)?;
        w.nullable_string(&self.rack)?;
        w.bool(self.fenced);
        if version >= 1 {
            w.bool(self.in_controlled_shutdown);
        } else {
            w.only_default(!self.in_controlled_shutdown, "in_controlled_shutdown")?;
        }
        if version < 3 {
            w.only_default(self.log_dirs.is_empty(), "log_dirs")?;
        }
        w.tags(|tags| {
            if version >= 3 && !self.log_dirs.is_empty() {
                tags.field(0, |w| w.array(&self.log_dirs, Writer::uuid))?;
            }
            Ok(())
        })
    }
}

impl Message for RegisterBrokerRecord {
    const NAME: &'static str = "RegisterBrokerRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=3;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for RegisterBrokerRecord {
    const ID: i16 = 0;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrokerEndpoint {
    pub name: Str,
    pub host: Str,
    pub port: u16,
    pub security_protocol: i16,
}

impl Fields for BrokerEndpoint {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = BrokerEndpoint {
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
pub struct BrokerFeature {
    pub name: Str,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}

impl Fields for BrokerFeature {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = BrokerFeature {
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

impl Json for RegisterBrokerRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("brokerId", &self.broker_id, version);
            if version >= 2 {
                out.field("isMigratingZkBroker", &self.is_migrating_zk_broker, version);
            }
            out.field("incarnationId", &self.incarnation_id, version);
            out.field("brokerEpoch", &self.broker_epoch, version);
            out.field("endPoints", &self.end_points, version);
            out.field("features", &self.features, version);
            out.field("rack", &self.rack, version);
            out.field("fenced", &self.fenced, version);
            if version >= 1 {
                out.field("inControlledShutdown", &self.in_controlled_shutdown, version);
            }
            if version >= 3 && !self.log_dirs.is_empty() {
                out.field("logDirs", &self.log_dirs, version);
            }
        })
    }
}

impl Json for BrokerEndpoint {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("name", &self.name, version);
            out.field("host", &self.host, version);
            out.field("port", &self.port, version);
            out.field("securityProtocol", &self.security_protocol, version);
        })
    }
}

impl Json for BrokerFeature {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("name", &self.name, version);
            out.field("minSupportedVersion", &self.min_supported_version, version);
            out.field("maxSupportedVersion", &self.max_supported_version, version);
        })
    }
}
