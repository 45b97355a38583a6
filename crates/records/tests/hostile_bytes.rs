//! Whatever the bytes are, every reader answers; none panics, none asks for memory that is not earned.
//! `feed` is the body of the fuzz target `record_batch`.

use bytes::Bytes;
use proptest::prelude::*;
use records::control::ControlRecord;
use records::legacy::{self, Stored};
use records::validate::{ProduceRules, TargetCompression, validate_produce};
use records::{
    BatchBuilder, BatchHeader, Compression, NewRecord, batches, compression, header, headers,
};
use types::WallTime;

const NOW: WallTime = WallTime(1_700_000_000_000);

pub fn feed(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let mut scan = headers(data);
    for (at, found) in scan.by_ref().flatten() {
        assert!(at + found.size_bytes() <= data.len());
    }
    assert!(scan.position() <= data.len());
    for batch in batches(&bytes).flatten() {
        let _ = batch.verify_crc();
        if let Ok(records) = batch.records() {
            records.flatten().for_each(|record| {
                let _ = ControlRecord::from_record(&record);
            });
        }
        let _ = batch.retain(NOW, false, |record| record.offset.0 % 2 == 0);
        let _ = batch.emptied();
    }
    for entry in legacy::entries(&bytes).flatten() {
        let _ = entry.verify_crc();
        let _ = entry.to_format_2();
    }
    let _ = Stored::parse(&bytes).and_then(Stored::into_batch);
    let _ = ControlRecord::parse(data, data);
    for codec in Compression::ALL {
        let limit = 1 << 20;
        let decoded = compression::decompress(codec, &bytes, limit);
        assert!(decoded.is_ok_and(|out| out.len() <= limit.max(data.len())) || codec.id() > 0);
    }
    validate(data);
}

/// Behind a checksum that is right, where a hostile client would be.
fn validate(data: &[u8]) {
    let rules = ProduceRules {
        compression: TargetCompression::Fixed(Compression::Lz4.into()),
        ..ProduceRules::default()
    };
    let mut batch = data.to_vec();
    if batch.len() >= BatchHeader::BYTES {
        batch[..8].fill(0);
        let length = batch.len() - BatchHeader::LOG_OVERHEAD;
        batch[8..12].copy_from_slice(&(length as u32).to_be_bytes());
        batch[16] = BatchHeader::MAGIC as u8;
        header::patch_checksum(&mut batch);
    }
    if let Ok(accepted) = validate_produce(Bytes::from(batch), &rules, NOW) {
        let batch = accepted.into_batch();
        batch.verify_crc().unwrap();
        let count = batch.records().unwrap().map(Result::unwrap).count();
        assert_eq!(count as i32, batch.header().records_count);
    }
}

/// A batch to start from, so that the damage lands deep.
fn seed(codec: Compression, count: u8) -> Vec<u8> {
    let mut builder = BatchBuilder::new().compression(codec);
    for at in 0..=count {
        let value = vec![at; usize::from(at) * 3];
        builder.push(NewRecord {
            timestamp: NOW,
            key: Some(&[at]),
            value: Some(&value),
            headers: &[records::Header::new("name", Bytes::from_static(b"value"))],
        });
    }
    builder.build().into_bytes().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn noise_is_survived(data in prop::collection::vec(any::<u8>(), 0..300)) {
        feed(&data);
    }

    #[test]
    fn noise_behind_a_plausible_frame_is_survived(
        magic in 0..4u8,
        attributes in any::<u8>(),
        count in -2..200i32,
        mut data in prop::collection::vec(any::<u8>(), 62..300),
    ) {
        let length = (data.len() - 12) as u32;
        data[8..12].copy_from_slice(&length.to_be_bytes());
        data[16] = magic;
        if magic < 2 {
            data[17] = attributes;
        } else {
            data[21..23].copy_from_slice(&[0, attributes]);
            data[23..27].copy_from_slice(&(count - 1).to_be_bytes());
            data[57..61].copy_from_slice(&count.to_be_bytes());
        }
        feed(&data);
    }

    #[test]
    fn damaged_batches_are_survived(
        codec in prop::sample::select(Compression::ALL.to_vec()),
        count in 0..20u8,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut data = seed(codec, count);
        for (at, byte) in damage {
            let at = at.index(data.len());
            data[at] = byte;
        }
        feed(&data);
    }
}
