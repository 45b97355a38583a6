//! EndTxnMarker, version 0, never flexible.
//!
//! Generated from `schema/transaction_records/end_txn_marker.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Writer};

/// The value of a commit or abort marker in a partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndTxnMarker {
    pub coordinator_epoch: i32,
}

impl Fields for EndTxnMarker {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        Ok(EndTxnMarker { coordinator_epoch: r.i32()? })
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.coordinator_epoch);
        Ok(())
    }
}

impl Message for EndTxnMarker {
    const NAME: &'static str = "EndTxnMarker";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
