//! ConsumerGroupMetadataValue (key version 3), version 0, flexible.
//!
//! Generated from `schema/offsets_records/consumer_group_metadata_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Writer};

/// A consumer group's epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupMetadataValue {
    pub epoch: i32,
    pub metadata_hash: i64,
}

impl Fields for ConsumerGroupMetadataValue {
    const MIN_BYTES: usize = 5;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let mut it = ConsumerGroupMetadataValue { epoch: r.i32()?, metadata_hash: 0 };
        r.tags(|r, tag| {
            if tag == 0 {
                it.metadata_hash = r.i64()?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.epoch);
        w.tags(|tags| {
            if self.metadata_hash != 0 {
                tags.field(0, |w| {
                    w.i64(self.metadata_hash);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Message for ConsumerGroupMetadataValue {
    const NAME: &'static str = "ConsumerGroupMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ConsumerGroupMetadataValue {
    const ID: i16 = 3;
}
