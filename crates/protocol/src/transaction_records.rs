//! Keys and values of `__transaction_state`, and markers.
//!
//! Generated from `schema/transaction_records/` by `cargo xtask codegen`.

pub mod end_txn_marker;
pub mod transaction_log_key;
pub mod transaction_log_value;

pub use end_txn_marker::EndTxnMarker;
pub use transaction_log_key::TransactionLogKey;
pub use transaction_log_value::TransactionLogValue;
