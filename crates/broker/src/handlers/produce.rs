//! Produce (key 0), versions 3–13; 0–2 are advertised and refused (KAFKA-18659).
//! Appends one batch to each partition named; answers when each is acknowledged.
//! v7 allows zstd · v8 adds record errors · v9 flexible · v13 names topics by id (KIP-516).
//! acks=0 has no response: a failure cuts the connection instead.
//! Differs from Kafka: transactional batches are refused (INVALID_TXN_STATE).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use env::Disk;
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use records::BatchHeader;
use records::validate::{RecordsRejected, validate_produce};
use storage::Appended;
use types::ErrorCode;

use crate::internal_topics::is_internal;
use crate::metadata_cache::MetadataCache;
use crate::metrics::Metrics;
use crate::network::Reply;
use crate::partitions::{Acks, Append, AppendRefused, Partition, PartitionTable};
use crate::request::RequestContext;

const ACKS_ALL: i16 = -1;
const ACKS_NONE: i16 = 0;
const ACKS_LEADER: i16 = 1;
/// The first version whose clients understand zstd. Source: KIP-110.
const ZSTD_SINCE: i16 = 7;
/// The client id of Kafka's own admin tools, which alone may write internal topics.
const ADMIN_CLIENT_ID: &str = "__admin_client";

pub fn handle<D: Disk>(
    ctx: &RequestContext,
    request: ProduceRequest,
    reply: Reply<ProduceResponse>,
    partitions: &PartitionTable<D>,
    metadata: &MetadataCache,
    metrics: &Arc<Metrics>,
) {
    let image = metadata.image();
    let acks = request.acks;
    let forbidden = refusal_of_transactions(&request);
    let topics: Vec<TopicProduceData> = request
        .topic_data
        .into_iter()
        .map(|mut topic| {
            if let (true, Some(found)) = (topic.name.is_empty(), image.topics.by_id(topic.topic_id))
            {
                topic.name = (&*found.name).into();
            }
            topic
        })
        .collect();
    let pending = PendingProduce::new(&topics, acks, reply, Arc::clone(metrics));
    for (t, topic) in topics.into_iter().enumerate() {
        for (p, data) in topic.partition_data.into_iter().enumerate() {
            let found = if let Some(error) = forbidden {
                Err(Refusal::from(error))
            } else if acks_are_valid(acks) {
                find(ctx, partitions, &topic.name, data.index)
            } else {
                Err(Refusal::from(ErrorCode::InvalidRequiredAcks))
            };
            let found = match found {
                Err(refusal) if topic.name.is_empty() && refusal.is_unknown() => {
                    Err(ErrorCode::UnknownTopicId.into())
                }
                other => other,
            };
            let pending = Arc::clone(&pending);
            match found.and_then(|partition| append_to(ctx, partition, data)) {
                Ok((partition, batch)) => {
                    partition.submit(Append {
                        batch,
                        acks: acks_of(acks),
                        done: Box::new(move |result| pending.appended(t, p, result)),
                    });
                    ctx.turns.note(partition);
                }
                Err(refusal) => pending.refused(t, p, refusal),
            }
        }
    }
    pending.all_submitted();
}

/// Transactional records without a transactional id are not authorized for anything, and then
/// neither is the rest of the request; with one, there is no transaction here that they belong to.
fn refusal_of_transactions(request: &ProduceRequest) -> Option<ErrorCode> {
    if request.transactional_id.is_some() {
        return Some(ErrorCode::InvalidTxnState);
    }
    let mut all = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    let is_transactional = |data: &PartitionProduceData| {
        let first = data.records.as_deref().map(BatchHeader::parse);
        first.is_some_and(|header| header.is_ok_and(|header| header.is_transactional()))
    };
    all.any(is_transactional).then_some(ErrorCode::TransactionalIdAuthorizationFailed)
}

fn acks_of(acks: i16) -> Acks {
    match acks {
        ACKS_ALL => Acks::All,
        ACKS_LEADER => Acks::Leader,
        _ => Acks::None,
    }
}

fn acks_are_valid(acks: i16) -> bool {
    matches!(acks, ACKS_ALL | ACKS_NONE | ACKS_LEADER)
}

fn find<D: Disk>(
    ctx: &RequestContext,
    partitions: &PartitionTable<D>,
    topic: &str,
    index: i32,
) -> Result<Arc<Partition<D>>, Refusal> {
    if is_internal(topic) && ctx.client_id() != ADMIN_CLIENT_ID {
        return Err(ErrorCode::InvalidTopicException.into());
    }
    let found = partitions.find(topic, index)?;
    found.check_leads()?;
    Ok(found)
}

type Prepared<D> = (Arc<Partition<D>>, records::validate::ValidatedBatch);

fn append_to<D: Disk>(
    ctx: &RequestContext,
    partition: Arc<Partition<D>>,
    data: PartitionProduceData,
) -> Result<Prepared<D>, Refusal> {
    partition.metrics.produce_requests.increment();
    let settings = partition.settings();
    let mut rules = settings.produce_rules.clone();
    rules.zstd_allowed = ctx.version >= ZSTD_SINCE;
    let batch = validate_produce(data.records.unwrap_or_default(), &rules, ctx.wall)?;
    Ok((partition, batch))
}

/// Why a partition's batch was not appended.
struct Refusal {
    error: ErrorCode,
    message: Option<String>,
    record_errors: Vec<BatchIndexAndErrorMessage>,
}

impl Refusal {
    fn is_unknown(&self) -> bool {
        self.error == ErrorCode::UnknownTopicOrPartition
    }
}

impl From<ErrorCode> for Refusal {
    fn from(error: ErrorCode) -> Refusal {
        Refusal { error, message: None, record_errors: Vec::new() }
    }
}

impl From<RecordsRejected> for Refusal {
    fn from(rejected: RecordsRejected) -> Refusal {
        let record_error = |e: records::validate::RecordError| BatchIndexAndErrorMessage {
            batch_index: e.batch_index,
            batch_index_error_message: Some(e.message.into()),
        };
        Refusal {
            error: rejected.code,
            message: Some(rejected.message),
            record_errors: rejected.record_errors.into_iter().map(record_error).collect(),
        }
    }
}

/// A produce request whose partitions are answered one by one, in any order, by any thread.
struct PendingProduce {
    /// Partitions without a result, plus one until all are submitted.
    open: AtomicUsize,
    acks: i16,
    metrics: Arc<Metrics>,
    state: Mutex<Option<(ProduceResponse, Reply<ProduceResponse>)>>,
}

impl PendingProduce {
    fn new(
        topics: &[TopicProduceData],
        acks: i16,
        reply: Reply<ProduceResponse>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let partition = |data: &PartitionProduceData| PartitionProduceResponse {
            index: data.index,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            ..Default::default()
        };
        let topic = |topic: &TopicProduceData| TopicProduceResponse {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partition_responses: topic.partition_data.iter().map(partition).collect(),
        };
        let responses = topics.iter().map(topic).collect();
        let response = ProduceResponse { responses, ..Default::default() };
        let count: usize = topics.iter().map(|topic| topic.partition_data.len()).sum();
        Arc::new(PendingProduce {
            open: AtomicUsize::new(count + 1),
            acks,
            metrics,
            state: Mutex::new(Some((response, reply))),
        })
    }

    fn appended(&self, t: usize, p: usize, result: Result<Appended, AppendRefused>) {
        match result {
            Ok(appended) => self.settle(t, p, |_, partition| {
                partition.base_offset = appended.base_offset.0;
                partition.log_append_time_ms = appended.log_append_time.map_or(-1, |time| time.0);
                partition.log_start_offset = appended.log_start.0;
            }),
            Err(error) => {
                let message = Some(error.to_string());
                let error = error.error_code();
                self.refused(t, p, Refusal { error, message, record_errors: Vec::new() });
            }
        }
    }

    fn refused(&self, t: usize, p: usize, refusal: Refusal) {
        self.settle(t, p, |topic, partition| {
            self.metrics.topics.count_rare(topic, |c| c.failed_produce_requests.increment());
            partition.error_code = refusal.error.code();
            partition.error_message = refusal.message.map(Into::into);
            partition.record_errors = refusal.record_errors;
        });
    }

    fn settle(&self, t: usize, p: usize, fill: impl FnOnce(&str, &mut PartitionProduceResponse)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((response, _)) = state.as_mut() {
            let topic = &mut response.responses[t];
            fill(&topic.name, &mut topic.partition_responses[p]);
        }
        drop(state);
        self.close_one();
    }

    fn all_submitted(&self) {
        self.close_one();
    }

    fn close_one(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((response, reply)) = state.take() else { return };
        drop(state);
        if self.acks != ACKS_NONE {
            reply.send(response);
        } else if response.responses.iter().flat_map(|t| &t.partition_responses).any(is_error) {
            // Without a response, a cut is the only way to make the client refresh its metadata.
            reply.disconnect();
        } else {
            reply.skip();
        }
    }
}

fn is_error(partition: &PartitionProduceResponse) -> bool {
    partition.error_code != 0
}
