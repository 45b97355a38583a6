//! The one table of what this broker serves: key, versions, what to authorize, handler and the
//! rooms it enters. ApiVersions, the documents and the tests derive from it.

use std::sync::Arc;

use bytes::Bytes;
use config::BrokerConfig;
use env::{Clock, Env};
use protocol::header::RequestHeader;
use protocol::{ApiKey, Reader, Request};
use types::MonoTime;

use crate::cluster;
use crate::handlers::*;
use crate::metadata_fetch;
use crate::network::{ConnectionInfo, Disconnect, Reply, ReplySlot};
use crate::node::Node;
use crate::partitions::DueTurns;
use crate::request::{Door, RequestContext};

/// What an authorizer is asked before a handler acts; the handler asks for each object it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorize {
    Nothing,
    Topic(Operation),
    Group(Operation),
    Cluster(Operation),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Read,
    Write,
    Create,
    Delete,
    Alter,
    Describe,
    DescribeConfigs,
    AlterConfigs,
    IdempotentWrite,
    ClusterAction,
}

/// Who sends requests over one connection, and through which door.
#[derive(Clone, Debug)]
pub struct Caller {
    info: Arc<ConnectionInfo>,
    door: Door,
    /// Since when; `None` for who came another way.
    connected: Option<MonoTime>,
}

impl Caller {
    pub fn new(info: ConnectionInfo, config: &BrokerConfig, now: MonoTime) -> Caller {
        let controllers = &config.node.controller_listeners;
        let is_controllers = controllers.iter().any(|listener| *listener.name == *info.listener);
        let door = if is_controllers { Door::Controllers } else { Door::Clients };
        Caller { info: Arc::new(info), door, connected: Some(now) }
    }

    /// Whether brokers and controllers come this way.
    pub fn is_of_cluster(&self) -> bool {
        self.door == Door::Controllers
    }

    pub fn peer(&self) -> std::net::SocketAddr {
        self.info.peer
    }

    /// This process itself.
    pub fn here(config: &BrokerConfig, door: Door) -> Caller {
        let listeners = match door {
            Door::Clients => &config.node.listeners,
            Door::Controllers => &config.node.controller_listeners,
        };
        let listener = listeners.first().map_or("", |listener| listener.name.as_str()).into();
        let peer = ([127, 0, 0, 1], 0).into();
        Caller { info: Arc::new(ConnectionInfo { peer, listener }), door, connected: None }
    }

    /// Somebody at `ip` whose request came here with `ctx`, carried by a broker.
    pub fn carried(ctx: &RequestContext, ip: std::net::IpAddr) -> Caller {
        let listener = Arc::clone(&ctx.connection.listener);
        let info = Arc::new(ConnectionInfo { peer: (ip, 0).into(), listener });
        Caller { info, door: ctx.door, connected: None }
    }
}

/// One API that this broker serves.
#[derive(Clone, Debug)]
pub struct ServedApi {
    pub key: ApiKey,
    pub version_min: i16,
    pub version_max: i16,
    pub authorize: Authorize,
}

impl ServedApi {
    /// The lowest version that ApiVersions names. For Produce it is 0, though 0–2 are refused:
    /// older librdkafka takes "0 is supported" to mean that compressed batches are (KAFKA-18659).
    pub fn advertised_min(&self) -> i16 {
        if self.key == ApiKey::Produce { 0 } else { self.version_min }
    }

    /// Whether Kafka has no such API: only our own client is told that it is here.
    pub fn is_ours(&self) -> bool {
        const OURS_FROM: i16 = 20_000;
        self.key.as_i16() >= OURS_FROM
    }

    /// Whether it is served to those who come through `door`. Source: `listeners` in Kafka's
    /// message definitions.
    pub fn is_behind(&self, door: Door) -> bool {
        use ApiKey::*;
        let is_for_controllers_alone = matches!(
            self.key,
            AlterPartition
                | AllocateProducerIds
                | AssignReplicasToDirs
                | BrokerHeartbeat
                | BrokerRegistration
                | ControllerRegistration
                | Envelope
                | FetchSnapshot
                | QuorumMessage
                | UpdateRaftVoter
        );
        match door {
            Door::Clients => !is_for_controllers_alone,
            Door::Controllers => {
                is_for_controllers_alone
                    || cluster::is_forwarded(self.key)
                    || matches!(
                        self.key,
                        ApiVersions
                            | DescribeCluster
                            | DescribeConfigs
                            | Fetch
                            | SaslAuthenticate
                            | SaslHandshake
                    )
            }
        }
    }

    fn serves(&self, version: i16) -> bool {
        (self.version_min..=self.version_max).contains(&version)
    }
}

macro_rules! api_table {
    ($(
        $key:ident, $min:literal..=$max:literal, $authorize:expr, $handler:ident($($room:ident),*);
    )+) => {
        /// Every API served, by key.
        pub const SERVED: &[ServedApi] = &[$(
            ServedApi {
                key: ApiKey::$key, version_min: $min, version_max: $max, authorize: $authorize,
            }
        ),+];

        fn serve<E: Env>(
            node: &Arc<Node<E>>,
            ctx: &RequestContext,
            call: Call,
        ) -> Result<(), Disconnect> {
            if ctx.key == ApiKey::Fetch && ctx.door == Door::Controllers {
                return call.to(ctx, |request, reply| {
                    metadata_fetch::handle(ctx, request, reply, node);
                });
            }
            match ctx.key {
                $(ApiKey::$key => call.to(ctx, |request, reply| {
                    $handler::handle(ctx, request, reply $(, &node.$room)*)
                }),)+
                _ => Err(bad_request(ctx.key.as_i16(), ctx.version)),
            }
        }
    };
}

use Authorize::{Cluster, Group, Nothing, Topic};
use Operation::*;

api_table! {
    // key, versions, authorize, handler(rooms it enters)
    Produce, 3..=13, Topic(Write), produce(partitions, metadata, isolation, timers, metrics);
    Fetch, 4..=18, Topic(Read),
        fetch(partitions, metadata, fetch_sessions, cold_reads, timers, settings, metrics,
            throttles, isolation, expected_followers);
    ListOffsets, 1..=11, Topic(Describe), list_offsets(partitions, metadata, isolation, lease_wait);
    Metadata, 0..=13, Topic(Describe),
        metadata_api(metadata, lost_leaders, timers, to_controller, settings);
    OffsetCommit, 2..=10, Group(Read), offset_commit(groups, metadata);
    OffsetFetch, 1..=10, Group(Describe), offset_fetch(groups, metadata);
    FindCoordinator, 0..=6, Group(Describe), find_coordinator(metadata, to_controller, settings);
    JoinGroup, 0..=9, Group(Read), join_group(groups, settings);
    Heartbeat, 0..=4, Group(Read), heartbeat(groups);
    LeaveGroup, 0..=5, Group(Read), leave_group(groups);
    SyncGroup, 0..=5, Group(Read), sync_group(groups);
    DescribeGroups, 0..=6, Group(Describe), describe_groups(groups);
    ListGroups, 0..=5, Cluster(Describe), list_groups(groups);
    SaslHandshake, 0..=1, Nothing, sasl_handshake();
    ApiVersions, 0..=4, Nothing, api_versions(metadata);
    CreateTopics, 2..=7, Cluster(Create), create_topics(controller, settings);
    DeleteTopics, 1..=6, Topic(Delete), delete_topics(controller);
    DeleteRecords, 0..=2, Topic(Delete),
        delete_records(partitions, metadata, log_store, timers);
    InitProducerId, 0..=5, Cluster(IdempotentWrite),
        init_producer_id(producer_ids, to_controller, metadata, settings);
    OffsetForLeaderEpoch, 2..=4, Topic(Describe), offset_for_leader_epoch(partitions, metadata);
    DescribeConfigs, 1..=4, Topic(DescribeConfigs), describe_configs(metadata, settings);
    AlterConfigs, 0..=2, Topic(AlterConfigs), alter_configs(controller);
    AlterReplicaLogDirs, 1..=2, Cluster(Alter),
        alter_replica_log_dirs(partitions, metadata, log_store, moves);
    DescribeLogDirs, 1..=4, Cluster(Describe), describe_log_dirs(partitions, log_store, moves);
    SaslAuthenticate, 0..=2, Nothing, sasl_authenticate();
    CreatePartitions, 0..=3, Topic(Alter), create_partitions(controller);
    DeleteGroups, 0..=2, Group(Delete), delete_groups(groups);
    ElectLeaders, 0..=2, Cluster(Alter), elect_leaders(controller);
    IncrementalAlterConfigs, 0..=1, Topic(AlterConfigs), incremental_alter_configs(controller);
    AlterPartitionReassignments, 0..=1, Cluster(Alter), alter_partition_reassignments(controller);
    ListPartitionReassignments, 0..=0, Cluster(Describe), list_partition_reassignments(controller);
    OffsetDelete, 0..=0, Group(Delete), offset_delete(groups);
    DescribeQuorum, 0..=2, Cluster(Describe),
        describe_quorum(controller, observers, metadata, settings);
    DescribeCluster, 0..=2, Cluster(Describe), describe_cluster(controller, metadata, settings);
    DescribeProducers, 0..=0, Topic(Read), describe_producers(partitions);
    DescribeTopicPartitions, 0..=0, Topic(Describe), describe_topic_partitions(metadata, settings);
    AlterPartition, 2..=3, Cluster(ClusterAction), alter_partition(controller);
    UpdateFeatures, 0..=2, Cluster(Alter), update_features(controller);
    Envelope, 0..=0, Cluster(ClusterAction), envelope(to_controller);
    FetchSnapshot, 0..=1, Cluster(ClusterAction), fetch_snapshot(controller, cold_reads, settings);
    BrokerRegistration, 0..=4, Cluster(ClusterAction), broker_registration(controller);
    BrokerHeartbeat, 0..=1, Cluster(ClusterAction), broker_heartbeat(controller);
    UnregisterBroker, 0..=0, Cluster(Alter), unregister_broker(controller);
    AllocateProducerIds, 0..=0, Cluster(ClusterAction), allocate_producer_ids(controller);
    ControllerRegistration, 0..=0, Cluster(ClusterAction), controller_registration(controller);
    AssignReplicasToDirs, 0..=0, Cluster(ClusterAction), assign_replicas_to_dirs(controller);
    QuorumMessage, 0..=0, Cluster(ClusterAction), quorum_message(controller, settings);
    AddRaftVoter, 0..=1, Cluster(Alter), add_raft_voter(controller, settings);
    RemoveRaftVoter, 0..=0, Cluster(Alter), remove_raft_voter(controller, settings);
    UpdateRaftVoter, 0..=0, Cluster(ClusterAction), update_raft_voter(controller, settings);
    DescribeCompaction, 0..=0, Topic(Describe),
        describe_compaction(partitions, cleaners, settings, metadata);
}

/// The row of an API, if it is served.
pub fn served(key: ApiKey) -> Option<&'static ServedApi> {
    SERVED.iter().find(|api| api.key == key)
}

/// Takes one request frame to its handler.
///
/// # Errors
/// The bytes are no request of an API and version served here. Kafka cuts such connections, with
/// one exception: an ApiVersions request of an unknown version is answered in version 0.
pub fn dispatch<E: Env>(
    node: &Arc<Node<E>>,
    caller: &Caller,
    turns: &Arc<DueTurns>,
    frame: Bytes,
    slot: ReplySlot,
) -> Result<(), Disconnect> {
    let whole = goes_elsewhere(node, caller, &frame).then(|| frame.clone());
    let mut body = Reader::new(frame);
    let header = RequestHeader::read(&mut body)
        .map_err(|error| Disconnect::BadRequest(error.to_string()))?;
    let (number, version) = (header.request_api_key, header.request_api_version);
    let api = ApiKey::from_i16(number).and_then(served).filter(|api| api.is_behind(caller.door));
    let api = api.ok_or_else(|| bad_request(number, version))?;
    let wall = node.env().clock().wall();
    if api.key != ApiKey::Produce {
        // It may look at what the requests before it have changed.
        turns.run();
    }
    let ctx = RequestContext {
        connection: Arc::clone(&caller.info),
        door: caller.door,
        connected: caller.connected,
        turns: Arc::clone(turns),
        key: api.key,
        version,
        client_id: header.client_id,
        now: node.env().clock().mono(),
        wall,
    };
    if let Some(whole) = whole.filter(|_| api.serves(version)) {
        cluster::forward(node, &caller.info, whole, slot);
        return Ok(());
    }
    if api.serves(version) {
        node.metrics.requests.count(api.key);
        let call = Call { body, slot, correlation_id: header.correlation_id };
        return serve(node, &ctx, call);
    }
    if api.key == ApiKey::ApiVersions {
        api_versions::refuse_version(Reply::new(slot, api.key, 0, header.correlation_id));
        return Ok(());
    }
    Err(bad_request(number, version))
}

/// Whether the active controller is to answer it, and is not here.
fn goes_elsewhere<E: Env>(node: &Node<E>, caller: &Caller, frame: &Bytes) -> bool {
    let key = frame.first_chunk().and_then(|key| ApiKey::from_i16(i16::from_be_bytes(*key)));
    caller.door == Door::Clients
        && key.is_some_and(cluster::is_forwarded)
        && !node.controller.is_active()
}

fn bad_request(key: i16, version: i16) -> Disconnect {
    Disconnect::BadRequest(format!("no API {key} version {version} is served here"))
}

/// A request whose body is still bytes.
struct Call {
    body: Reader,
    slot: ReplySlot,
    correlation_id: i32,
}

impl Call {
    fn to<R: Request>(
        mut self,
        ctx: &RequestContext,
        handler: impl FnOnce(R, Reply<R::Response>),
    ) -> Result<(), Disconnect> {
        let request = R::decode(&mut self.body, ctx.version).map_err(|error| {
            Disconnect::BadRequest(format!("{:?} v{}: {error}", ctx.key, ctx.version))
        })?;
        handler(request, Reply::new(self.slot, ctx.key, ctx.version, self.correlation_id));
        Ok(())
    }
}
