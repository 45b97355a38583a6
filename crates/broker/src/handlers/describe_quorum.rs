//! DescribeQuorum (key 55), versions 0–2.
//! Who votes on the metadata log and how far each is. v1 fetch times · v2 directories and
//! addresses. Differs from Kafka: voters are sent to and do not fetch; the fetch time of one is
//! when the leader last heard from it.

use env::Env;
use protocol::messages::describe_quorum_request::DescribeQuorumRequest;
use protocol::messages::describe_quorum_response::{
    DescribeQuorumResponse, Listener, Node, PartitionData, ReplicaState, TopicData,
};
use types::{ErrorCode, WallTime};

use crate::controller_host::ControllerHost;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::Settings;

const TOPIC: &str = "__cluster_metadata";
const UNKNOWN: i64 = -1;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: DescribeQuorumRequest,
    reply: Reply<DescribeQuorumResponse>,
    controller: &ControllerHost<E>,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    let Some(quorum) = controller.quorum() else { return reply.disconnect() };
    let voter = |voter: &consensus::VoterStatus| {
        // The leader is where it is at this moment.
        let is_here = voter.id.0 == settings.broker_id().0;
        let time = |at: Option<WallTime>| match is_here {
            true => ctx.wall.0,
            false => at.map_or(UNKNOWN, |at| at.0),
        };
        ReplicaState {
            replica_id: voter.id.0,
            replica_directory_id: voter.directory,
            log_end_offset: voter.log_end.map_or(UNKNOWN, |end| end.0),
            last_fetch_timestamp: time(voter.heard_at),
            last_caught_up_timestamp: time(voter.caught_up_at),
        }
    };
    let describe = |topic: &str, index: i32| {
        if topic != TOPIC || index != 0 {
            return PartitionData {
                partition_index: index,
                error_code: ErrorCode::UnknownTopicOrPartition.code(),
                ..Default::default()
            };
        }
        PartitionData {
            partition_index: index,
            leader_id: quorum.leader.map_or(-1, |leader| leader.0),
            leader_epoch: quorum.leader_epoch.0,
            high_watermark: quorum.high_watermark.0,
            current_voters: quorum.voters.iter().map(voter).collect(),
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
    let nodes = nodes(metadata, settings);
    reply.send(DescribeQuorumResponse { topics, nodes, ..Default::default() });
}

fn nodes(metadata: &MetadataCache, settings: &Settings) -> Vec<Node> {
    let image = metadata.image();
    let Some(broker) = image.cluster.broker(settings.broker_id()) else { return Vec::new() };
    let listener = |endpoint: &metadata::Endpoint| Listener {
        name: (&*endpoint.name).into(),
        host: (&*endpoint.host).into(),
        port: endpoint.port,
    };
    let listeners = broker.endpoints.iter().map(listener).collect();
    vec![Node { node_id: broker.id.0, listeners }]
}
