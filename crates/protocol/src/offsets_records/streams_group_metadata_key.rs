//! StreamsGroupMetadataKey (key version 17), version 0, never flexible.
//!
//! Generated from `schema/offsets_records/streams_group_metadata_key.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// Key of a Streams group's epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupMetadataKey {
    pub group_id: Str,
}

impl Fields for StreamsGroupMetadataKey {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(StreamsGroupMetadataKey { group_id: r.string()? })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        Ok(())
    }
}

impl Message for StreamsGroupMetadataKey {
    const NAME: &'static str = "StreamsGroupMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Numbered for StreamsGroupMetadataKey {
    const ID: i16 = 17;
}
