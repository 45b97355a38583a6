//! StreamsGroupMetadataValue (key version 17), version 0, flexible.
//!
//! Generated from `schema/offsets_records/streams_group_metadata_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// A Streams group's epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupMetadataValue {
    pub epoch: i32,
    pub metadata_hash: i64,
    pub validated_topology_epoch: i32,
    pub last_assignment_configs: Option<Vec<LastAssignmentConfig>>,
}

impl Default for StreamsGroupMetadataValue {
    fn default() -> Self {
        StreamsGroupMetadataValue {
            epoch: 0,
            metadata_hash: 0,
            validated_topology_epoch: -1,
            last_assignment_configs: Some(Vec::new()),
        }
    }
}

impl Fields for StreamsGroupMetadataValue {
    const MIN_BYTES: usize = 13;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = StreamsGroupMetadataValue {
            epoch: r.i32()?,
            metadata_hash: r.i64()?,
            validated_topology_epoch: -1,
            last_assignment_configs: Some(Vec::new()),
        };
        r.tags(|r, tag| {
            match tag {
                0 => it.validated_topology_epoch = r.i32()?,
                1 => it.last_assignment_configs = r.nullable_structs(version)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.epoch);
        w.i64(self.metadata_hash);
        w.tags(|tags| {
            if self.validated_topology_epoch != -1 {
                tags.field(0, |w| {
                    w.i32(self.validated_topology_epoch);
                    Ok(())
                })?;
            }
            if !self.last_assignment_configs.as_ref().is_some_and(|it| it.is_empty()) {
                tags.field(1, |w| w.nullable_structs(&self.last_assignment_configs, version))?;
            }
            Ok(())
        })
    }
}

impl Message for StreamsGroupMetadataValue {
    const NAME: &'static str = "StreamsGroupMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for StreamsGroupMetadataValue {
    const ID: i16 = 17;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastAssignmentConfig {
    pub key: Str,
    pub value: Str,
}

impl Fields for LastAssignmentConfig {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = LastAssignmentConfig { key: r.string()?, value: r.string()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.key)?;
        w.string(&self.value)?;
        w.no_tags();
        Ok(())
    }
}
