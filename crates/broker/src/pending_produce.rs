//! A produce request while some of its batches are neither acknowledged nor refused.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use env::Disk;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse,
    ProduceResponse, TopicProduceResponse,
};
use records::validate::RecordsRejected;
use storage::Appended;
use types::{BrokerId, ErrorCode, MonoTime};

use crate::leader_hints::{LeaderAddress, LeaderHint, LeaderHints};
use crate::limits::HELD_REQUEST_BYTES_MAX;
use crate::metrics::{Metrics, TopicMetrics};
use crate::network::Reply;
use crate::partitions::{HearAppended, NotAppended, Partition, RequestPlace};
use crate::timers::{Expire, TimerId, Timers};

const ACKS_NONE: i16 = 0;
const NO_OFFSET: i64 = -1;

/// Why a partition's batch was not appended.
pub struct Refusal {
    error: ErrorCode,
    message: Option<String>,
    record_errors: Vec<BatchIndexAndErrorMessage>,
    /// Who leads instead.
    leader: Option<LeaderHint>,
}

impl From<ErrorCode> for Refusal {
    fn from(error: ErrorCode) -> Refusal {
        Refusal { error, message: None, record_errors: Vec::new(), leader: None }
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
            leader: None,
        }
    }
}

/// A produce request whose partitions are answered one by one, in any order, by any thread.
pub struct PendingProduce {
    /// Partitions without a result, plus one until all are submitted.
    open: AtomicUsize,
    acks: i16,
    /// For clients that know what to do with them.
    hints: Option<LeaderHints>,
    metrics: Arc<Metrics>,
    state: Mutex<Option<Open>>,
}

/// What is not answered yet.
struct Open {
    response: ProduceResponse,
    reply: Reply<ProduceResponse>,
    timer: Option<(Arc<Timers>, TimerId)>,
}

impl PendingProduce {
    pub fn new(
        topics: &[TopicProduceData],
        acks: i16,
        reply: Reply<ProduceResponse>,
        hints: Option<LeaderHints>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let records = topics.iter().flat_map(|topic| &topic.partition_data);
        let bytes: usize = records.filter_map(|data| data.records.as_ref()).map(Bytes::len).sum();
        // A name keeps the request that it came in, until all is acknowledged.
        let is_large = bytes > HELD_REQUEST_BYTES_MAX;
        let partition = |data: &PartitionProduceData| PartitionProduceResponse {
            index: data.index,
            base_offset: NO_OFFSET,
            log_append_time_ms: -1,
            log_start_offset: -1,
            ..Default::default()
        };
        let topic = |topic: &TopicProduceData| TopicProduceResponse {
            name: if is_large { topic.name.detached() } else { topic.name.clone() },
            topic_id: topic.topic_id,
            partition_responses: topic.partition_data.iter().map(partition).collect(),
        };
        let responses = topics.iter().map(topic).collect();
        let response = ProduceResponse { responses, ..Default::default() };
        let count: usize = topics.iter().map(|topic| topic.partition_data.len()).sum();
        Arc::new(PendingProduce {
            open: AtomicUsize::new(count + 1),
            acks,
            hints,
            metrics,
            state: Mutex::new(Some(Open { response, reply, timer: None })),
        })
    }

    #[cold]
    pub fn not_leader<D: Disk>(
        &self,
        topic: &str,
        index: i32,
        here: Option<&Partition<D>>,
    ) -> Refusal {
        let known = |hints: &LeaderHints| match here {
            Some(here) => here.leader_elsewhere(),
            None => hints.of::<D>(topic, index, None),
        };
        let leader = self.hints.as_ref().and_then(known);
        Refusal { leader, ..ErrorCode::NotLeaderOrFollower.into() }
    }

    pub fn refused(&self, at: RequestPlace, refusal: Refusal) {
        if let Some(LeaderHint { leader: Some(leader), .. }) = refusal.leader {
            self.name_address(leader);
        }
        self.settle(at, |topic, partition| {
            self.metrics.topics.count_rare(topic, |c| c.failed_produce_requests.increment());
            partition.error_code = refusal.error.code();
            if let Some(LeaderHint { leader, leader_epoch }) = refusal.leader {
                let leader_id = leader.map_or(-1, |leader| leader.0);
                partition.current_leader =
                    LeaderIdAndEpoch { leader_id, leader_epoch: leader_epoch.0 };
            }
            partition.error_message = refusal.message.map(Into::into);
            partition.record_errors = refusal.record_errors;
        });
    }

    /// Once in a response, however many of its partitions the broker leads.
    fn name_address(&self, leader: BrokerId) {
        let address = self.hints.as_ref().and_then(|hints| hints.address_of(leader));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(address), Some(Open { response, .. })) = (address, state.as_mut()) else {
            return;
        };
        if response.node_endpoints.iter().all(|named| named.node_id != leader.0) {
            let LeaderAddress { host, port, rack } = address;
            response.node_endpoints.push(NodeEndpoint { node_id: leader.0, host, port, rack });
        }
    }

    fn settle(&self, at: RequestPlace, fill: impl FnOnce(&str, &mut PartitionProduceResponse)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Open { response, .. }) = state.as_mut() {
            let topic = &mut response.responses[at.0 as usize];
            fill(&topic.name, &mut topic.partition_responses[at.1 as usize]);
        }
        drop(state);
        self.close_one();
    }

    /// Whoever has not been acknowledged by all in-sync replicas then is told so. Its records stay,
    /// and may be committed yet. Source: Kafka `DelayedProduce`.
    pub fn expire_at(self: &Arc<Self>, deadline: MonoTime, timers: &Arc<Timers>) {
        let timer = timers.register(deadline, Arc::clone(self) as Arc<dyn Expire>);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = state.as_mut() {
            open.timer = Some((Arc::clone(timers), timer));
        }
    }

    pub fn all_submitted(&self) {
        self.close_one();
    }

    fn close_one(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // It has timed out before.
        let Some(Open { response, reply, timer }) = state.take() else { return };
        drop(state);
        if let Some((timers, timer)) = timer {
            timers.cancel(timer);
        }
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

impl HearAppended for PendingProduce {
    fn handle_appended(&self, at: RequestPlace, result: Result<Appended, NotAppended>) {
        match result {
            Ok(appended) => self.settle(at, |_, partition| {
                partition.base_offset = appended.base_offset.0;
                partition.log_append_time_ms = appended.log_append_time.map_or(-1, |time| time.0);
                partition.log_start_offset = appended.log_start.0;
            }),
            Err(NotAppended { why, leader }) => {
                let message = Some(why.to_string());
                let error = why.error_code();
                let is_told = error == ErrorCode::NotLeaderOrFollower && self.hints.is_some();
                let leader = leader.filter(|_| is_told);
                self.refused(at, Refusal { message, leader, ..error.into() });
            }
        }
    }
}

impl Expire for PendingProduce {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Open { mut response, reply, .. }) = state.take() else { return };
        drop(state);
        for topic in &mut response.responses {
            let late = topic.partition_responses.iter_mut();
            for partition in late.filter(|p| p.error_code == 0 && p.base_offset == NO_OFFSET) {
                partition.error_code = ErrorCode::RequestTimedOut.code();
                let failed = |c: &TopicMetrics| c.failed_produce_requests.increment();
                self.metrics.topics.count_rare(&topic.name, failed);
            }
        }
        reply.send(response);
    }
}

fn is_error(partition: &PartitionProduceResponse) -> bool {
    partition.error_code != 0
}
