use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use consensus::{CommittedBatch, Epoch, Gate, GateVerdict};
use env::{Background, Clock, Env, Lane};
use metadata::{Loaded, MetadataImage, MetadataLoader};
use protocol::Message;
use protocol::messages::FetchRequest;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use protocol::messages::fetch_response::{FetchResponse, PartitionData, SnapshotId};
use protocol::messages::fetch_snapshot_request::{
    FetchSnapshotRequest, PartitionSnapshot, SnapshotId as NamedSnapshot, TopicSnapshot,
};
use protocol::messages::fetch_snapshot_response::FetchSnapshotResponse;
use records::RecordBatch;
use types::{BrokerId, ErrorCode, MonoTime, Offset, Uuid};

use crate::controller_host::ImageSubscriber;
use crate::limits::{
    CONTROLLER_RETRY_MAX, METADATA_FETCH_BYTES, METADATA_FETCH_WAIT, SNAPSHOT_BYTES_MAX,
};
use crate::metadata_fetch::FROM_THE_LOG;
use crate::metadata_log::{self, control};
use crate::metadata_publisher::MetadataPublisher;
use crate::metadata_snapshot;
use crate::node::Node;
use crate::peers::{Channel, Link, PeerAddress, PeerFailure};
use crate::removals::LaneOf;
use crate::timers::Expire;

#[cfg(test)]
mod tests;

const TOPIC: &str = "__cluster_metadata";

/// The first version with the endpoint of the leader, for who asks another.
const FETCH_VERSION: i16 = 17;

/// How a broker that is no controller knows the metadata: it fetches the controller's log, as
/// Kafka's brokers do, and replays what is committed. It begins with the newest snapshot or at the
/// start of the log: nothing of it is kept here. Who is too far behind goes on from a snapshot.
///
/// What is fetched is taken in on a lane of its own, one answer after another; the next fetch
/// leaves when the last answer is taken in.
#[doc(alias = "MetadataLoader")]
#[doc(alias = "KafkaRaftClient")]
pub struct MetadataFollower<E: Env> {
    node: Weak<Node<E>>,
    publisher: MetadataPublisher<E>,
    lane: LaneOf<E>,
    state: Mutex<State>,
}

struct State {
    loader: MetadataLoader,
    gate: Gate,
    /// A snapshot could not be read: the log says what is in it, or an older one and the log.
    wants_log: bool,
    /// Before the next attempt after a failure.
    pause: Duration,
}

impl<E: Env> MetadataFollower<E> {
    /// Follows from the first record on, for as long as the node lives.
    pub fn start(node: &Arc<Node<E>>) {
        MetadataFollower::new(node).fetch(node);
    }

    fn new(node: &Arc<Node<E>>) -> Arc<MetadataFollower<E>> {
        Arc::new(MetadataFollower {
            node: Arc::downgrade(node),
            publisher: MetadataPublisher { node: Arc::downgrade(node) },
            lane: node.env().background().lane("metadata"),
            state: Mutex::new(State {
                loader: MetadataLoader::new(Arc::new(MetadataImage::empty())),
                gate: Gate::new(Epoch::NONE, Offset::ZERO),
                wants_log: false,
                pause: node.settings.config.quorum.retry_backoff,
            }),
        })
    }

    fn fetch(self: Arc<Self>, node: &Arc<Node<E>>) {
        let Some(address) = node.to_controller.finder.current() else {
            return self.rest(node);
        };
        let link = Link { address: address.clone(), channel: Channel::Metadata };
        let patience = METADATA_FETCH_WAIT + node.settings.config.quorum.request_timeout / 2;
        let deadline = node.env().clock().mono().plus(patience);
        let request = self.request(node);
        node.peers.clone().ask(link, FETCH_VERSION, &request, deadline, move |response| {
            let Some(node) = self.node.upgrade() else { return };
            self.handle(&node, &address, response);
        });
    }

    fn request(&self, node: &Node<E>) -> FetchRequest {
        let (next, wants_log) = {
            let state = self.lock();
            (state.gate.next(), state.wants_log)
        };
        let partition = FetchPartition {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: next.0,
            last_fetched_epoch: if wants_log { FROM_THE_LOG } else { -1 },
            log_start_offset: 0,
            partition_max_bytes: METADATA_FETCH_BYTES,
            replica_directory_id: node.log_store.metadata_directory(),
            ..FetchPartition::default()
        };
        FetchRequest {
            cluster_id: Some(node.settings.cluster_id.to_string().into()),
            replica_state: ReplicaState { replica_id: node.broker_id().0, replica_epoch: -1 },
            max_wait_ms: METADATA_FETCH_WAIT.as_millis() as i32,
            min_bytes: 1,
            max_bytes: METADATA_FETCH_BYTES,
            topics: vec![FetchTopic {
                topic_id: Uuid::METADATA_TOPIC,
                partitions: vec![partition],
                ..FetchTopic::default()
            }],
            session_epoch: -1,
            ..FetchRequest::default()
        }
    }

    fn handle(
        self: Arc<Self>,
        node: &Arc<Node<E>>,
        asked: &PeerAddress,
        response: Result<FetchResponse, PeerFailure>,
    ) {
        let finder = &node.to_controller.finder;
        let Some(partition) = response.as_ref().ok().and_then(answered) else {
            let why = match response {
                Ok(refused) => format!("error {}", refused.error_code),
                Err(failure) => format!("{failure:?}"),
            };
            log::info!(
                target: "kafka.raft.KafkaRaftClient",
                "no metadata from the controller at {asked}: {why}"
            );
            finder.handle_failure(asked);
            return self.rest(node);
        };
        if partition.error_code != ErrorCode::None.code() {
            finder.handle_failure(asked);
            self.take_hint(node, partition, response.as_ref().ok());
            return self.rest(node);
        }
        self.take_hint(node, partition, None);
        if partition.snapshot_id.end_offset > 0 {
            let SnapshotId { end_offset, epoch } = partition.snapshot_id;
            let id = metadata_snapshot::SnapshotId { end: Offset(end_offset), epoch };
            return self.fetch_snapshot(node, asked.clone(), id, BytesMut::new());
        }
        let records = partition.records.clone().unwrap_or_default();
        self.lock().pause = node.settings.config.quorum.retry_backoff;
        let (lane, node) = (self.lane.clone(), Arc::clone(node));
        lane.run(Box::new(move || match self.take_in(&records, &node) {
            Ok(()) => self.fetch(&node),
            Err(why) => self.publisher.handle_fatal(&why),
        }));
    }

    /// Asks for the rest of a snapshot, and goes on from it once it is here.
    fn fetch_snapshot(
        self: Arc<Self>,
        node: &Arc<Node<E>>,
        address: PeerAddress,
        id: metadata_snapshot::SnapshotId,
        mut got: BytesMut,
    ) {
        let link = Link { address: address.clone(), channel: Channel::Metadata };
        let patience = METADATA_FETCH_WAIT + node.settings.config.quorum.request_timeout / 2;
        let deadline = node.env().clock().mono().plus(patience);
        let request = snapshot_request(node, id, got.len());
        let version = *FetchSnapshotRequest::VERSIONS.end();
        node.peers.clone().ask(link, version, &request, deadline, move |response| {
            let Some(node) = self.node.upgrade() else { return };
            let Some((size, part)) = response.as_ref().ok().and_then(snapshot_part) else {
                // It may be gone for a newer one, or its controller is.
                node.to_controller.finder.handle_failure(&address);
                return self.rest(&node);
            };
            got.extend_from_slice(part);
            if (got.len() as u64) < size {
                return self.fetch_snapshot(&node, address, id, got);
            }
            let lane = self.lane.clone();
            lane.run(Box::new(move || {
                let installed = self.install(id, &got.freeze(), &node);
                let had_wanted_log = self.lock().wants_log;
                self.lock().wants_log = installed.is_err() && !had_wanted_log;
                let Err(why) = installed else { return self.fetch(&node) };
                log::warn!(
                    target: "org.apache.kafka.image.loader.MetadataLoader",
                    "the snapshot of the metadata up to offset {} is passed over, the log or an \
                     older one fetched instead: {why}",
                    id.end
                );
                match had_wanted_log {
                    // Both are no good. There may be another, later, or elsewhere.
                    true => self.rest(&node),
                    false => self.fetch(&node),
                }
            }));
        });
    }

    /// Goes on from a snapshot: at the start, or because the log begins behind what is known here.
    fn install(
        &self,
        id: metadata_snapshot::SnapshotId,
        bytes: &Bytes,
        node: &Node<E>,
    ) -> Result<(), String> {
        let image = metadata_snapshot::decode(id, bytes)?.image;
        let loaded = {
            let mut state = self.lock();
            if state.gate.next() >= id.end {
                return Err("this broker knows more already".to_owned());
            }
            state.gate = Gate::new(Epoch(id.epoch), id.end);
            let before = Arc::clone(state.loader.image());
            state.loader = MetadataLoader::new(Arc::clone(&image));
            Loaded::jump(before, image)
        };
        self.publisher.handle_image(&loaded, node.env().clock().wall());
        Ok(())
    }

    /// Who leads, as the answer says.
    fn take_hint(
        &self,
        node: &Node<E>,
        partition: &PartitionData,
        response: Option<&FetchResponse>,
    ) {
        let leader = &partition.current_leader;
        if leader.leader_id < 0 {
            return;
        }
        let endpoints = response.map_or(&[][..], |response| &response.node_endpoints);
        let named = endpoints.iter().find(|node| node.node_id == leader.leader_id);
        let address = named.and_then(|named| {
            Some(PeerAddress { host: (&*named.host).into(), port: u16::try_from(named.port).ok()? })
        });
        let id = BrokerId(leader.leader_id);
        node.to_controller.handle_leader(id, leader.leader_epoch, address);
    }

    /// Replays and publishes whole batches.
    fn take_in(&self, records: &Bytes, node: &Node<E>) -> Result<(), String> {
        for batch in records::batches(records) {
            // A fetch may end in the middle of a batch.
            let Ok(batch) = batch else { break };
            let loaded = self.replay(&batch)?;
            if let Some(loaded) = loaded {
                self.publisher.handle_image(&loaded, node.env().clock().wall());
            }
        }
        Ok(())
    }

    fn replay(&self, batch: &RecordBatch) -> Result<Option<Loaded>, String> {
        let at = |error: &dyn std::fmt::Display| {
            format!("replay metadata at {}: {error}", batch.base_offset())
        };
        batch.verify_crc().map_err(|error| at(&error))?;
        let header = batch.header();
        let found = batch.records().map_err(|error| at(&error))?.collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| at(&error))?;
        let (mut values, mut kraft_version) = (Vec::new(), None);
        match header.is_control() {
            // What the quorum says of its voters is its own; brokers need the level.
            true => {
                let control = control::batch_of(&found).map_err(|error| at(&error))?;
                kraft_version = control.kraft_version();
            }
            false => values.extend(found.into_iter().filter_map(|record| record.value)),
        }
        let committed = CommittedBatch {
            epoch: Epoch(header.leader_epoch.0),
            base_offset: batch.base_offset(),
            last_offset: batch.last_offset(),
            appended_at: header.max_timestamp,
            records: values,
            kraft_version,
        };
        let mut state = self.lock();
        // The first batch of a fetch may begin before what was asked for.
        if committed.last_offset < state.gate.next() {
            return Ok(None);
        }
        if state.gate.admit(&committed) == GateVerdict::Drop {
            return Err(at(&"the batch is not the next one"));
        }
        metadata_log::replay(&committed, |at, records| state.loader.replay_batch(at, records))
    }

    fn rest(self: Arc<Self>, node: &Node<E>) {
        let pause = {
            let mut state = self.lock();
            let pause = state.pause;
            state.pause = (pause * 2).min(CONTROLLER_RETRY_MAX);
            pause
        };
        let again = node.env().clock().mono().plus(pause);
        node.timers.register(again, self);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn snapshot_request<E: Env>(
    node: &Node<E>,
    id: metadata_snapshot::SnapshotId,
    position: usize,
) -> FetchSnapshotRequest {
    let partition = PartitionSnapshot {
        partition: 0,
        current_leader_epoch: -1,
        snapshot_id: NamedSnapshot { end_offset: id.end.0, epoch: id.epoch },
        position: position as i64,
        replica_directory_id: node.log_store.metadata_directory(),
    };
    FetchSnapshotRequest {
        cluster_id: Some(node.settings.cluster_id.to_string().into()),
        replica_id: node.broker_id().0,
        max_bytes: METADATA_FETCH_BYTES,
        topics: vec![TopicSnapshot { name: TOPIC.into(), partitions: vec![partition] }],
    }
}

/// How long the snapshot is, and the part of it that came. At least a byte comes.
fn snapshot_part(response: &FetchSnapshotResponse) -> Option<(u64, &Bytes)> {
    let part = response.topics.first().and_then(|topic| topic.partitions.first())?;
    let size = u64::try_from(part.size).ok().filter(|size| *size <= SNAPSHOT_BYTES_MAX)?;
    let records = part.unaligned_records.as_ref().filter(|records| !records.is_empty())?;
    (part.error_code == ErrorCode::None.code()).then_some((size, records))
}

/// What a response says of the metadata log, if it says anything.
fn answered(response: &FetchResponse) -> Option<&PartitionData> {
    let topic = response.responses.iter().find(|t| t.topic_id == Uuid::METADATA_TOPIC);
    topic.and_then(|topic| topic.partitions.first())
}

impl<E: Env> Expire for MetadataFollower<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        if let Some(node) = self.node.upgrade() {
            self.fetch(&node);
        }
    }
}
