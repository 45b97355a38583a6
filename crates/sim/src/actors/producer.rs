//! Writes values that no two sends share. With idempotence it repeats a batch until it is told
//! where it went; without, a batch of unknown fate is given up.

use env::Clock;
use protocol::ApiKey;
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProduceResponse};
use records::{BatchBuilder, Compression, Compressor, NewRecord};
use types::{ErrorCode, ProducerEpoch, ProducerId, Sequence, Uuid};

use super::{Actor, Io};
use crate::wire::Answer;
use history::Event;

pub struct Producer {
    name: String,
    topic_id: Uuid,
    partition: i32,
    identity: Identity,
    next_number: u64,
    open: Option<Batch>,
    stopped: bool,
    renames: bool,
}

enum Identity {
    Plain,
    /// Will ask for an id on the next connection.
    Unknown,
    Known {
        id: ProducerId,
        next_sequence: i32,
    },
}

#[derive(Clone)]
struct Batch {
    values: Vec<String>,
    sequence: i32,
    codec: Compression,
    timestamp: i64,
    in_flight: bool,
}

impl Producer {
    pub fn new(name: &str, topic_id: Uuid, partition: i32, idempotent: bool) -> Producer {
        Producer {
            name: name.to_owned(),
            topic_id,
            partition,
            identity: if idempotent { Identity::Unknown } else { Identity::Plain },
            next_number: 0,
            open: None,
            stopped: false,
            renames: false,
        }
    }

    /// Goes on as another one after a batch of unknown fate. Without idempotence such a batch may
    /// still be on its way, over a connection that the broker has not heard the end of, and be
    /// written after what is sent next.
    pub fn renamed_when_unsure(self) -> Producer {
        Producer { renames: true, ..self }
    }

    fn go_on(&mut self, io: &mut Io<'_>) {
        if let Identity::Unknown = self.identity {
            return io.send(&InitProducerIdRequest::default());
        }
        if self.open.is_none() && !self.stopped {
            self.open = Some(self.next_batch(io));
        }
        let Some(batch) = &mut self.open else { return };
        batch.in_flight = true;
        let request = request(self.topic_id, self.partition, batch, &self.identity);
        io.history.note(Event::Sent { partition: self.partition, values: batch.values.clone() });
        io.send(&request);
    }

    fn next_batch(&mut self, io: &mut Io<'_>) -> Batch {
        let count = 1 + io.rng.below(5);
        let first = self.next_number;
        self.next_number += count;
        let codecs = [Compression::None, Compression::Lz4, Compression::Snappy, Compression::Zstd];
        Batch {
            values: (first..first + count).map(|n| format!("{}:{n}", self.name)).collect(),
            sequence: match self.identity {
                Identity::Known { next_sequence, .. } => next_sequence,
                _ => -1,
            },
            codec: codecs[io.rng.below(4) as usize],
            timestamp: io.clock.wall().0,
            in_flight: false,
        }
    }

    fn settle(&mut self, response: &ProduceResponse, io: &mut Io<'_>) {
        let answer = response.responses.first().and_then(|t| t.partition_responses.first());
        let Some(answer) = answer else { return };
        let Some(batch) = self.open.take() else { return };
        if answer.error_code == ErrorCode::None.code() {
            if let Identity::Known { next_sequence, .. } = &mut self.identity {
                *next_sequence += batch.values.len() as i32;
            }
            io.history.note(Event::Acked {
                partition: self.partition,
                base: answer.base_offset,
                values: batch.values,
            });
        } else if let Identity::Known { .. } = self.identity {
            let lost_state = answer.error_code == ErrorCode::OutOfOrderSequenceNumber.code();
            if lost_state {
                // A power loss took the batches before this one: start over under a new id, and
                // leave this batch's fate open.
                self.identity = Identity::Unknown;
            } else {
                self.open = Some(Batch { in_flight: false, ..batch });
            }
        }
    }
}

fn request(topic_id: Uuid, partition: i32, batch: &Batch, identity: &Identity) -> ProduceRequest {
    let mut builder = BatchBuilder::new().compression(Compressor::new(batch.codec));
    if let Identity::Known { id, .. } = identity {
        builder = builder.producer(*id, ProducerEpoch(0), Sequence(batch.sequence));
    }
    for (index, value) in batch.values.iter().enumerate() {
        builder.push(NewRecord {
            timestamp: types::WallTime(batch.timestamp + index as i64),
            key: Some(b"k"),
            value: Some(value.as_bytes()),
            headers: &[],
        });
    }
    let data =
        PartitionProduceData { index: partition, records: Some(builder.build().into_bytes()) };
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            topic_id,
            partition_data: vec![data],
            ..Default::default()
        }],
        ..Default::default()
    }
}

impl Actor for Producer {
    fn connected(&mut self, io: &mut Io<'_>) {
        match (&self.identity, &mut self.open) {
            // Sent on the old connection: nobody knows whether it arrived.
            (Identity::Plain, Some(batch)) if batch.in_flight => {
                self.open = None;
                if self.renames {
                    self.name.push('+');
                }
            }
            (_, Some(batch)) => batch.in_flight = false,
            _ => {}
        }
        self.go_on(io);
    }

    fn answered(&mut self, answer: Answer, io: &mut Io<'_>) {
        match answer.key {
            ApiKey::InitProducerId => {
                let response: InitProducerIdResponse = answer.to();
                if response.error_code == 0 {
                    self.identity =
                        Identity::Known { id: ProducerId(response.producer_id), next_sequence: 0 };
                    self.open = None;
                }
            }
            _ => self.settle(&answer.to(), io),
        }
        io.wake_after_ms(io.rng.below(20));
    }

    fn woken(&mut self, io: &mut Io<'_>) {
        if self.open.as_ref().is_none_or(|batch| !batch.in_flight) {
            self.go_on(io);
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn is_done(&self) -> bool {
        self.open.is_none() || matches!(self.identity, Identity::Plain)
    }
}
