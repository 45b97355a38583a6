//! Fetch of `__cluster_metadata` on a controller's listener: how brokers learn what is committed.
//!
//! Every fetch is a whole one: sessions would save nothing for one partition. Source: KIP-595,
//! KIP-630.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use env::Env;
use protocol::messages::fetch_request::{FetchPartition, FetchRequest};
use protocol::messages::fetch_response::{
    FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
    SnapshotId,
};
use types::{BrokerId, ErrorCode, MonoTime, Offset, Uuid};

use crate::limits::{FETCH_WAIT_MS_MAX, METADATA_FETCH_BYTES};
use crate::metadata_snapshot;
use crate::network::Reply;
use crate::node::Node;
use crate::observers::ObserverFetch;
use crate::request::RequestContext;
use crate::timers::{Expire, TimerId, Timers};
use crate::voter_endpoints;

const TOPIC: &str = "__cluster_metadata";

/// The last epoch fetched by who has nothing and wants the log itself: what Kafka's followers say.
/// Who says -1 may be sent to a snapshot. One of ours says it too that has found the newest
/// snapshot damaged.
pub const FROM_THE_LOG: i32 = 0;

/// Answers with what is committed, or waits for it.
pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: FetchRequest,
    reply: Reply<FetchResponse>,
    node: &Arc<Node<E>>,
) {
    let is_foreign = request
        .cluster_id
        .as_deref()
        .is_some_and(|id| *id != *node.settings.cluster_id.to_string());
    if is_foreign {
        let error_code = ErrorCode::InconsistentClusterId.code();
        return reply.send(FetchResponse { error_code, ..FetchResponse::default() });
    }
    let answer = Answer { node: Arc::clone(node), request };
    answer.note_observer(ctx);
    let committed = node.controller.committed();
    let wait_ms = answer.request.max_wait_ms.min(FETCH_WAIT_MS_MAX);
    if wait_ms <= 0 || !answer.may_wait(committed) {
        return match answer.is_at_hand() {
            true => reply.send(answer.now()),
            false => node.cold_reads.run(Box::new(move || reply.send(answer.now()))),
        };
    }
    let deadline = ctx.now.plus(Duration::from_millis(wait_ms as u64));
    let finish = Box::new(move || reply.send(answer.now()));
    CommitWait::park(node, committed, deadline, finish);
}

struct Answer<E: Env> {
    node: Arc<Node<E>>,
    request: FetchRequest,
}

impl<E: Env> Answer<E> {
    /// True if everything that is asked for is asked of the right one and not there yet.
    fn may_wait(&self, committed: Offset) -> bool {
        let asked = self.asked().flat_map(|(_, partitions)| partitions);
        self.node.controller.is_active()
            && asked.clone().count() > 0
            && asked.into_iter().all(|p| p.partition == 0 && Offset(p.fetch_offset) >= committed)
    }

    /// Whoever fetches and does not vote observes: `DescribeQuorum` shows how far it is.
    fn note_observer(&self, ctx: &RequestContext) {
        let (node, request) = (&self.node, &self.request);
        // Version 15 moved it.
        let id = BrokerId(request.replica_state.replica_id.max(request.replica_id));
        let Some(quorum) = node.controller.quorum().filter(|_| node.controller.is_active()) else {
            return;
        };
        let mut asked = self.asked().filter(|(is_it, _)| *is_it).flat_map(|(_, asked)| asked);
        let Some(partition) = asked.find(|asked| asked.partition == 0) else { return };
        if id.0 < 0 || quorum.voters.iter().any(|voter| voter.id.0 == id.0) {
            return;
        }
        let fetch = ObserverFetch {
            id,
            directory: partition.replica_directory_id,
            offset: Offset(partition.fetch_offset),
            end: node.controller.committed(),
        };
        node.observers.note_fetch(quorum.leader_epoch.0, fetch, ctx.now, ctx.wall);
    }

    fn asked(&self) -> impl Iterator<Item = (bool, &[FetchPartition])> + Clone {
        self.request.topics.iter().map(|topic| {
            let is_it = topic.topic_id == Uuid::METADATA_TOPIC || *topic.topic == *TOPIC;
            (is_it, &topic.partitions[..])
        })
    }

    /// Whether nothing that is asked for would have to come from the disk first.
    fn is_at_hand(&self) -> bool {
        let mut asked = self.asked().filter(|(is_it, _)| *is_it).flat_map(|(_, asked)| asked);
        asked.all(|asked| {
            let bytes_max = bytes_max(asked);
            self.node.controller.is_at_hand(Offset(asked.fetch_offset), bytes_max)
        })
    }

    fn now(&self) -> FetchResponse {
        // Whoever names the log twice is not sent more.
        let mut left = METADATA_FETCH_BYTES as usize;
        let topics = self.request.topics.iter().zip(self.asked()).map(|(topic, (is_it, asked))| {
            let partitions = asked.iter().map(|partition| match is_it {
                true => self.partition(partition, &mut left),
                false => refused(partition, ErrorCode::UnknownTopicId),
            });
            FetchableTopicResponse {
                topic: topic.topic.clone(),
                topic_id: topic.topic_id,
                partitions: partitions.collect(),
            }
        });
        FetchResponse {
            responses: topics.collect(),
            node_endpoints: self.leader_endpoint().into_iter().collect(),
            ..FetchResponse::default()
        }
    }

    fn partition(&self, asked: &FetchPartition, left: &mut usize) -> PartitionData {
        let controller = &self.node.controller;
        let quorum = controller.quorum();
        let current_leader =
            quorum.map_or_else(LeaderIdAndEpoch::default, |quorum| LeaderIdAndEpoch {
                leader_id: quorum.leader.map_or(-1, |leader| leader.0),
                leader_epoch: quorum.leader_epoch.0,
            });
        if asked.partition != 0 {
            return refused(asked, ErrorCode::UnknownTopicOrPartition);
        }
        if !controller.is_active() {
            let refused = refused(asked, ErrorCode::NotLeaderOrFollower);
            return PartitionData { current_leader, ..refused };
        }
        if let Some(id) = self.snapshot_for(asked) {
            return PartitionData {
                partition_index: 0,
                high_watermark: controller.committed().0,
                current_leader,
                snapshot_id: SnapshotId { end_offset: id.end.0, epoch: id.epoch },
                records: Some(bytes::Bytes::new()),
                ..PartitionData::default()
            };
        }
        let bytes_max = bytes_max(asked).min(*left);
        let committed = controller.committed();
        let read = match bytes_max {
            0 => Ok(bytes::Bytes::new()),
            _ => controller.read_committed(Offset(asked.fetch_offset), bytes_max),
        };
        *left = left.saturating_sub(read.as_ref().map_or(0, bytes::Bytes::len));
        match read {
            Ok(records) => PartitionData {
                partition_index: 0,
                high_watermark: committed.0,
                last_stable_offset: committed.0,
                log_start_offset: controller.log_start().0,
                current_leader,
                records: Some(records),
                ..PartitionData::default()
            },
            Err(error) => refused(asked, error),
        }
    }

    /// Who asks for what is in the log no more is sent to a snapshot, and so is who begins: it is
    /// spared what the newest amounts to.
    fn snapshot_for(&self, asked: &FetchPartition) -> Option<metadata_snapshot::SnapshotId> {
        let controller = &self.node.controller;
        let is_below = Offset(asked.fetch_offset) < controller.log_start();
        let begins = asked.fetch_offset <= 0 && asked.last_fetched_epoch < FROM_THE_LOG;
        match (is_below, asked.last_fetched_epoch) {
            (true, FROM_THE_LOG) => controller.oldest_snapshot(),
            _ => controller.newest_snapshot().filter(|_| is_below || begins),
        }
    }

    /// Where the leader is, for who has asked another.
    fn leader_endpoint(&self) -> Option<NodeEndpoint> {
        if self.node.controller.is_active() {
            return None;
        }
        let quorum = self.node.controller.quorum()?;
        let leader = quorum.leader?;
        let at = voter_endpoints::address_of(leader, Some(&quorum), &self.node.settings)?;
        Some(NodeEndpoint {
            node_id: leader.0,
            host: (&*at.host).into(),
            port: i32::from(at.port),
            rack: None,
        })
    }
}

fn bytes_max(asked: &FetchPartition) -> usize {
    asked.partition_max_bytes.clamp(1, METADATA_FETCH_BYTES) as usize
}

fn refused(asked: &FetchPartition, error: ErrorCode) -> PartitionData {
    PartitionData {
        partition_index: asked.partition,
        error_code: error.code(),
        high_watermark: -1,
        ..PartitionData::default()
    }
}

/// A fetch that waits for the next commit.
pub struct CommitWait {
    state: Mutex<WaitState>,
}

#[derive(Default)]
struct WaitState {
    finish: Option<Box<dyn FnOnce() + Send>>,
    timer: Option<TimerId>,
}

impl CommitWait {
    fn park<E: Env>(
        node: &Node<E>,
        committed: Offset,
        deadline: MonoTime,
        finish: Box<dyn FnOnce() + Send>,
    ) {
        let state = WaitState { finish: Some(finish), timer: None };
        let wait = Arc::new(CommitWait { state: Mutex::new(state) });
        node.controller.add_wait(Arc::clone(&wait));
        let timer = node.timers.register(deadline, Arc::clone(&wait) as Arc<dyn Expire>);
        wait.state.lock().unwrap_or_else(PoisonError::into_inner).timer = Some(timer);
        // What was committed before it was parked woke nobody.
        if node.controller.committed() != committed {
            wait.complete(&node.timers);
        }
    }

    /// Something was committed.
    pub fn complete(&self, timers: &Timers) {
        let (finish, timer) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            (state.finish.take(), state.timer.take())
        };
        timer.inspect(|timer| timers.cancel(*timer));
        if let Some(finish) = finish {
            finish();
        }
    }

    pub fn is_over(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).finish.is_none()
    }
}

impl Expire for CommitWait {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let finish = self.state.lock().unwrap_or_else(PoisonError::into_inner).finish.take();
        if let Some(finish) = finish {
            finish();
        }
    }
}
