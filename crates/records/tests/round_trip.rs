//! What is built can be read, whatever the codec; what is damaged is refused, never a panic.

use bytes::Bytes;
use proptest::prelude::*;
use records::validate::{ProduceRules, TargetCompression, validate_produce};
use records::{
    BatchBuilder, BatchError, Compression, Header, NewRecord, Record, RecordBatch, batches, headers,
};
use types::{ErrorCode, LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, WallTime};

const NOW: WallTime = WallTime(1_700_000_000_000);

fn any_bytes() -> impl Strategy<Value = Option<Bytes>> {
    prop::option::of(prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        (any::<u8>(), 0..5000usize).prop_map(|(byte, count)| vec![byte; count]),
    ])
    .prop_map(|bytes| bytes.map(Bytes::from))
}

fn any_header() -> impl Strategy<Value = Header> {
    ("[a-z]{0,8}", any_bytes()).prop_map(|(key, value)| Header { key: Bytes::from(key), value })
}

prop_compose! {
    fn any_record()(
        age in 0..100_000i64,
        key in any_bytes(),
        value in any_bytes(),
        headers in prop::collection::vec(any_header(), 0..3),
    ) -> Record {
        Record { offset: Offset(0), timestamp: WallTime(NOW.0 - age), key, value, headers }
    }
}

fn any_records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(any_record(), 1..12).prop_map(|mut records| {
        for (at, record) in records.iter_mut().enumerate() {
            record.offset = Offset(at as i64);
        }
        records
    })
}

fn any_codec() -> impl Strategy<Value = Compression> {
    prop::sample::select(Compression::ALL.to_vec())
}

fn build(records: &[Record], codec: Compression) -> RecordBatch {
    let mut builder = BatchBuilder::new().compression(codec).producer(
        ProducerId(7),
        ProducerEpoch(1),
        Sequence(i32::MAX),
    );
    for record in records {
        builder.push(NewRecord {
            timestamp: record.timestamp,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &record.headers,
        });
    }
    builder.build()
}

fn read(batch: &RecordBatch) -> Result<Vec<Record>, BatchError> {
    batch.records()?.collect()
}

proptest! {
    #[test]
    fn a_built_batch_reads_back_and_passes_validation(
        records in any_records(),
        codec in any_codec(),
    ) {
        let built = build(&records, codec);
        let parsed = RecordBatch::parse(built.bytes()).unwrap();
        prop_assert_eq!(&parsed, &built);
        parsed.verify_crc().unwrap();
        prop_assert_eq!(&read(&parsed).unwrap(), &records);
        let header = parsed.header();
        prop_assert_eq!(header.next_offset(), Offset(records.len() as i64));
        prop_assert_eq!(header.last_sequence(), Sequence(i32::MAX).plus(records.len() as i32 - 1));

        let validated = validate_produce(built.bytes().clone(), &ProduceRules::default(), NOW);
        prop_assert_eq!(validated.unwrap().to_bytes(), built.into_bytes());
    }

    #[test]
    fn recompression_keeps_every_record(
        records in any_records(),
        from in any_codec(),
        to in any_codec(),
    ) {
        let rules = ProduceRules {
            compression: TargetCompression::Fixed(to.into()),
            ..ProduceRules::default()
        };
        let built = build(&records, from);
        let mut stored = validate_produce(built.bytes().clone(), &rules, NOW).unwrap();
        stored.assign(Offset(1000), LeaderEpoch(3));
        let stored = stored.into_batch();
        stored.verify_crc().unwrap();
        prop_assert_eq!(stored.header().compression().unwrap(), to);
        prop_assert_eq!(stored.header().producer_id, ProducerId(7));
        prop_assert_eq!(stored.header().base_sequence, Sequence(i32::MAX));
        let mut moved = records;
        for record in &mut moved {
            record.offset = record.offset.plus(1000);
        }
        prop_assert_eq!(read(&stored).unwrap(), moved);
    }

    #[test]
    fn a_truncated_batch_is_torn(records in any_records(), codec in any_codec(), cut in 0.0..1.0) {
        let whole = build(&records, codec).into_bytes();
        let kept = (whole.len() as f64 * cut) as usize;
        let cut = whole.slice(..kept);
        let last = batches(&cut).last();
        let torn = matches!(last, None | Some(Err(BatchError::Torn { .. })));
        prop_assert!(torn);
        prop_assert!(headers(&cut).all(|header| header.is_err_and(|error| error.is_torn())));
        let rejected = validate_produce(cut, &ProduceRules::default(), NOW).unwrap_err();
        prop_assert_eq!(rejected.code, ErrorCode::InvalidRecord);
    }

    #[test]
    fn a_changed_byte_under_the_checksum_is_noticed(
        records in any_records(),
        codec in any_codec(),
        at in any::<prop::sample::Index>(),
        flip in 1..=255u8,
    ) {
        let mut bytes = build(&records, codec).into_bytes().to_vec();
        let at = 17 + at.index(bytes.len() - 17);
        bytes[at] ^= flip;
        let batch = RecordBatch::parse(&Bytes::from(bytes)).unwrap();
        let noticed = matches!(batch.verify_crc(), Err(BatchError::BadChecksum { .. }));
        prop_assert!(noticed);
    }

    /// Behind a good checksum a client may send anything.
    #[test]
    fn damaged_records_with_a_good_checksum_never_panic(
        records in any_records(),
        codec in any_codec(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = build(&records, codec).into_bytes().to_vec();
        for (at, byte) in damage {
            let at = 21 + at.index(bytes.len() - 21);
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(61 + cut.index(bytes.len() - 60));
        }
        let length = (bytes.len() - 12) as i32;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        records::header::patch_checksum(&mut bytes);
        let bytes = Bytes::from(bytes);
        let batch = RecordBatch::parse(&bytes).unwrap();
        let read = read(&batch);
        // Validation is the stricter reader: what it accepts can be read.
        if validate_produce(bytes, &ProduceRules::default(), NOW).is_ok() {
            prop_assert!(read.is_ok(), "{:?}", read);
        }
    }
}
