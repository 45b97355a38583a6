//! AddPartitionsToTxnResponse (API key 24), versions 0-5, flexible from 3.
//!
//! Generated from `schema/wire/add_partitions_to_txn_response.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// The outcome for each partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnResponse {
    pub throttle_time_ms: i32,
    /// v4+.
    pub error_code: i16,
    /// v4+.
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// v0–3.
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl Fields for AddPartitionsToTxnResponse {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = AddPartitionsToTxnResponse {
            throttle_time_ms: r.i32()?,
            error_code: if version >= 4 { r.i16()? } else { 0 },
            results_by_transaction: if version >= 4 { r.structs(version)? } else { Vec::new() },
            results_by_topic_v3_and_below: if version <= 3 {
                r.structs(version)?
            } else {
                Vec::new()
            },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.throttle_time_ms);
        if version >= 4 {
            w.i16(self.error_code);
            w.structs(&self.results_by_transaction, version)?;
        } else {
            w.only_default(self.results_by_transaction.is_empty(), "results_by_transaction")?;
        }
        if version <= 3 {
            w.structs(&self.results_by_topic_v3_and_below, version)?;
        } else {
            w.only_default(
                self.results_by_topic_v3_and_below.is_empty(),
                "results_by_topic_v3_and_below",
            )?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for AddPartitionsToTxnResponse {
    const NAME: &'static str = "AddPartitionsToTxnResponse";
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnResult {
    pub transactional_id: Str,
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl Fields for AddPartitionsToTxnResult {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = AddPartitionsToTxnResult {
            transactional_id: r.string()?,
            topic_results: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.transactional_id)?;
        w.structs(&self.topic_results, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTopicResult {
    pub name: Str,
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl Fields for AddPartitionsToTxnTopicResult {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = AddPartitionsToTxnTopicResult {
            name: r.string()?,
            results_by_partition: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.structs(&self.results_by_partition, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: i32,
    pub partition_error_code: i16,
}

impl Fields for AddPartitionsToTxnPartitionResult {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = AddPartitionsToTxnPartitionResult {
            partition_index: r.i32()?,
            partition_error_code: r.i16()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.partition_index);
        w.i16(self.partition_error_code);
        w.no_tags();
        Ok(())
    }
}
