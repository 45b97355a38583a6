//! The bytes every server is given: built and check-summed once, before the clock runs.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use ::load::frames::{self, FETCH_MAX, PRODUCE_MAX};
use bytes::Bytes;
use records::{BatchBuilder, NewRecord};
use types::WallTime;

use crate::Outcome;
use crate::wire::{TOPIC, said};

/// What one batch is made of.
#[derive(Clone, Copy, Debug)]
pub struct BatchShape {
    pub batch_bytes: usize,
    pub value_bytes: usize,
}

impl BatchShape {
    /// A batch of exactly `batch_bytes`: its last value takes what is left.
    pub fn build(self) -> Bytes {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = WallTime(now.as_millis() as i64);
        let full = vec![b'v'; self.batch_bytes.max(self.value_bytes)];
        let with = |builder: &BatchBuilder, bytes: usize| {
            let mut next = builder.clone();
            let value = Some(&full[..bytes]);
            next.push(NewRecord { timestamp, key: Some(b"key-0001"), value, headers: &[] });
            next
        };
        let mut builder = BatchBuilder::new();
        loop {
            let next = with(&builder, self.value_bytes);
            // Room for one more record after this one, or this one is the last.
            if next.size_bytes() + 2 * self.value_bytes < self.batch_bytes {
                builder = next;
                continue;
            }
            let left = self.batch_bytes.saturating_sub(builder.size_bytes());
            let mut last = left.max(self.value_bytes);
            while last > self.value_bytes && with(&builder, last).size_bytes() > self.batch_bytes {
                last -= 1;
            }
            return with(&builder, last).build().into_bytes();
        }
    }
}

/// A Produce request of a batch for each of the partitions, prefix and all.
pub fn produce_frame(partitions: Range<i32>, batch: &Bytes, acks: i16) -> Outcome<Vec<u8>> {
    frames::produce_to_each((TOPIC, partitions), batch, acks, PRODUCE_MAX)
        .map_err(|error| said(&error))
}

/// A Fetch request of one partition, and where in it the offset stands.
pub fn fetch_frame(partition: i32, bytes_max: usize) -> Outcome<(Vec<u8>, usize)> {
    frames::fetch((TOPIC, partition), bytes_max, FETCH_MAX).map_err(|error| said(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_the_size_that_was_asked_for() {
        for (batch_bytes, value_bytes, records) in [(16384, 1000, 16), (1 << 20, 1000, 1030)] {
            let bytes = BatchShape { batch_bytes, value_bytes }.build();
            assert_eq!(bytes.len(), batch_bytes);
            let header = records::BatchHeader::parse(&bytes).unwrap();
            assert!((header.records_count - records).abs() < 10, "{}", header.records_count);
        }
        let small = BatchShape { batch_bytes: 0, value_bytes: 100 }.build();
        assert_eq!(records::BatchHeader::parse(&small).unwrap().records_count, 1);
    }
}
