//! ReadShareGroupStateSummaryRequest (API key 87), versions 0-1, flexible.
//!
//! Generated from `schema/wire/read_share_group_state_summary_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::messages::ReadShareGroupStateSummaryResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Reads the epochs and start offsets of share partitions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadShareGroupStateSummaryRequest {
    pub group_id: Str,
    pub topics: Vec<ReadStateSummaryData>,
}

impl Fields for ReadShareGroupStateSummaryRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ReadShareGroupStateSummaryRequest {
            group_id: r.string()?,
            topics: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.group_id)?;
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for ReadShareGroupStateSummaryRequest {
    const NAME: &'static str = "ReadShareGroupStateSummaryRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ReadShareGroupStateSummaryRequest {
    const KEY: ApiKey = ApiKey::ReadShareGroupStateSummary;
    type Response = ReadShareGroupStateSummaryResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadStateSummaryData {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
}

impl Fields for ReadStateSummaryData {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ReadStateSummaryData { topic_id: r.uuid()?, partitions: r.structs(version)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.uuid(self.topic_id);
        w.structs(&self.partitions, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionData {
    pub partition: i32,
    pub leader_epoch: i32,
}

impl Fields for PartitionData {
    const MIN_BYTES: usize = 9;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = PartitionData { partition: r.i32()?, leader_epoch: r.i32()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition);
        w.i32(self.leader_epoch);
        w.no_tags();
        Ok(())
    }
}
