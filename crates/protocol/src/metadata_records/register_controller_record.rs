//! RegisterControllerRecord (record type 27), version 0, flexible.
//!
//! Generated from `schema/metadata_records/register_controller_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// A controller came up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegisterControllerRecord {
    pub controller_id: i32,
    pub incarnation_id: Uuid,
    pub zk_migration_ready: bool,
    pub end_points: Vec<ControllerEndpoint>,
    pub features: Vec<ControllerFeature>,
}

impl Fields for RegisterControllerRecord {
    const MIN_BYTES: usize = 24;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = RegisterControllerRecord {
            controller_id: r.i32()?,
            incarnation_id: r.uuid()?,
            zk_migration_ready: r.bool()?,
            end_points: r.structs(version)?,
            features: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.controller_id);
        w.uuid(self.incarnation_id);
        w.bool(self.zk_migration_ready);
        w.structs(&self.end_points, version)?;
        w.structs(&self.features, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for RegisterControllerRecord {
    const NAME: &'static str = "RegisterControllerRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for RegisterControllerRecord {
    const ID: i16 = 27;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControllerEndpoint {
    pub name: Str,
    pub host: Str,
    pub port: u16,
    pub security_protocol: i16,
}

impl Fields for ControllerEndpoint {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ControllerEndpoint {
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
pub struct ControllerFeature {
    pub name: Str,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}

impl Fields for ControllerFeature {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ControllerFeature {
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

impl Json for RegisterControllerRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("controllerId", &self.controller_id, version);
            out.field("incarnationId", &self.incarnation_id, version);
            out.field("zkMigrationReady", &self.zk_migration_ready, version);
            out.field("endPoints", &self.end_points, version);
            out.field("features", &self.features, version);
        })
    }
}

impl Json for ControllerEndpoint {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("name", &self.name, version);
            out.field("host", &self.host, version);
            out.field("port", &self.port, version);
            out.field("securityProtocol", &self.security_protocol, version);
        })
    }
}

impl Json for ControllerFeature {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("name", &self.name, version);
            out.field("minSupportedVersion", &self.min_supported_version, version);
            out.field("maxSupportedVersion", &self.max_supported_version, version);
        })
    }
}
