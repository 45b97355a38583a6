//! One input through every reader of the crate: the body of the fuzz target `record_batch`.

use bytes::Bytes;
use records::control::ControlRecord;
use records::legacy::{self, Stored};
use records::validate::{ProduceRules, TargetCompression, validate_produce};
use records::{BatchHeader, Compression, batches, compression, header, headers};
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
