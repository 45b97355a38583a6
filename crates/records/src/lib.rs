//! Record batches: the bytes Kafka calls message format 2, from the first length to the last
//! varint.
//!
//! A produced batch is checked by [`validate`], stored as it came but for its base offset and
//! leader epoch, and handed out again untouched. Formats: `docs/formats/record-batch.md`;
//! decisions: ADR 0002.

mod batch;
pub mod bootstrap;
mod builder;
mod checksum;
mod compaction;
pub mod compression;
pub mod control;
mod error;
pub mod header;
pub mod legacy;
pub mod limits;
mod record;
pub mod validate;
mod varint;

pub use batch::{Batches, HeaderScan, RecordBatch, batches, headers};
pub use builder::{BatchBuilder, NewRecord};
pub use checksum::{crc32, crc32c};
pub use compaction::Retained;
pub use compression::{Compression, Compressor};
pub use error::BatchError;
pub use header::{Attributes, BatchHeader, TimestampType};
pub use record::{Header, Record, Records};
