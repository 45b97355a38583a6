//! WriteTxnMarkersResponse (API key 27), versions 1-2, flexible.
//!
//! Generated from `schema/wire/write_txn_markers_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The outcome for each producer and partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriteTxnMarkersResponse {
    pub markers: Vec<WritableTxnMarkerResult>,
}

impl Fields for WriteTxnMarkersResponse {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = WriteTxnMarkersResponse { markers: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.structs(&self.markers, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for WriteTxnMarkersResponse {
    const NAME: &'static str = "WriteTxnMarkersResponse";
    const VERSIONS: RangeInclusive<i16> = 1..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WritableTxnMarkerResult {
    pub producer_id: i64,
    pub topics: Vec<WritableTxnMarkerTopicResult>,
}

impl Fields for WritableTxnMarkerResult {
    const MIN_BYTES: usize = 10;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = WritableTxnMarkerResult { producer_id: r.i64()?, topics: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i64(self.producer_id);
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WritableTxnMarkerTopicResult {
    pub name: Str,
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
}

impl Fields for WritableTxnMarkerTopicResult {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it =
            WritableTxnMarkerTopicResult { name: r.string()?, partitions: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.structs(&self.partitions, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WritableTxnMarkerPartitionResult {
    pub partition_index: i32,
    pub error_code: i16,
}

impl Fields for WritableTxnMarkerPartitionResult {
    const MIN_BYTES: usize = 7;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it =
            WritableTxnMarkerPartitionResult { partition_index: r.i32()?, error_code: r.i16()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i16(self.error_code);
        w.no_tags();
        Ok(())
    }
}
