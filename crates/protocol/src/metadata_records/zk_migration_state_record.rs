//! ZkMigrationStateRecord (record type 21), version 0, flexible.
//!
//! Generated from `schema/metadata_records/zk_migration_state_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// How far a migration from ZooKeeper has come; read, never written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ZkMigrationStateRecord {
    pub zk_migration_state: i8,
}

impl Fields for ZkMigrationStateRecord {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ZkMigrationStateRecord { zk_migration_state: r.i8()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i8(self.zk_migration_state);
        w.no_tags();
        Ok(())
    }
}

impl Message for ZkMigrationStateRecord {
    const NAME: &'static str = "ZkMigrationStateRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ZkMigrationStateRecord {
    const ID: i16 = 21;
}

impl Json for ZkMigrationStateRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("zkMigrationState", &self.zk_migration_state, version);
        })
    }
}
