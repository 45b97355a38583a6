//! Reading partitions: fetch from the leaders, decode, move on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::Str;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::fetch_response::PartitionData;
use protocol::messages::{FetchRequest, FetchResponse};
use records::{Record, TimestampType};
use types::{ErrorCode, Offset};

use crate::aborted::AbortedTransactions;
use crate::error::ClientError;
use crate::limits::{FETCH_BYTES_MAX, PARTITION_FETCH_BYTES_MAX};
use crate::metadata::TopicsWanted;
use crate::offsets::{OffsetAt, Place};
use crate::routing::Client;

/// The last version that names topics instead of giving their ids.
const NAMES_VERSION_MAX: i16 = 12;

/// A record with the place it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    pub topic: Arc<str>,
    pub partition: i32,
    pub leader_epoch: i32,
    pub timestamp_type: TimestampType,
    pub record: Record,
}

/// What happens when a partition no longer has the next offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    Earliest,
    Latest,
    /// It is an error.
    Fail,
}

/// How a reader reads.
#[derive(Clone, Copy, Debug)]
pub struct ReaderOptions {
    pub reset: Reset,
    /// Whether records of open and aborted transactions stay hidden.
    pub is_read_committed: bool,
    pub partition_bytes_max: i32,
}

impl Default for ReaderOptions {
    fn default() -> ReaderOptions {
        ReaderOptions {
            reset: Reset::Fail,
            is_read_committed: false,
            partition_bytes_max: PARTITION_FETCH_BYTES_MAX,
        }
    }
}

/// Reads a fixed set of partitions, each from its own position.
#[derive(Debug, Default)]
pub struct Reader {
    options: ReaderOptions,
    positions: BTreeMap<Place, Position>,
}

/// Where a partition is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub next: Offset,
    /// Where readers must stop, as the leader last said.
    pub end: Offset,
}

impl Reader {
    pub fn new(options: ReaderOptions) -> Reader {
        Reader { options, positions: BTreeMap::new() }
    }

    /// Replaces all partitions that are read.
    pub fn assign(&mut self, places: impl IntoIterator<Item = (Place, Offset)>) {
        let at = |(place, next)| (place, Position { next, end: Offset::ZERO });
        self.positions = places.into_iter().map(at).collect();
    }

    /// Stops reading a partition.
    pub fn drop_partition(&mut self, place: &Place) {
        self.positions.remove(place);
    }

    pub fn positions(&self) -> &BTreeMap<Place, Position> {
        &self.positions
    }

    /// Waits up to `wait` for records. No records are no error.
    ///
    /// # Errors
    /// A partition that cannot be read; what is worth a retry is retried in later calls.
    pub fn poll(
        &mut self,
        client: &mut Client,
        wait: Duration,
    ) -> Result<Vec<Consumed>, ClientError> {
        let mut consumed = Vec::new();
        let places: Vec<Place> = self.positions.keys().cloned().collect();
        let named = places.iter().map(|(topic, partition)| (topic.as_str(), *partition));
        let fetched = client.by_leader(named).and_then(|leaders| {
            let share = wait / u32::try_from(leaders.len().max(1)).unwrap_or(1);
            for (leader, owned) in &leaders {
                let answer = self.fetch(client, *leader, owned, share)?;
                self.take(client, answer, &mut consumed)?;
            }
            Ok(())
        });
        match fetched {
            Err(error) if error.is_retriable() => {
                // It will be better next time, or fail for good when the caller's patience ends.
                std::thread::sleep(crate::limits::BACKOFF_MIN.min(wait));
                let mut topics: Vec<String> = places.into_iter().map(|(topic, _)| topic).collect();
                topics.dedup();
                client.refresh(TopicsWanted::Named(topics))?;
                Ok(consumed)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(consumed),
        }
    }

    fn fetch(
        &self,
        client: &mut Client,
        leader: i32,
        owned: &[(&str, i32)],
        wait: Duration,
    ) -> Result<FetchResponse, ClientError> {
        let mut topics: BTreeMap<&str, Vec<FetchPartition>> = BTreeMap::new();
        for (topic, index) in owned {
            let Some(position) = self.positions.get(&((*topic).to_owned(), *index)) else {
                continue;
            };
            topics.entry(topic).or_default().push(FetchPartition {
                partition: *index,
                fetch_offset: position.next.0,
                partition_max_bytes: self.options.partition_bytes_max,
                ..FetchPartition::default()
            });
        }
        let topics = topics.into_iter().map(|(topic, partitions)| FetchTopic {
            topic: Str::from(topic),
            partitions,
            ..FetchTopic::default()
        });
        let request = FetchRequest {
            max_wait_ms: i32::try_from(wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: 1,
            max_bytes: FETCH_BYTES_MAX,
            isolation_level: i8::from(self.options.is_read_committed),
            topics: topics.collect(),
            ..FetchRequest::default()
        };
        client.on_broker(leader, |connection| {
            let version = connection.version::<FetchRequest>(NAMES_VERSION_MAX)?;
            let pending = connection.send(&request, version)?;
            connection.receive::<FetchRequest>(pending, wait)
        })
    }

    fn take(
        &mut self,
        client: &mut Client,
        answer: FetchResponse,
        consumed: &mut Vec<Consumed>,
    ) -> Result<(), ClientError> {
        if answer.error_code != 0 {
            return Err(ClientError::broker("fetch", answer.error_code, None));
        }
        for topic in answer.responses {
            let name: Arc<str> = Arc::from(&*topic.topic);
            for partition in topic.partitions {
                let place = (name.to_string(), partition.partition_index);
                if partition.error_code == ErrorCode::OffsetOutOfRange.code() {
                    self.reset(client, &place)?;
                } else if partition.error_code != 0 {
                    let what = format!("read {name}-{}", place.1);
                    return Err(ClientError::broker(what, partition.error_code, None));
                } else {
                    self.take_partition(&name, &place, &partition, consumed)?;
                }
            }
        }
        Ok(())
    }

    fn take_partition(
        &mut self,
        name: &Arc<str>,
        place: &Place,
        partition: &PartitionData,
        consumed: &mut Vec<Consumed>,
    ) -> Result<(), ClientError> {
        let committed_only = self.options.is_read_committed;
        let Some(position) = self.positions.get_mut(place) else { return Ok(()) };
        let end =
            if committed_only { partition.last_stable_offset } else { partition.high_watermark };
        position.end = Offset(end);
        let Some(bytes) = &partition.records else { return Ok(()) };
        let damaged = |error: records::BatchError| {
            let what = format!("read {name}-{} at {}", place.1, position.next);
            ClientError::broker(what, error.error_code().code(), Some(&error.to_string()))
        };
        let mut aborted = AbortedTransactions::new(committed_only, partition);
        let mut next = position.next;
        for batch in records::batches(bytes) {
            let batch = match batch {
                Ok(batch) => batch,
                // A fetch may end in the middle of a batch.
                Err(error) if error.is_torn() => break,
                Err(error) => return Err(damaged(error)),
            };
            batch.verify_crc().map_err(damaged)?;
            let header = batch.header();
            let is_hidden = aborted.hides(&batch).map_err(damaged)?;
            if !is_hidden && !header.is_control() {
                for record in batch.records().map_err(damaged)? {
                    let record = record.map_err(damaged)?;
                    if record.offset >= next {
                        consumed.push(Consumed {
                            topic: name.clone(),
                            partition: place.1,
                            leader_epoch: header.leader_epoch.0,
                            timestamp_type: header.timestamp_type(),
                            record,
                        });
                    }
                }
            }
            next = next.max(batch.next_offset());
        }
        position.next = next;
        Ok(())
    }

    fn reset(&mut self, client: &mut Client, place: &Place) -> Result<(), ClientError> {
        let at = match self.options.reset {
            Reset::Earliest => OffsetAt::Earliest,
            Reset::Latest => OffsetAt::Latest,
            Reset::Fail => {
                let next = self.positions.get(place).map_or(-1, |position| position.next.0);
                let what = format!("read {}-{} at {next}", place.0, place.1);
                let code = ErrorCode::OffsetOutOfRange.code();
                return Err(ClientError::broker(what, code, None)
                    .todo("ottla offsets TOPIC shows where the partition begins and ends"));
            }
        };
        let found = client.list_offsets(&BTreeMap::from([(place.clone(), at)]))?;
        if let (Some(position), Some(found)) = (self.positions.get_mut(place), found.get(place)) {
            position.next = Offset(found.offset);
        }
        Ok(())
    }
}
