//! RemoveTopicRecord (record type 9), version 0, flexible.
//!
//! Generated from `schema/metadata_records/remove_topic_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// A topic was deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoveTopicRecord {
    pub topic_id: Uuid,
}

impl Fields for RemoveTopicRecord {
    const MIN_BYTES: usize = 17;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = RemoveTopicRecord { topic_id: r.uuid()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.no_tags();
        Ok(())
    }
}

impl Message for RemoveTopicRecord {
    const NAME: &'static str = "RemoveTopicRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for RemoveTopicRecord {
    const ID: i16 = 9;
}

impl Json for RemoveTopicRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("topicId", &self.topic_id, version);
        })
    }
}
