//! TransactionLogKey (key version 0), version 0, never flexible.
//!
//! Generated from `schema/transaction_records/transaction_log_key.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// Key of the transaction log: a transactional id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactionLogKey {
    pub transactional_id: Str,
}

impl Fields for TransactionLogKey {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(TransactionLogKey { transactional_id: r.string()? })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.transactional_id)?;
        Ok(())
    }
}

impl Message for TransactionLogKey {
    const NAME: &'static str = "TransactionLogKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Numbered for TransactionLogKey {
    const ID: i16 = 0;
}
