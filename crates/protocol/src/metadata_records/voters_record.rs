//! VotersRecord, version 0, flexible.
//!
//! Generated from `schema/metadata_records/voters_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Reader, Str, Writer};

/// Control record: the voters of the controller quorum with their endpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VotersRecord {
    pub version: i16,
    pub voters: Vec<Voter>,
}

impl Fields for VotersRecord {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = VotersRecord { version: r.i16()?, voters: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i16(self.version);
        w.structs(&self.voters, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for VotersRecord {
    const NAME: &'static str = "VotersRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Voter {
    pub voter_id: i32,
    pub voter_directory_id: Uuid,
    pub endpoints: Vec<Endpoint>,
    pub kraft_version_feature: KRaftVersionFeature,
}

impl Fields for Voter {
    const MIN_BYTES: usize = 27;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = Voter {
            voter_id: r.i32()?,
            voter_directory_id: r.uuid()?,
            endpoints: r.structs(version)?,
            kraft_version_feature: r.structure(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.voter_id);
        w.uuid(self.voter_directory_id);
        w.structs(&self.endpoints, version)?;
        self.kraft_version_feature.write(w, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    pub name: Str,
    pub host: Str,
    pub port: u16,
}

impl Fields for Endpoint {
    const MIN_BYTES: usize = 5;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = Endpoint { name: r.string()?, host: r.string()?, port: r.u16()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.string(&self.host)?;
        w.u16(self.port);
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct KRaftVersionFeature {
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}

impl Fields for KRaftVersionFeature {
    const MIN_BYTES: usize = 5;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = KRaftVersionFeature {
            min_supported_version: r.i16()?,
            max_supported_version: r.i16()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i16(self.min_supported_version);
        w.i16(self.max_supported_version);
        w.no_tags();
        Ok(())
    }
}

impl Json for VotersRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("version", &self.version, version);
            out.field("voters", &self.voters, version);
        })
    }
}

impl Json for Voter {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("voterId", &self.voter_id, version);
            out.field("voterDirectoryId", &self.voter_directory_id, version);
            out.field("endpoints", &self.endpoints, version);
            out.field("kRaftVersionFeature", &self.kraft_version_feature, version);
        })
    }
}

impl Json for Endpoint {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("name", &self.name, version);
            out.field("host", &self.host, version);
            out.field("port", &self.port, version);
        })
    }
}

impl Json for KRaftVersionFeature {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("minSupportedVersion", &self.min_supported_version, version);
            out.field("maxSupportedVersion", &self.max_supported_version, version);
        })
    }
}
