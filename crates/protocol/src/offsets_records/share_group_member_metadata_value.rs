//! ShareGroupMemberMetadataValue (key version 10), version 0, flexible.
//!
//! Generated from `schema/offsets_records/share_group_member_metadata_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// What a share group member told about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareGroupMemberMetadataValue {
    pub rack_id: Option<Str>,
    pub client_id: Str,
    pub client_host: Str,
    pub subscribed_topic_names: Vec<Str>,
}

impl Default for ShareGroupMemberMetadataValue {
    fn default() -> Self {
        ShareGroupMemberMetadataValue {
            rack_id: Some(Str::default()),
            client_id: Str::default(),
            client_host: Str::default(),
            subscribed_topic_names: Vec::new(),
        }
    }
}

impl Fields for ShareGroupMemberMetadataValue {
    const MIN_BYTES: usize = 5;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ShareGroupMemberMetadataValue {
            rack_id: r.nullable_string()?,
            client_id: r.string()?,
            client_host: r.string()?,
            subscribed_topic_names: r.array(1, Reader::string)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.nullable_string(&self.rack_id)?;
        w.string(&self.client_id)?;
        w.string(&self.client_host)?;
        w.strings(&self.subscribed_topic_names)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ShareGroupMemberMetadataValue {
    const NAME: &'static str = "ShareGroupMemberMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ShareGroupMemberMetadataValue {
    const ID: i16 = 10;
}
