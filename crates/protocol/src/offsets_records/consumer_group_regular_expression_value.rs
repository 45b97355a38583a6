//! ConsumerGroupRegularExpressionValue (key version 16), version 0, flexible.
//!
//! Generated from `schema/offsets_records/consumer_group_regular_expression_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// The topics a subscription pattern matched, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupRegularExpressionValue {
    pub topics: Vec<Str>,
    pub version: i64,
    pub timestamp: i64,
}

impl Fields for ConsumerGroupRegularExpressionValue {
    const MIN_BYTES: usize = 18;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ConsumerGroupRegularExpressionValue {
            topics: r.array(1, Reader::string)?,
            version: r.i64()?,
            timestamp: r.i64()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.strings(&self.topics)?;
        w.i64(self.version);
        w.i64(self.timestamp);
        w.no_tags();
        Ok(())
    }
}

impl Message for ConsumerGroupRegularExpressionValue {
    const NAME: &'static str = "ConsumerGroupRegularExpressionValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ConsumerGroupRegularExpressionValue {
    const ID: i16 = 16;
}
