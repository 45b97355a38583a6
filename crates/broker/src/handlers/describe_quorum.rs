//! DescribeQuorum (key 55), versions 0–2.
//! Who votes on the metadata log, who observes it and how far each is. v1 fetch times ·
//! v2 directories and addresses. Differs from Kafka: voters are sent to and do not fetch; the
//! fetch time of one is when the leader last heard from it. Observers are sent what is committed,
//! so one has caught up when it has that.

use consensus::VoterStatus;
use env::Env;
use metadata::Endpoint;
use protocol::messages::describe_quorum_request::DescribeQuorumRequest;
use protocol::messages::describe_quorum_response::{
    DescribeQuorumResponse, Listener, Node, PartitionData, ReplicaState, TopicData,
};
use types::{ErrorCode, WallTime};

use crate::controller_host::ControllerHost;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::observers::{Observer, Observers};
use crate::request::RequestContext;
use crate::settings::Settings;
use crate::voter_endpoints;

const TOPIC: &str = "__cluster_metadata";
const UNKNOWN: i64 = -1;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: DescribeQuorumRequest,
    reply: Reply<DescribeQuorumResponse>,
    controller: &ControllerHost<E>,
    observers: &Observers,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    let Some(quorum) = controller.quorum() else { return reply.disconnect() };
    if !controller.is_active() {
        let error_code = ErrorCode::NotLeaderOrFollower.code();
        return reply.send(DescribeQuorumResponse { error_code, ..Default::default() });
    }
    // The leader is where it is at this moment.
    let here = settings.broker_id().0;
    let voter = |status: &VoterStatus| voter(status, ctx.wall, status.id.0 == here);
    let observing = || observers.all(quorum.leader_epoch.0, ctx.now);
    let describe = |topic: &str, index: i32| {
        if topic != TOPIC || index != 0 {
            return refused(index, ErrorCode::UnknownTopicOrPartition);
        }
        PartitionData {
            partition_index: index,
            leader_id: quorum.leader.map_or(-1, |leader| leader.0),
            leader_epoch: quorum.leader_epoch.0,
            high_watermark: quorum.high_watermark.0,
            current_voters: quorum.voters.iter().map(voter).collect(),
            observers: observing()
                .iter()
                .map(observer)
                .chain(quorum.observers.iter().map(voter))
                .collect(),
            ..Default::default()
        }
    };
    let topics = request.topics.iter().map(|topic| TopicData {
        topic_name: topic.topic_name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| describe(&topic.topic_name, partition.partition_index))
            .collect(),
    });
    let topics = topics.collect();
    let image = metadata.image();
    let listener = |at: Endpoint| Listener {
        name: (&*at.name).into(),
        host: (&*at.host).into(),
        port: at.port,
    };
    let node = |voter: &VoterStatus| {
        let endpoints = voter_endpoints::of(voter, &image, settings);
        Node { node_id: voter.id.0, listeners: endpoints.into_iter().map(listener).collect() }
    };
    let nodes = quorum.voters.iter().chain(&quorum.observers).map(node).collect();
    reply.send(DescribeQuorumResponse { topics, nodes, ..Default::default() });
}

fn refused(partition_index: i32, error: ErrorCode) -> PartitionData {
    PartitionData { partition_index, error_code: error.code(), ..Default::default() }
}

fn voter(voter: &VoterStatus, now: WallTime, is_here: bool) -> ReplicaState {
    let time = |at: Option<WallTime>| match is_here {
        true => now.0,
        false => at.map_or(UNKNOWN, |at| at.0),
    };
    ReplicaState {
        replica_id: voter.id.0,
        replica_directory_id: voter.directory,
        log_end_offset: voter.log_end.map_or(UNKNOWN, |end| end.0),
        last_fetch_timestamp: time(voter.heard_at),
        last_caught_up_timestamp: time(voter.caught_up_at),
    }
}

fn observer(observer: &Observer) -> ReplicaState {
    ReplicaState {
        replica_id: observer.id.0,
        replica_directory_id: observer.directory,
        log_end_offset: observer.log_end.0,
        last_fetch_timestamp: observer.fetched_at.0,
        last_caught_up_timestamp: observer.caught_up_at.map_or(UNKNOWN, |at| at.0),
    }
}
