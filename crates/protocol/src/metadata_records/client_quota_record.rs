//! ClientQuotaRecord (record type 14), version 0, flexible.
//!
//! Generated from `schema/metadata_records/client_quota_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// A client quota was set or removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientQuotaRecord {
    pub entity: Vec<EntityData>,
    pub key: Str,
    pub value: f64,
    pub remove: bool,
}

impl Fields for ClientQuotaRecord {
    const MIN_BYTES: usize = 12;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ClientQuotaRecord {
            entity: r.structs(version)?,
            key: r.string()?,
            value: r.f64()?,
            remove: r.bool()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.entity, version)?;
        w.string(&self.key)?;
        w.f64(self.value);
        w.bool(self.remove);
        w.no_tags();
        Ok(())
    }
}

impl Message for ClientQuotaRecord {
    const NAME: &'static str = "ClientQuotaRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ClientQuotaRecord {
    const ID: i16 = 14;
}

#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    pub entity_type: Str,
    pub entity_name: Option<Str>,
}

impl Default for EntityData {
    fn default() -> Self {
        EntityData { entity_type: Str::default(), entity_name: Some(Str::default()) }
    }
}

impl Fields for EntityData {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = EntityData { entity_type: r.string()?, entity_name: r.nullable_string()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.entity_type)?;
        w.nullable_string(&self.entity_name)?;
        w.no_tags();
        Ok(())
    }
}

impl Json for ClientQuotaRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("entity", &self.entity, version);
            out.field("key", &self.key, version);
            out.field("value", &self.value, version);
            out.field("remove", &self.remove, version);
        })
    }
}

impl Json for EntityData {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("entityType", &self.entity_type, version);
            out.field("entityName", &self.entity_name, version);
        })
    }
}
