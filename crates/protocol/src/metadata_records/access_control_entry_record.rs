//! AccessControlEntryRecord (record type 18), version 0, flexible.
//!
//! Generated from `schema/metadata_records/access_control_entry_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// An access rule was added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessControlEntryRecord {
    pub id: Uuid,
    pub resource_type: i8,
    pub resource_name: Str,
    pub pattern_type: i8,
    pub principal: Str,
    pub host: Str,
    pub operation: i8,
    pub permission_type: i8,
}

impl Fields for AccessControlEntryRecord {
    const MIN_BYTES: usize = 24;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = AccessControlEntryRecord {
            id: r.uuid()?,
            resource_type: r.i8()?,
            resource_name: r.string()?,
            pattern_type: r.i8()?,
            principal: r.string()?,
            host: r.string()?,
            operation: r.i8()?,
            permission_type: r.i8()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.uuid(self.id);
        w.i8(self.resource_type);
        w.string(&self.resource_name)?;
        w.i8(self.pattern_type);
        w.string(&self.principal)?;
        w.string(&self.host)?;
        w.i8(self.operation);
        w.i8(self.permission_type);
        w.no_tags();
        Ok(())
    }
}

impl Message for AccessControlEntryRecord {
    const NAME: &'static str = "AccessControlEntryRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for AccessControlEntryRecord {
    const ID: i16 = 18;
}

impl Json for AccessControlEntryRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("id", &self.id, version);
            out.field("resourceType", &self.resource_type, version);
            out.field("resourceName", &self.resource_name, version);
            out.field("patternType", &self.pattern_type, version);
            out.field("principal", &self.principal, version);
            out.field("host", &self.host, version);
            out.field("operation", &self.operation, version);
            out.field("permissionType", &self.permission_type, version);
        })
    }
}
