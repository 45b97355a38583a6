//! FetchSnapshot (key 59), versions 0–1.
//! A part of a snapshot of the metadata, for brokers that begin to follow it. v1 directories and
//! addresses. Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::FetchSnapshotRequest;
use protocol::messages::fetch_snapshot_request::PartitionSnapshot as Asked;
use protocol::messages::fetch_snapshot_response::{
    FetchSnapshotResponse, LeaderIdAndEpoch, PartitionSnapshot, SnapshotId as NamedSnapshot,
    TopicSnapshot,
};
use types::{ErrorCode, Offset};

use crate::cold_reads::ColdReads;
use crate::controller_host::ControllerHost;
use crate::limits::METADATA_FETCH_BYTES;
use crate::metadata_snapshot::SnapshotId;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::Settings;

const TOPIC: &str = "__cluster_metadata";

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: FetchSnapshotRequest,
    reply: Reply<FetchSnapshotResponse>,
    controller: &Arc<ControllerHost<E>>,
    cold_reads: &ColdReads<E>,
    settings: &Settings,
) {
    let own = settings.cluster_id.to_string();
    if request.cluster_id.as_deref().is_some_and(|id| *id != *own) {
        let error_code = ErrorCode::InconsistentClusterId.code();
        return reply.send(FetchSnapshotResponse { error_code, ..Default::default() });
    }
    // A snapshot may have been written long ago.
    let controller = Arc::clone(controller);
    cold_reads.run(Box::new(move || reply.send(answer(&request, &controller))));
}

fn answer<E: Env>(
    request: &FetchSnapshotRequest,
    controller: &ControllerHost<E>,
) -> FetchSnapshotResponse {
    // Whoever names it twice is not sent more.
    let mut left = request.max_bytes.clamp(1, METADATA_FETCH_BYTES) as usize;
    let topics = request.topics.iter().map(|topic| {
        let is_it = *topic.name == *TOPIC;
        let partitions = topic.partitions.iter();
        let partitions = partitions.map(|asked| part(asked, is_it, controller, &mut left));
        TopicSnapshot { name: topic.name.clone(), partitions: partitions.collect() }
    });
    FetchSnapshotResponse { topics: topics.collect(), ..Default::default() }
}

fn part<E: Env>(
    asked: &Asked,
    is_it: bool,
    controller: &ControllerHost<E>,
    left: &mut usize,
) -> PartitionSnapshot {
    let (end, epoch) = (Offset(asked.snapshot_id.end_offset), asked.snapshot_id.epoch);
    let read = match () {
        () if !is_it || asked.partition != 0 => Err(ErrorCode::UnknownTopicOrPartition),
        () if !controller.is_active() => Err(ErrorCode::NotLeaderOrFollower),
        () => controller.read_snapshot(SnapshotId { end, epoch }, asked.position, *left),
    };
    let quorum = controller.quorum();
    let (error, (size, records)) = match read {
        Ok(part) => (ErrorCode::None, part),
        Err(error) => (error, Default::default()),
    };
    *left -= records.len();
    PartitionSnapshot {
        index: asked.partition,
        error_code: error.code(),
        snapshot_id: NamedSnapshot { end_offset: end.0, epoch },
        current_leader: LeaderIdAndEpoch {
            leader_id: quorum.as_ref().and_then(|q| q.leader).map_or(-1, |leader| leader.0),
            leader_epoch: quorum.map_or(-1, |quorum| quorum.leader_epoch.0),
        },
        size: i64::try_from(size).unwrap_or(i64::MAX),
        position: asked.position,
        unaligned_records: Some(records),
    }
}
