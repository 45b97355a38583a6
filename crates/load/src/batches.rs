//! The bytes every broker is given: built and check-summed once, before the clock runs.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use records::{BatchBuilder, Compressor, NewRecord};
use types::WallTime;

use crate::cases::Case;

/// Room that a record needs beside its value: lengths, deltas, the key.
const RECORD_ROOM_BYTES: usize = 32;

/// A batch of records, and how many there are.
pub fn build(case: &Case, seed: u64) -> (Bytes, i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let timestamp = WallTime(now.as_millis() as i64);
    let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut builder = BatchBuilder::new().compression(Compressor::new(case.codec.into()));
    let mut count = 0;
    loop {
        let key = format!("key-{:06}", noise.next() % 1_000_000);
        let value = event(case.value_bytes, &mut noise);
        let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
        builder.push(NewRecord { timestamp, key, value, headers: &[] });
        count += 1;
        let next_bytes = builder.size_bytes() + case.value_bytes + RECORD_ROOM_BYTES;
        if next_bytes > case.batch_bytes {
            return (builder.build().into_bytes(), count);
        }
    }
}

/// Something like the events people send: JSON, names that repeat, numbers that do not.
fn event(bytes: usize, noise: &mut Noise) -> String {
    const ACTIONS: [&str; 4] = ["view", "cart", "order", "refund"];
    let mut text = String::with_capacity(bytes + 96);
    while text.len() < bytes {
        let action = ACTIONS[noise.next() as usize % ACTIONS.len()];
        let (user, item) = (noise.next() % 1_000_000, noise.next());
        text.push_str(&format!(
            "{{\"action\":\"{action}\",\"user\":{user},\"item\":\"{item:016x}\",\"amount\":{}}},",
            noise.next() % 10_000
        ));
    }
    text.truncate(bytes);
    text
}

/// Xorshift: the same bytes for the same seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;

    #[test]
    fn batches_are_sound_and_as_large_as_the_case_says() {
        for case in CASES {
            let (bytes, count) = build(case, 7);
            let batch = records::RecordBatch::parse(&bytes).unwrap();
            batch.verify_crc().unwrap();
            assert_eq!(i64::from(batch.header().records_count), count, "{}", case.name);
            let records = batch.records().unwrap();
            let sizes: usize = records.map(|record| record.unwrap().value.unwrap().len()).sum();
            assert_eq!(sizes, count as usize * case.value_bytes, "{}", case.name);
            assert!(bytes.len() <= case.batch_bytes.max(case.value_bytes + 200), "{}", case.name);
        }
    }
}
