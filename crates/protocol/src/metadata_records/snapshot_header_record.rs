//! SnapshotHeaderRecord, version 0, flexible.
//!
//! Generated from `schema/metadata_records/snapshot_header_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Reader, Writer};

/// Control record: opens a metadata snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SnapshotHeaderRecord {
    pub version: i16,
    pub last_contained_log_timestamp: i64,
}

impl Fields for SnapshotHeaderRecord {
    const MIN_BYTES: usize = 11;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = SnapshotHeaderRecord { version: r.i16()?, last_contained_log_timestamp: r.i64()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i16(self.version);
        w.i64(self.last_contained_log_timestamp);
        w.no_tags();
        Ok(())
    }
}

impl Message for SnapshotHeaderRecord {
    const NAME: &'static str = "SnapshotHeaderRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Json for SnapshotHeaderRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("version", &self.version, version);
            out.field("lastContainedLogTimestamp", &self.last_contained_log_timestamp, version);
        })
    }
}
