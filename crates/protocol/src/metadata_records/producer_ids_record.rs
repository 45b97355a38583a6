//! ProducerIdsRecord (record type 15), version 0, flexible.
//!
//! Generated from `schema/metadata_records/producer_ids_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// A block of producer ids was handed to a broker.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerIdsRecord {
    pub broker_id: i32,
    pub broker_epoch: i64,
    pub next_producer_id: i64,
}

impl Default for ProducerIdsRecord {
    fn default() -> Self {
        ProducerIdsRecord { broker_id: 0, broker_epoch: -1, next_producer_id: 0 }
    }
}

impl Fields for ProducerIdsRecord {
    const MIN_BYTES: usize = 21;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ProducerIdsRecord {
            broker_id: r.i32()?,
            broker_epoch: r.i64()?,
            next_producer_id: r.i64()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.i64(self.broker_epoch);
        w.i64(self.next_producer_id);
        w.no_tags();
        Ok(())
    }
}

impl Message for ProducerIdsRecord {
    const NAME: &'static str = "ProducerIdsRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ProducerIdsRecord {
    const ID: i16 = 15;
}

impl Json for ProducerIdsRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("brokerId", &self.broker_id, version);
            out.field("brokerEpoch", &self.broker_epoch, version);
            out.field("nextProducerId", &self.next_producer_id, version);
        })
    }
}
