//! Stepping through runs of batches and old entries, and what moves without being copied.

use bytes::Bytes;
use records::legacy::{self, LegacyEntry, Stored};
use records::validate::{ProduceRules, ValidatedBatch, validate_produce};
use records::{
    BatchBuilder, BatchError, BatchHeader, Compression, Compressor, NewRecord, RecordBatch,
    TimestampType, batches, crc32, headers,
};
use types::{LeaderEpoch, Offset, WallTime};

const NOW: WallTime = WallTime(1_700_000_000_000);

fn batch(base: i64, count: usize) -> RecordBatch {
    let mut builder = BatchBuilder::new().base_offset(Offset(base));
    for _ in 0..count {
        let value = Some(&b"value"[..]);
        builder.push(NewRecord { timestamp: NOW, value, ..NewRecord::default() });
    }
    builder.build()
}

fn run(parts: &[&[u8]]) -> Bytes {
    Bytes::from(parts.concat())
}

#[test]
fn a_run_of_batches_is_stepped_through_to_its_torn_end() {
    let (first, second) = (batch(0, 3), batch(3, 2));
    let torn = &batch(5, 1).into_bytes()[..30];
    let bytes = run(&[first.bytes(), second.bytes(), torn]);

    let seen: Vec<_> = batches(&bytes).collect();
    assert_eq!(seen.len(), 3);
    assert_eq!((&seen[0], &seen[1]), (&Ok(first.clone()), &Ok(second.clone())));
    assert!(seen[2].as_ref().is_err_and(BatchError::is_torn));

    let mut scan = headers(&bytes);
    assert_eq!(scan.next(), Some(Ok((0, first.header().clone()))));
    assert_eq!(scan.next(), Some(Ok((first.size_bytes(), second.header().clone()))));
    assert!(scan.next().unwrap().is_err());
    assert_eq!(scan.next(), None);
    assert_eq!(scan.position(), first.size_bytes() + second.size_bytes(), "where to cut");
}

#[test]
fn nothing_is_read_behind_an_error() {
    let mut broken = batch(0, 1).into_bytes().to_vec();
    broken[16] = 9;
    let bytes = run(&[&broken, batch(1, 1).bytes()]);
    let seen: Vec<_> = batches(&bytes).collect();
    assert_eq!(seen, [Err(BatchError::BadMagic(9))]);
}

#[test]
fn a_batch_is_placed_without_a_copy_of_its_records() {
    let sent = batch(0, 3).into_bytes();
    let mut validated = validate_produce(sent.clone(), &ProduceRules::default(), NOW).unwrap();
    validated.assign(Offset(42), LeaderEpoch(7));
    assert_eq!(validated.records().as_ptr(), sent[BatchHeader::BYTES..].as_ptr());
    let stored = validated.into_batch();
    stored.verify_crc().unwrap();
    assert_eq!(RecordBatch::parse(stored.bytes()).as_ref(), Ok(&stored));
    assert_eq!((stored.base_offset(), stored.next_offset()), (Offset(42), Offset(45)));
    assert_eq!(stored.header().leader_epoch, LeaderEpoch(7));
}

#[test]
fn a_batch_that_others_hold_too_is_left_as_it_is() {
    let sent = batch(0, 3).into_bytes();
    let before = sent.to_vec();
    let rules =
        ProduceRules { timestamp_type: TimestampType::LogAppendTime, ..ProduceRules::default() };
    let later = WallTime(NOW.0 + 5);
    let mut validated = validate_produce(sent.clone(), &rules, later).unwrap();
    validated.assign(Offset(42), LeaderEpoch(7));
    assert_eq!(sent, before);
    assert_eq!(validated.log_append_time(), Some(later));
    assert_eq!(
        (validated.max_timestamp(), validated.offset_of_max_timestamp()),
        (later, Offset(44))
    );
    let stored = validated.into_batch();
    stored.verify_crc().unwrap();
    assert!(stored.records().unwrap().all(|record| record.unwrap().timestamp == later));
}

#[test]
fn a_batch_without_timestamps_has_no_place_in_the_time_index() {
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { timestamp: WallTime::NONE, ..NewRecord::default() });
    let validated = ValidatedBatch::trusted(builder.build());
    assert_eq!(validated.offset_of_max_timestamp(), Offset::NONE);
    assert_eq!(validated.log_append_time(), None);
}

/// An entry of format 1.
fn entry(offset: i64, attributes: u8, value: Option<&[u8]>) -> Vec<u8> {
    let mut body = vec![1, attributes];
    body.extend_from_slice(&NOW.0.to_be_bytes());
    body.extend_from_slice(&(-1i32).to_be_bytes());
    let length = value.map_or(-1, |value| value.len() as i32);
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(value.unwrap_or_default());
    let mut out = offset.to_be_bytes().to_vec();
    out.extend_from_slice(&(body.len() as i32 + 4).to_be_bytes());
    out.extend_from_slice(&crc32(&body).to_be_bytes());
    out.extend_from_slice(&body);
    out
}

/// A compressed entry of format 1 around others.
fn wrapper(offset: i64, inner: &[Vec<u8>]) -> Bytes {
    let mut block = Vec::new();
    Compressor::new(Compression::Gzip).compress(&inner.concat(), &mut block);
    Bytes::from(entry(offset, Compression::Gzip.id(), Some(&block)))
}

fn offsets(bytes: &Bytes) -> Result<Vec<i64>, BatchError> {
    let records = LegacyEntry::parse(bytes)?.records()?;
    Ok(records.iter().map(|record| record.offset.0).collect())
}

#[test]
fn inner_offsets_of_format_1_count_back_from_the_outer_one() {
    let inner = [0, 1, 2].map(|offset| entry(offset, 0, Some(b"v")));
    assert_eq!(offsets(&wrapper(52, &inner)), Ok(vec![50, 51, 52]));
    // After compaction the inner ones have gaps and the last one still sets the base.
    let inner = [1, 4].map(|offset| entry(offset, 0, Some(b"v")));
    assert_eq!(offsets(&wrapper(14, &inner)), Ok(vec![11, 14]));
    // Never through a broker's hands.
    let inner = [0, 1].map(|offset| entry(offset, 0, Some(b"v")));
    assert_eq!(offsets(&wrapper(0, &inner)), Ok(vec![0, 1]));
}

#[test]
fn old_entries_that_contradict_themselves_are_refused() {
    let plain = || entry(3, 0, Some(b"v"));
    let no_records = wrapper(3, &[]);
    let before_its_records = wrapper(2, &[plain()]);
    let nested = wrapper(3, &[entry(3, Compression::Gzip.id(), Some(b"v"))]);
    let no_value = Bytes::from(entry(3, Compression::Gzip.id(), None));
    let zstd = Bytes::from(entry(3, Compression::Zstd.id(), Some(b"v")));
    for bytes in [no_records, before_its_records, nested, no_value, zstd] {
        assert!(offsets(&bytes).is_err());
        assert!(LegacyEntry::parse(&bytes).unwrap().to_format_2().is_err());
    }
    let backwards = wrapper(3, &[plain(), entry(2, 0, None), plain()]);
    assert!(LegacyEntry::parse(&backwards).unwrap().to_format_2().is_err());
}

#[test]
fn old_and_new_formats_may_lie_side_by_side() {
    let old = entry(0, 0, Some(b"v"));
    let new = batch(1, 2);
    let bytes = run(&[&old, new.bytes()]);
    assert_eq!(batches(&bytes).next(), Some(Err(BatchError::LegacyMagic(1))));
    let first = Stored::parse(&bytes).unwrap();
    let second = Stored::parse(&bytes.slice(first.size_bytes()..)).unwrap();
    assert_eq!(second, Stored::Batch(new));
    let converted = first.into_batch().unwrap();
    assert_eq!((converted.base_offset(), converted.next_offset()), (Offset(0), Offset(1)));

    let mut damaged = old.clone();
    let value_at = damaged.len() - 1;
    damaged[value_at] ^= 1;
    let damaged = Stored::parse(&Bytes::from(damaged)).unwrap();
    assert!(matches!(damaged.into_batch(), Err(BatchError::BadChecksum { .. })));
    let torn = legacy::entries(&Bytes::from(old).slice(..20)).last().unwrap();
    assert!(torn.is_err_and(|error| error.is_torn()));
}
