//! BeginTransactionRecord (record type 23), version 0, flexible.
//!
//! Generated from `schema/metadata_records/begin_transaction_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// Opens a run of records that count together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BeginTransactionRecord {
    pub name: Option<Str>,
}

impl Fields for BeginTransactionRecord {
    const MIN_BYTES: usize = 1;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let mut it = BeginTransactionRecord { name: None };
        r.tags(|r, tag| {
            if tag == 0 {
                it.name = r.nullable_string()?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.tags(|tags| {
            if self.name.is_some() {
                tags.field(0, |w| w.nullable_string(&self.name))?;
            }
            Ok(())
        })
    }
}

impl Message for BeginTransactionRecord {
    const NAME: &'static str = "BeginTransactionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for BeginTransactionRecord {
    const ID: i16 = 23;
}

impl Json for BeginTransactionRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            if self.name.is_some() {
                out.field("name", &self.name, version);
            }
        })
    }
}
