//! What a produced batch must be before it may enter a log.
//!
//! The order of the checks is Kafka's, so that a batch wrong in two ways gets the same answer:
//! frame → magic → one batch → codec → base offset → size → checksum → counts → producer →
//! records.
//! Where this is stricter than Kafka: `docs/formats/record-batch.md#produce-checks`.

mod rejection;
mod rules;
mod validated;
mod walk;

use bytes::Bytes;
use types::{ErrorCode, Offset, WallTime};

use crate::batch::RecordBatch;
use crate::builder;
use crate::compression::{self, Compression, Compressor};
use crate::error::BatchError;
use crate::header::{BatchHeader, TimestampType};
use crate::limits;

pub use rejection::{RecordError, RecordsRejected};
pub use rules::{AppendOrigin, ProduceRules, TargetCompression};
pub use validated::ValidatedBatch;
use walk::Findings;

/// Checks the records of one partition in a Produce request (version 3 or later) and brings them
/// into the form the log keeps: timestamps settled, compressed as the topic wants, base offset
/// still 0.
///
/// # Errors
/// The `ErrorCode` and the records at fault, as Kafka reports them.
///
/// # Source
/// Kafka `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords`, `LogValidator`.
#[doc(alias = "LogValidator")]
pub fn validate_produce(
    records: Bytes,
    rules: &ProduceRules,
    now: WallTime,
) -> Result<ValidatedBatch, RecordsRejected> {
    let batch = sole_batch(&records)?;
    let codec = batch.header().compression()?;
    check_request(&batch, codec, rules)?;
    check_size(batch.size_bytes(), rules)?;
    batch.verify_crc()?;
    if rules.origin == AppendOrigin::Client {
        check_counts(batch.header())?;
        check_producer(batch.header())?;
    }
    let findings =
        walk::walk(batch.header(), codec, &batch.bytes()[BatchHeader::BYTES..], rules, now)?;
    if let Some(rejected) = RecordsRejected::from_records(&findings) {
        return Err(rejected);
    }
    let batch = match recompression(&batch, codec, rules) {
        Some(target) => recompress(&batch, codec, target, rules)?,
        None => batch,
    };
    Ok(settle_timestamps(batch, &findings, rules, now))
}

/// Exactly one whole batch of format 2.
fn sole_batch(records: &Bytes) -> Result<RecordBatch, RecordsRejected> {
    let batch = RecordBatch::parse(records).map_err(|error| match error {
        // Kafka's iterator finds nothing in a torn batch.
        BatchError::Torn { .. } => RecordsRejected::invalid("no whole record batch was sent"),
        other => other.into(),
    })?;
    if records.len() > batch.size_bytes() {
        // A second header that is broken is corruption, a whole second batch a broken promise; a
        // piece of one is left behind, as Kafka does.
        let rest = records.slice(batch.size_bytes()..);
        match RecordBatch::parse(&rest) {
            Err(error) if error.is_torn() => {}
            Err(error) => return Err(error.into()),
            Ok(_) => {
                let message = "more than one record batch was sent for the partition";
                return Err(RecordsRejected::invalid(message));
            }
        }
    }
    Ok(batch)
}

fn check_request(
    batch: &RecordBatch,
    codec: Compression,
    rules: &ProduceRules,
) -> Result<(), RecordsRejected> {
    if codec == Compression::Zstd && !rules.zstd_allowed {
        return Err(RecordsRejected::new(
            ErrorCode::UnsupportedCompressionType,
            "zstd needs Produce version 7 or later".to_owned(),
        ));
    }
    let offset = batch.base_offset();
    if rules.origin == AppendOrigin::Client && offset != Offset::ZERO {
        let message = format!("the base offset of a produced batch is 0, not {offset}");
        return Err(RecordsRejected::invalid(message));
    }
    Ok(())
}

/// The compressed size counts: clients split a batch on exactly this error.
fn check_size(size_bytes: usize, rules: &ProduceRules) -> Result<(), RecordsRejected> {
    if size_bytes <= rules.batch_bytes_max {
        return Ok(());
    }
    let message = format!(
        "the record batch has {size_bytes} bytes, max.message.bytes is {}",
        rules.batch_bytes_max
    );
    Err(RecordsRejected::new(ErrorCode::MessageTooLarge, message))
}

fn check_counts(header: &BatchHeader) -> Result<(), RecordsRejected> {
    let (delta, count) = (header.last_offset_delta, header.records_count);
    if delta < 0 {
        return Err(RecordsRejected::invalid(format!("last offset delta {delta} is negative")));
    }
    if count <= 0 {
        return Err(RecordsRejected::invalid(format!("record count {count} is not positive")));
    }
    if i64::from(count) != i64::from(delta) + 1 {
        let message = format!("{count} records cannot span offsets 0 to {delta}");
        return Err(RecordsRejected::invalid(message));
    }
    Ok(())
}

fn check_producer(header: &BatchHeader) -> Result<(), RecordsRejected> {
    if header.is_control() {
        return Err(RecordsRejected::invalid("only brokers write control records"));
    }
    if !header.has_producer() {
        return match header.is_transactional() {
            true => Err(RecordsRejected::invalid("transactional records need a producer id")),
            false => Ok(()),
        };
    }
    let (id, sequence) = (header.producer_id, header.base_sequence);
    if sequence.0 < 0 {
        let message = format!("producer {id} sent negative sequence {sequence}");
        return Err(RecordsRejected::invalid(message));
    }
    Ok(())
}

/// The codec to go to, if it is another one. A different level alone is no reason.
fn recompression(
    batch: &RecordBatch,
    codec: Compression,
    rules: &ProduceRules,
) -> Option<Compressor> {
    match rules.compression {
        TargetCompression::Producer => None,
        // Control records stay readable without a decoder.
        TargetCompression::Fixed(_) if batch.header().is_control() => None,
        TargetCompression::Fixed(target) => (target.codec() != codec).then_some(target),
    }
}

/// The same records under another codec. Offsets and timestamps are relative to the header, so the
/// block itself needs no rewriting.
fn recompress(
    batch: &RecordBatch,
    codec: Compression,
    target: Compressor,
    rules: &ProduceRules,
) -> Result<RecordBatch, RecordsRejected> {
    let payload = batch.payload();
    let limit = limits::decompressed_bytes_max(payload.len());
    let plain = compression::decompress(codec, &payload, limit)?;
    let batch = builder::assemble(batch.header().clone(), target, &plain);
    check_size(batch.size_bytes(), rules)?;
    Ok(batch)
}

/// Makes header and records agree about time; renews the checksum only if the header was wrong.
fn settle_timestamps(
    batch: RecordBatch,
    findings: &Findings,
    rules: &ProduceRules,
    now: WallTime,
) -> ValidatedBatch {
    let max_timestamp = match rules.timestamp_type {
        TimestampType::LogAppendTime => now,
        TimestampType::CreateTime => findings.max_timestamp,
    };
    let mut validated = ValidatedBatch::trusted(batch);
    validated.set_timestamps(rules.timestamp_type, max_timestamp);
    validated
}
