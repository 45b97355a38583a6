//! The bytes every server is given: built and check-summed once, before the clock runs.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use records::{BatchBuilder, NewRecord};
use types::WallTime;

use crate::Outcome;
use crate::wire::{TOPIC, encode};

/// The last version that names topics, so that one request fits every server.
pub const PRODUCE_VERSION: i16 = 9;
pub const FETCH_VERSION: i16 = 12;

pub const ACKS_LEADER: i16 = 1;
pub const ACKS_ALL: i16 = -1;

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

/// A Produce request of one batch, prefix and all.
pub fn produce_frame(partition: i32, batch: &Bytes, acks: i16) -> Outcome<Vec<u8>> {
    let data = PartitionProduceData { index: partition, records: Some(batch.clone()) };
    let topic = TopicProduceData {
        name: TOPIC.into(),
        partition_data: vec![data],
        ..TopicProduceData::default()
    };
    let request = ProduceRequest {
        acks,
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..ProduceRequest::default()
    };
    encode(&request, PRODUCE_VERSION)
}

/// A Fetch request of one partition, and where in it the offset stands.
pub fn fetch_frame(partition: i32, bytes_max: i32) -> Outcome<(Vec<u8>, usize)> {
    const MARK: i64 = 0x0102_0304_0506_0708;
    let one = FetchPartition {
        partition,
        fetch_offset: MARK,
        partition_max_bytes: bytes_max,
        ..FetchPartition::default()
    };
    let topic = FetchTopic { topic: TOPIC.into(), partitions: vec![one], ..FetchTopic::default() };
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: bytes_max,
        session_epoch: -1,
        topics: vec![topic],
        ..FetchRequest::default()
    };
    let frame = encode(&request, FETCH_VERSION)?;
    let at = frame.windows(8).position(|bytes| bytes == MARK.to_be_bytes());
    Ok((frame, at.ok_or("a fetch request without its offset")?))
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
