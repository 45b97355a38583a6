//! ClearElrRecord (record type 28), version 0, flexible.
//!
//! Generated from `schema/metadata_records/clear_elr_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// Forgets the eligible leader replicas of a topic, or of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClearElrRecord {
    pub topic_name: Str,
}

impl Fields for ClearElrRecord {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ClearElrRecord { topic_name: r.string()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.topic_name)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ClearElrRecord {
    const NAME: &'static str = "ClearElrRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ClearElrRecord {
    const ID: i16 = 28;
}

impl Json for ClearElrRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("topicName", &self.topic_name, version);
        })
    }
}
