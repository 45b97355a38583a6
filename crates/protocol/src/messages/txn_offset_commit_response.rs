//! TxnOffsetCommitResponse (API key 28), versions 0-5, flexible from 3.
//!
//! Generated from `schema/wire/txn_offset_commit_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The outcome for each partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
}

impl Fields for TxnOffsetCommitResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it =
            TxnOffsetCommitResponse { throttle_time_ms: r.i32()?, topics: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for TxnOffsetCommitResponse {
    const NAME: &'static str = "TxnOffsetCommitResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponseTopic {
    pub name: Str,
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
}

impl Fields for TxnOffsetCommitResponseTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it =
            TxnOffsetCommitResponseTopic { name: r.string()?, partitions: r.structs(version)? };
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
pub struct TxnOffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}

impl Fields for TxnOffsetCommitResponsePartition {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it =
            TxnOffsetCommitResponsePartition { partition_index: r.i32()?, error_code: r.i16()? };
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
