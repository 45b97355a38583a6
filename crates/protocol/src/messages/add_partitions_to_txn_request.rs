//! AddPartitionsToTxnRequest (API key 24), versions 0-5, flexible from 3.
//!
//! Generated from `schema/wire/add_partitions_to_txn_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::AddPartitionsToTxnResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Enlists partitions in a transaction; v4+ is for brokers, in batches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnRequest {
    /// v4+.
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// v0–3.
    pub v3_and_below_transactional_id: Str,
    /// v0–3.
    pub v3_and_below_producer_id: i64,
    /// v0–3.
    pub v3_and_below_producer_epoch: i16,
    /// v0–3.
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl Fields for AddPartitionsToTxnRequest {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = AddPartitionsToTxnRequest {
            transactions: if version >= 4 { r.structs(version)? } else { Vec::new() },
            v3_and_below_transactional_id: if version <= 3 { r.string()? } else { Str::default() },
            v3_and_below_producer_id: if version <= 3 { r.i64()? } else { 0 },
            v3_and_below_producer_epoch: if version <= 3 { r.i16()? } else { 0 },
            v3_and_below_topics: if version <= 3 { r.structs(version)? } else { Vec::new() },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version >= 4 {
            w.structs(&self.transactions, version)?;
        } else {
            w.only_default(self.transactions.is_empty(), "transactions")?;
        }
        if version <= 3 {
            w.string(&self.v3_and_below_transactional_id)?;
            w.i64(self.v3_and_below_producer_id);
            w.i16(self.v3_and_below_producer_epoch);
            w.structs(&self.v3_and_below_topics, version)?;
        } else {
            w.only_default(
                self.v3_and_below_transactional_id.is_empty(),
                "v3_and_below_transactional_id",
            )?;
            w.only_default(self.v3_and_below_producer_id == 0, "v3_and_below_producer_id")?;
            w.only_default(self.v3_and_below_producer_epoch == 0, "v3_and_below_producer_epoch")?;
            w.only_default(self.v3_and_below_topics.is_empty(), "v3_and_below_topics")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for AddPartitionsToTxnRequest {
    const NAME: &'static str = "AddPartitionsToTxnRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    type Response = AddPartitionsToTxnResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTransaction {
    pub transactional_id: Str,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub verify_only: bool,
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl Fields for AddPartitionsToTxnTransaction {
    const MIN_BYTES: usize = 14;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = AddPartitionsToTxnTransaction {
            transactional_id: r.string()?,
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            verify_only: r.bool()?,
            topics: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.string(&self.transactional_id)?;
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        w.bool(self.verify_only);
        w.structs(&self.topics, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTopic {
    pub name: Str,
    pub partitions: Vec<i32>,
}

impl Fields for AddPartitionsToTxnTopic {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it =
            AddPartitionsToTxnTopic { name: r.string()?, partitions: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.array(&self.partitions, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
