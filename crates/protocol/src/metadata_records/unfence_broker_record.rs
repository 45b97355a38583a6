//! UnfenceBrokerRecord (record type 8), version 0, flexible.
//!
//! Generated from `schema/metadata_records/unfence_broker_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// A broker was unfenced; superseded by BrokerRegistrationChangeRecord.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnfenceBrokerRecord {
    pub id: i32,
    pub epoch: i64,
}

impl Fields for UnfenceBrokerRecord {
    const MIN_BYTES: usize = 13;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = UnfenceBrokerRecord { id: r.i32()?, epoch: r.i64()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.id);
        w.i64(self.epoch);
        w.no_tags();
        Ok(())
    }
}

impl Message for UnfenceBrokerRecord {
    const NAME: &'static str = "UnfenceBrokerRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for UnfenceBrokerRecord {
    const ID: i16 = 8;
}

impl Json for UnfenceBrokerRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("id", &self.id, version);
            out.field("epoch", &self.epoch, version);
        })
    }
}
