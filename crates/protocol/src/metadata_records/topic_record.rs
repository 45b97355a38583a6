//! TopicRecord (record type 2), version 0, flexible.
//!
//! Generated from `schema/metadata_records/topic_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{
    DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Str, Writer,
};

/// A topic was created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicRecord {
    pub name: Str,
    pub topic_id: Uuid,
}

impl Fields for TopicRecord {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = TopicRecord { name: r.string()?, topic_id: r.uuid()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.uuid(self.topic_id);
        w.no_tags();
        Ok(())
    }
}

impl Message for TopicRecord {
    const NAME: &'static str = "TopicRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for TopicRecord {
    const ID: i16 = 2;
}

impl Json for TopicRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("name", &self.name, version);
            out.field("topicId", &self.topic_id, version);
        })
    }
}
