//! BrokerRegistrationChangeRecord (record type 17), versions 0-2, flexible.
//!
//! Generated from `schema/metadata_records/broker_registration_change_record.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use types::Uuid;

use crate::{DecodeError, EncodeError, Fields, Json, JsonText, Message, Numbered, Reader, Writer};

/// A broker was fenced, unfenced, is shutting down, or its log directories changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrokerRegistrationChangeRecord {
    pub broker_id: i32,
    pub broker_epoch: i64,
    /// -1 unfenced, 0 unchanged, 1 fenced.
    pub fenced: i8,
    /// v1+. 0 unchanged, 1 shutting down.
    pub in_controlled_shutdown: i8,
    /// v2+.
    pub log_dirs: Vec<Uuid>,
}

impl Fields for BrokerRegistrationChangeRecord {
    const MIN_BYTES: usize = 13;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = BrokerRegistrationChangeRecord {
            broker_id: r.i32()?,
            broker_epoch: r.i64()?,
            fenced: 0,
            in_controlled_shutdown: 0,
            log_dirs: Vec::new(),
        };
        r.tags(|r, tag| {
            match tag {
                0 => it.fenced = r.i8()?,
                1 if version >= 1 => it.in_controlled_shutdown = r.i8()?,
                2 if version >= 2 => it.log_dirs = r.array(16, Reader::uuid)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.broker_id);
        w.i64(self.broker_epoch);
        if version < 1 {
            w.only_default(self.in_controlled_shutdown == 0, "in_controlled_shutdown")?;
        }
        if version < 2 {
            w.only_default(self.log_dirs.is_empty(), "log_dirs")?;
        }
        w.tags(|tags| {
            if self.fenced != 0 {
                tags.field(0, |w| {
                    w.i8(self.fenced);
                    Ok(())
                })?;
            }
            if version >= 1 && self.in_controlled_shutdown != 0 {
                tags.field(1, |w| {
                    w.i8(self.in_controlled_shutdown);
                    Ok(())
                })?;
            }
            if version >= 2 && !self.log_dirs.is_empty() {
                tags.field(2, |w| w.array(&self.log_dirs, Writer::uuid))?;
            }
            Ok(())
        })
    }
}

impl Message for BrokerRegistrationChangeRecord {
    const NAME: &'static str = "BrokerRegistrationChangeRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for BrokerRegistrationChangeRecord {
    const ID: i16 = 17;
}

impl Json for BrokerRegistrationChangeRecord {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.object(|out| {
            out.field("brokerId", &self.broker_id, version);
            out.field("brokerEpoch", &self.broker_epoch, version);
            if self.fenced != 0 {
                out.field("fenced", &self.fenced, version);
            }
            if version >= 1 && self.in_controlled_shutdown != 0 {
                out.field("inControlledShutdown", &self.in_controlled_shutdown, version);
            }
            if version >= 2 && !self.log_dirs.is_empty() {
                out.field("logDirs", &self.log_dirs, version);
            }
        })
    }
}
