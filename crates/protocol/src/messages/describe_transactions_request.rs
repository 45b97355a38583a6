//! DescribeTransactionsRequest (API key 65), version 0, flexible.
//!
//! Generated from `schema/wire/describe_transactions_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::DescribeTransactionsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Asks for the state of transactional ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeTransactionsRequest {
    pub transactional_ids: Vec<Str>,
}

impl Fields for DescribeTransactionsRequest {
    const MIN_BYTES: usize = 2;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = DescribeTransactionsRequest { transactional_ids: r.array(1, Reader::string)? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.strings(&self.transactional_ids)?;
        w.no_tags();
        Ok(())
    }
}

impl Message for DescribeTransactionsRequest {
    const NAME: &'static str = "DescribeTransactionsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for DescribeTransactionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
    type Response = DescribeTransactionsResponse;
}
