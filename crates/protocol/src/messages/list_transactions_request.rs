//! ListTransactionsRequest (API key 66), versions 0-2, flexible.
//!
//! Generated from `schema/wire/list_transactions_request.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::messages::ListTransactionsResponse;
use crate::{ApiKey, DecodeError, EncodeError, Fields, Message, Reader, Request, Str, Writer};

/// Lists the transactions that this broker coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsRequest {
    pub state_filters: Vec<Str>,
    pub producer_id_filters: Vec<i64>,
    /// v1+.
    pub duration_filter: i64,
    /// v2+.
    pub transactional_id_pattern: Option<Str>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        ListTransactionsRequest {
            state_filters: Vec::new(),
            producer_id_filters: Vec::new(),
            duration_filter: -1,
            transactional_id_pattern: None,
        }
    }
}

impl Fields for ListTransactionsRequest {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ListTransactionsRequest {
            state_filters: r.array(1, Reader::string)?,
            producer_id_filters: r.array(8, Reader::i64)?,
            duration_filter: if version >= 1 { r.i64()? } else { -1 },
            transactional_id_pattern: if version >= 2 { r.nullable_string()? } else { None },
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.strings(&self.state_filters)?;
        w.array(&self.producer_id_filters, Writer::i64)?;
        if version >= 1 {
            w.i64(self.duration_filter);
        } else {
            w.only_default(self.duration_filter == -1, "duration_filter")?;
        }
        if version >= 2 {
            w.nullable_string(&self.transactional_id_pattern)?;
        } else {
            w.only_default(self.transactional_id_pattern.is_none(), "transactional_id_pattern")?;
        }
        w.no_tags();
        Ok(())
    }
}

impl Message for ListTransactionsRequest {
    const NAME: &'static str = "ListTransactionsRequest";
    const VERSIONS: RangeInclusive<i16> = 0..=2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ListTransactionsRequest {
    const KEY: ApiKey = ApiKey::ListTransactions;
    type Response = ListTransactionsResponse;
}
