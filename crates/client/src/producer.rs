//! Records in, batches out, acknowledgements back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::Str;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::{InitProducerIdRequest, ProduceRequest, ProduceResponse};
use records::{BatchBuilder, Compressor, Header, NewRecord};
use types::{ErrorCode, ProducerEpoch, ProducerId, Sequence, WallTime};

use crate::error::{ClientError, ErrorKind};
use crate::limits::BATCH_BYTES;
use crate::metadata::TopicsWanted;
use crate::partitioner::{Sticky, partition_for_key};
use crate::retry::Retry;
use crate::routing::Client;

/// The last version that names topics instead of giving their ids.
const NAMES_VERSION_MAX: i16 = 12;

/// How a producer sends.
#[derive(Clone, Debug)]
pub struct ProducerOptions {
    pub acks: Acks,
    pub compression: Compressor,
    /// A partition's batch is sent when it has this size.
    pub batch_bytes: usize,
    /// All that waits is sent when it has this size.
    pub buffer_bytes: usize,
    /// Whether the broker drops what a retry sends twice. KIP-98.
    pub is_idempotent: bool,
    /// Where the first record without key goes; give each producer another number.
    pub seed: u32,
}

impl Default for ProducerOptions {
    fn default() -> ProducerOptions {
        ProducerOptions {
            acks: Acks::All,
            compression: Compressor::NONE,
            batch_bytes: BATCH_BYTES,
            buffer_bytes: 64 * BATCH_BYTES,
            is_idempotent: true,
            seed: 0,
        }
    }
}

/// Whose word a producer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    Nobody,
    Leader,
    All,
}

impl Acks {
    /// Kafka's `acks`: 0, 1, -1 or `all`.
    pub fn from_text(text: &str) -> Option<Acks> {
        match text {
            "0" => Some(Acks::Nobody),
            "1" => Some(Acks::Leader),
            "-1" | "all" => Some(Acks::All),
            _ => None,
        }
    }

    fn wire_code(self) -> i16 {
        match self {
            Acks::Nobody => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// A record to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// `None` lets the key decide, or chance.
    pub partition: Option<i32>,
    pub timestamp: WallTime,
    pub key: Option<Bytes>,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
    pub headers: Vec<Header>,
}

/// A batch that the broker has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub topic: Arc<str>,
    pub partition: i32,
    /// -1 if nobody was waited for, or it had been acknowledged before.
    pub base_offset: i64,
    pub records: usize,
}

/// Sends records to topics. Order holds within a partition, also across retries.
#[derive(Debug)]
pub struct Producer {
    client: Client,
    options: ProducerOptions,
    identity: Option<(ProducerId, ProducerEpoch)>,
    sequences: BTreeMap<Place, Sequence>,
    open: BTreeMap<Place, BatchBuilder>,
    open_bytes: usize,
    sticky: Sticky,
    partitions: BTreeMap<Arc<str>, i32>,
}

type Place = (Arc<str>, i32);

/// A finished batch that is not acknowledged yet.
struct Unacknowledged {
    bytes: Bytes,
    records: usize,
}

impl Producer {
    /// A producer on a cluster. With idempotence on, the cluster gives it an id.
    pub fn new(mut client: Client, options: ProducerOptions) -> Result<Producer, ClientError> {
        let idempotent = options.is_idempotent && options.acks == Acks::All;
        let identity = if idempotent { producer_id(&mut client)? } else { None };
        let sticky = Sticky::starting_at(options.seed);
        Ok(Producer {
            client,
            options,
            identity,
            sequences: BTreeMap::new(),
            open: BTreeMap::new(),
            open_bytes: 0,
            sticky,
            partitions: BTreeMap::new(),
        })
    }

    /// Puts a record into its partition's batch, and sends what that fills.
    ///
    /// # Errors
    /// Whatever a flush says; the records that were open then are lost.
    pub fn send(
        &mut self,
        topic: &Arc<str>,
        record: &Outgoing,
    ) -> Result<Vec<Delivered>, ClientError> {
        let partitions = self.partition_count(topic)?;
        let partition = match (record.partition, &record.key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_for_key(key, partitions),
            (None, None) => self.sticky.partition(partitions),
        };
        let place = (topic.clone(), partition);
        let batch = self.open.entry(place).or_default();
        let before = batch.size_bytes();
        batch.push(NewRecord {
            timestamp: record.timestamp,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &record.headers,
        });
        self.open_bytes += batch.size_bytes() - before;
        let is_full = batch.size_bytes() >= self.options.batch_bytes;
        if is_full || self.open_bytes >= self.options.buffer_bytes {
            self.sticky.advance();
            return self.flush();
        }
        Ok(Vec::new())
    }

    /// Sends all that is open and waits until it is acknowledged.
    pub fn flush(&mut self) -> Result<Vec<Delivered>, ClientError> {
        self.open_bytes = 0;
        let open = std::mem::take(&mut self.open);
        let mut batches: BTreeMap<Place, Unacknowledged> = BTreeMap::new();
        for (place, batch) in open {
            let finished = self.finish(&place, batch);
            batches.insert(place, finished);
        }
        let mut delivered = Vec::with_capacity(batches.len());
        let mut retry = self.client.retry();
        while !batches.is_empty() {
            self.send_once(&mut batches, &mut delivered, &mut retry)?;
        }
        Ok(delivered)
    }

    /// Sends what is open and gives the client back.
    pub fn close(mut self) -> Result<(Vec<Delivered>, Client), ClientError> {
        let delivered = self.flush()?;
        Ok((delivered, self.client))
    }

    fn partition_count(&mut self, topic: &Arc<str>) -> Result<i32, ClientError> {
        if let Some(count) = self.partitions.get(topic) {
            return Ok(*count);
        }
        let count = wait_for_topic(&mut self.client, topic)?;
        self.partitions.insert(topic.clone(), count);
        Ok(count)
    }

    fn finish(&mut self, place: &Place, batch: BatchBuilder) -> Unacknowledged {
        let records = batch.len();
        let mut batch = batch.compression(self.options.compression);
        if let Some((id, epoch)) = self.identity {
            let first = self.sequences.entry(place.clone()).or_insert(Sequence(0));
            batch = batch.producer(id, epoch, *first);
            *first = first.plus(i32::try_from(records).unwrap_or(i32::MAX));
        }
        Unacknowledged { bytes: batch.build().into_bytes(), records }
    }

    /// One request to each leader; what may be tried again stays in `batches`.
    fn send_once(
        &mut self,
        batches: &mut BTreeMap<Place, Unacknowledged>,
        delivered: &mut Vec<Delivered>,
        retry: &mut Retry,
    ) -> Result<(), ClientError> {
        let mut failed: Option<ClientError> = None;
        let places: Vec<Place> = batches.keys().cloned().collect();
        let all = places.iter().map(|(topic, partition)| (&**topic, *partition));
        match self.client.by_leader(all) {
            Err(error) => failed = Some(error),
            Ok(leaders) => {
                for (leader, owned) in leaders {
                    let request = produce_request(&self.options, &owned, batches);
                    let answer = self.produce(leader, &request);
                    let settled = match answer {
                        Ok(Some(answer)) => settle(&answer, batches, delivered),
                        Ok(None) => settle_unanswered(&owned, batches, delivered),
                        Err(error) => Err(error),
                    };
                    if let Err(error) = settled {
                        failed.get_or_insert(error);
                    }
                }
            }
        }
        if let Some(error) = failed {
            let may_repeat = self.identity.is_some() || error.kind != ErrorKind::TimedOut;
            match error.kind {
                // A late answer is no answer; with idempotence asking again cannot write twice.
                ErrorKind::TimedOut if may_repeat => retry.pause_or(error)?,
                _ => retry.after(error)?,
            }
            let _ = self.client.refresh_again();
        }
        Ok(())
    }

    fn produce(
        &mut self,
        leader: i32,
        request: &ProduceRequest,
    ) -> Result<Option<ProduceResponse>, ClientError> {
        let is_one_way = self.options.acks == Acks::Nobody;
        self.client.on_broker(leader, |connection| {
            let version = connection.version::<ProduceRequest>(NAMES_VERSION_MAX)?;
            if is_one_way {
                connection.send_one_way(request, version)?;
                return Ok(None);
            }
            let pending = connection.send(request, version)?;
            connection.receive::<ProduceRequest>(pending, Duration::ZERO).map(Some)
        })
    }
}

/// Waits until the topic exists and has leaders; the broker may be making it just now.
fn wait_for_topic(client: &mut Client, topic: &Arc<str>) -> Result<i32, ClientError> {
    let name = topic.to_string();
    let mut wanted: Vec<String> = client.cluster().topics.keys().cloned().collect();
    wanted.retain(|known| *known != name);
    wanted.push(name.clone());
    let mut retry = client.retry();
    let mut tries_left = UNKNOWN_TOPIC_TRIES;
    loop {
        client.refresh(TopicsWanted::NamedOrCreated(wanted.clone()))?;
        let found = client.cluster().topic(&name);
        match found.map(|topic| topic.partitions.len()) {
            Ok(count) if count > 0 => return Ok(i32::try_from(count).unwrap_or(i32::MAX)),
            Ok(_) => retry.pause_or(ClientError::broker(
                format!("find topic {name}"),
                ErrorCode::LeaderNotAvailable.code(),
                None,
            ))?,
            Err(error) if error.is_broker(ErrorCode::UnknownTopicOrPartition) && tries_left > 0 => {
                tries_left -= 1;
                retry.pause_or(error)?;
            }
            Err(error) => retry.after(error.during(format!("produce to {name}")))?,
        }
    }
}

/// A topic that the broker is making appears within a second, or it may not be made.
const UNKNOWN_TOPIC_TRIES: u32 = 4;

fn produce_request(
    options: &ProducerOptions,
    owned: &[(&str, i32)],
    batches: &BTreeMap<Place, Unacknowledged>,
) -> ProduceRequest {
    let mut topics: BTreeMap<&str, Vec<PartitionProduceData>> = BTreeMap::new();
    for (topic, index) in owned {
        if let Some(batch) = batches.get(&(Arc::from(*topic), *index)) {
            let data = PartitionProduceData { index: *index, records: Some(batch.bytes.clone()) };
            topics.entry(topic).or_default().push(data);
        }
    }
    let topic_data = topics.into_iter().map(|(name, partition_data)| TopicProduceData {
        name: Str::from(name),
        partition_data,
        ..TopicProduceData::default()
    });
    ProduceRequest {
        transactional_id: None,
        acks: options.acks.wire_code(),
        timeout_ms: 30_000,
        topic_data: topic_data.collect(),
    }
}

/// Takes acknowledged batches out of `batches`; the first error of the rest is returned.
fn settle(
    answer: &ProduceResponse,
    batches: &mut BTreeMap<Place, Unacknowledged>,
    delivered: &mut Vec<Delivered>,
) -> Result<(), ClientError> {
    let mut failed = Ok(());
    for topic in &answer.responses {
        for partition in &topic.partition_responses {
            let place: Place = (Arc::from(&*topic.name), partition.index);
            let duplicate = ErrorCode::DuplicateSequenceNumber.code();
            if partition.error_code == 0 || partition.error_code == duplicate {
                if let Some(batch) = batches.remove(&place) {
                    delivered.push(Delivered {
                        topic: place.0,
                        partition: place.1,
                        base_offset: partition.base_offset,
                        records: batch.records,
                    });
                }
            } else if failed.is_ok() {
                let what = format!("produce to {}-{}", topic.name, partition.index);
                let message = partition.error_message.as_deref();
                failed = Err(ClientError::broker(what, partition.error_code, message));
            }
        }
    }
    failed
}

fn settle_unanswered(
    owned: &[(&str, i32)],
    batches: &mut BTreeMap<Place, Unacknowledged>,
    delivered: &mut Vec<Delivered>,
) -> Result<(), ClientError> {
    for (topic, index) in owned {
        let place: Place = (Arc::from(*topic), *index);
        if let Some(batch) = batches.remove(&place) {
            let (topic, partition) = place;
            delivered.push(Delivered { topic, partition, base_offset: -1, records: batch.records });
        }
    }
    Ok(())
}

/// An id for idempotence; `None` if the cluster does not hand them out.
fn producer_id(client: &mut Client) -> Result<Option<(ProducerId, ProducerEpoch)>, ClientError> {
    if !client.supports(protocol::ApiKey::InitProducerId)? {
        return Ok(None);
    }
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        ..InitProducerIdRequest::default()
    };
    client.with_retries(|client| {
        let answer = client.call_any(&request)?;
        match answer.error_code {
            0 => Ok(Some((ProducerId(answer.producer_id), ProducerEpoch(answer.producer_epoch)))),
            code => Err(ClientError::broker("ask for a producer id", code, None)),
        }
    })
}
