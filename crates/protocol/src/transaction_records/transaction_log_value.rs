//! TransactionLogValue (key version 0), versions 0-1, flexible from 1.
//!
//! Generated from `schema/transaction_records/transaction_log_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// The state of one transactional id.
/// v1 is written once transaction.version is 1 or more.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionLogValue {
    pub producer_id: i64,
    /// v1+.
    pub previous_producer_id: i64,
    /// v1+.
    pub next_producer_id: i64,
    pub producer_epoch: i16,
    /// v1+.
    pub next_producer_epoch: i16,
    pub transaction_timeout_ms: i32,
    /// 0 empty, 1 ongoing, 2 prepare commit, 3 prepare abort, 4 complete commit, 5 complete abort,
    /// 6 dead, 7 prepare epoch fence.
    pub transaction_status: i8,
    /// Null when the transaction is empty.
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    pub transaction_last_update_timestamp_ms: i64,
    pub transaction_start_timestamp_ms: i64,
    /// v1+.
    pub client_transaction_version: i16,
}

impl Default for TransactionLogValue {
    fn default() -> Self {
        TransactionLogValue {
            producer_id: 0,
            previous_producer_id: -1,
            next_producer_id: -1,
            producer_epoch: 0,
            next_producer_epoch: -1,
            transaction_timeout_ms: 0,
            transaction_status: 0,
            transaction_partitions: Some(Vec::new()),
            transaction_last_update_timestamp_ms: 0,
            transaction_start_timestamp_ms: 0,
            client_transaction_version: 0,
        }
    }
}

impl Fields for TransactionLogValue {
    const MIN_BYTES: usize = 33;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = TransactionLogValue {
            producer_id: r.i64()?,
            previous_producer_id: -1,
            next_producer_id: -1,
            producer_epoch: r.i16()?,
            next_producer_epoch: -1,
            transaction_timeout_ms: r.i32()?,
            transaction_status: r.i8()?,
            transaction_partitions: r.nullable_structs(version)?,
            transaction_last_update_timestamp_ms: r.i64()?,
            transaction_start_timestamp_ms: r.i64()?,
            client_transaction_version: 0,
        };
        r.tags(|r, tag| {
            match tag {
                0 => it.previous_producer_id = r.i64()?,
                1 => it.next_producer_id = r.i64()?,
                3 => it.next_producer_epoch = r.i16()?,
                2 => it.client_transaction_version = r.i16()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i64(self.producer_id);
        w.i16(self.producer_epoch);
        w.i32(self.transaction_timeout_ms);
        w.i8(self.transaction_status);
        w.nullable_structs(&self.transaction_partitions, version)?;
        w.i64(self.transaction_last_update_timestamp_ms);
        w.i64(self.transaction_start_timestamp_ms);
        if version < 1 {
            w.only_default(self.previous_producer_id == -1, "previous_producer_id")?;
        }
        if version < 1 {
            w.only_default(self.next_producer_id == -1, "next_producer_id")?;
        }
        if version < 1 {
            w.only_default(self.client_transaction_version == 0, "client_transaction_version")?;
        }
        if version < 1 {
            w.only_default(self.next_producer_epoch == -1, "next_producer_epoch")?;
        }
        w.tags(|tags| {
            if self.previous_producer_id != -1 {
                tags.field(0, |w| {
                    w.i64(self.previous_producer_id);
                    Ok(())
                })?;
            }
            if self.next_producer_id != -1 {
                tags.field(1, |w| {
                    w.i64(self.next_producer_id);
                    Ok(())
                })?;
            }
            if self.client_transaction_version != 0 {
                tags.field(2, |w| {
                    w.i16(self.client_transaction_version);
                    Ok(())
                })?;
            }
            if self.next_producer_epoch != -1 {
                tags.field(3, |w| {
                    w.i16(self.next_producer_epoch);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Message for TransactionLogValue {
    const NAME: &'static str = "TransactionLogValue";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Numbered for TransactionLogValue {
    const ID: i16 = 0;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionsSchema {
    pub topic: Str,
    pub partition_ids: Vec<i32>,
}

impl Fields for PartitionsSchema {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = PartitionsSchema { topic: r.string()?, partition_ids: r.array(4, Reader::i32)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.topic)?;
        w.array(&self.partition_ids, Writer::i32)?;
        w.no_tags();
        Ok(())
    }
}
