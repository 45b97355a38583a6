//! Reads a partition from the beginning to its end, over and over, with a fetch session.

use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::fetch_response::FetchResponse;
use records::batches;
use types::{ErrorCode, Uuid};

use super::{Actor, Io};
use crate::wire::Answer;
use history::Event;

pub struct Consumer {
    topic_id: Uuid,
    partition: i32,
    position: i64,
    /// It has been at the end since it last began.
    has_caught_up: bool,
    session: (i32, i32),
    stopped: bool,
}

impl Consumer {
    pub fn new(topic_id: Uuid, partition: i32) -> Consumer {
        Consumer {
            topic_id,
            partition,
            position: 0,
            has_caught_up: false,
            session: (0, 0),
            stopped: false,
        }
    }

    fn fetch(&self, io: &mut Io<'_>) {
        let asked = FetchPartition {
            partition: self.partition,
            current_leader_epoch: -1,
            fetch_offset: self.position,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 1 + io.rng.below(4096) as i32,
            ..Default::default()
        };
        io.send(&FetchRequest {
            max_wait_ms: 200,
            min_bytes: 1,
            max_bytes: 1 << 20,
            session_id: self.session.0,
            session_epoch: self.session.1,
            topics: vec![FetchTopic {
                topic_id: self.topic_id,
                partitions: vec![asked],
                ..Default::default()
            }],
            ..Default::default()
        });
    }

    fn take(&mut self, response: &FetchResponse, io: &mut Io<'_>) {
        if response.error_code != ErrorCode::None.code() {
            self.session = (0, 0);
            return;
        }
        self.session = match response.session_id {
            0 => (0, 0),
            id => (id, self.session.1 + 1),
        };
        for data in response.responses.iter().flat_map(|topic| &topic.partitions) {
            if data.error_code == ErrorCode::OffsetOutOfRange.code() {
                // After a power loss the log may be shorter than what was read.
                self.position = 0;
            }
            let Some(bytes) = &data.records else { continue };
            for batch in batches(bytes) {
                // The last batch of a response may be cut off; its rest comes with the next one.
                let Ok(batch) = batch else { break };
                assert_eq!(batch.verify_crc(), Ok(()), "a fetch returned a corrupt batch");
                for record in batch.records().expect("a readable batch") {
                    let record = record.expect("a readable record");
                    let offset = record.offset.0;
                    if offset < self.position {
                        continue;
                    }
                    let value = record.value.unwrap_or_default();
                    let value = String::from_utf8_lossy(&value).into_owned();
                    io.history.note(Event::Read { partition: self.partition, offset, value });
                    self.position = offset + 1;
                }
            }
            let is_at_end = data.error_code == 0 && self.position >= data.high_watermark;
            self.has_caught_up |= is_at_end;
        }
    }
}

impl Actor for Consumer {
    fn connected(&mut self, io: &mut Io<'_>) {
        self.session = (0, 0);
        self.fetch(io);
    }

    fn answered(&mut self, answer: Answer, io: &mut Io<'_>) {
        self.take(&answer.to(), io);
        if self.has_caught_up && io.rng.one_in(10) {
            (self.position, self.has_caught_up) = (0, false);
        }
        if !self.stopped {
            self.fetch(io);
        }
    }

    fn woken(&mut self, _io: &mut Io<'_>) {}

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn is_done(&self) -> bool {
        true
    }
}
