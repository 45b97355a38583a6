//! Puts the rooms together: opens what is on disk, takes up the metadata, and serves.

mod open_controller;
mod open_error;

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use config::BrokerConfig;
use consensus::VoterEndpoint;
use controller::Controller;
use env::{Clock, Env, Rng};
use metadata::{BrokerEpoch, MetadataImage};
use types::{BrokerId, ErrorCode, TopicPartition, Uuid};

use crate::cleaners::Cleaners;
use crate::cluster::{
    ControllerFinder, ControllerRegistration, ControllerTasks, Isolation, Lease, LeaseWait,
    Lifecycle, MetadataFollower, PeerReplicationLinks, ToController, quorum,
};
use crate::cold_reads::ColdReads;
use crate::controller_host::ControllerHost;
use crate::coordinators::GroupHost;
use crate::directory_assignments::DirectoryAssignments;
use crate::failed_dirs::FailedDirs;
use crate::fetch_sessions::FetchSessions;
use crate::full_disks::FullDisks;
use crate::halt::Halt;
use crate::housekeeping::Housekeeping;
use crate::log_store::{DirIndex, LogStore};
use crate::metadata_cache::MetadataCache;
use crate::metadata_publisher::{MetadataPublisher, Publishing};
use crate::metrics::Metrics;
use crate::observers::Observers;
use crate::partitions::PartitionTable;
use crate::peers::Peers;
use crate::producer_ids::ProducerIds;
use crate::registration;
use crate::replica_moves::ReplicaMoves;
use crate::replicas::{ExpectedFollowers, IsrChanges, LostLeaders, ReplicaFetchers, Throttles};
use crate::settings::{Settings, group_config};
use crate::timers::Timers;
use crate::voter_endpoints;
use open_controller::Opening;

pub use open_error::OpenError;

/// An address that clients are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub listener: String,
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Debug)]
pub struct NodeOptions {
    pub config: Arc<BrokerConfig>,
    pub endpoints: Vec<Endpoint>,
    /// Where other controllers reach this one.
    pub controller_endpoints: Vec<Endpoint>,
}

/// One node: a broker, a controller, or both in one process.
pub struct Node<E: Env> {
    env: E,
    pub(crate) settings: Settings,
    pub(crate) timers: Arc<Timers>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) metadata: Arc<MetadataCache>,
    pub(crate) partitions: Arc<PartitionTable<E::Disk>>,
    pub(crate) log_store: LogStore<E>,
    pub(crate) controller: Arc<ControllerHost<E>>,
    pub(crate) groups: Arc<GroupHost<E>>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) cold_reads: ColdReads<E>,
    pub(crate) producer_ids: ProducerIds,
    pub(crate) assignments: DirectoryAssignments,
    pub(crate) halt: Halt,
    pub(crate) cleaners: Cleaners<E>,
    pub(crate) moves: ReplicaMoves<E>,
    pub(crate) fetchers: ReplicaFetchers<E>,
    pub(crate) throttles: Arc<Throttles>,
    pub(crate) isr_changes: IsrChanges,
    pub(crate) lost_leaders: Arc<LostLeaders>,
    pub(crate) expected_followers: Arc<ExpectedFollowers>,
    pub(crate) isolation: Arc<Isolation>,
    pub(crate) lease_wait: Arc<LeaseWait>,
    pub(crate) observers: Observers,
    /// Where other voters reach this one.
    pub(crate) voter_endpoints: Vec<VoterEndpoint>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) to_controller: ToController<E>,
    pub(crate) lifecycle: Lifecycle<E>,
    pub(crate) controller_registration: ControllerRegistration,
    pub(crate) publishing: Mutex<Publishing>,
}

impl<E: Env> Node<E> {
    /// Opens the log directories and takes its place in the cluster.
    ///
    /// With the one controller in this process, it replays the metadata, opens the logs, loads the
    /// groups and registers: when this returns, every request can be served. A broker whose
    /// controllers are elsewhere has yet to hear from them: see [`poll_ready`](Self::poll_ready).
    ///
    /// # Errors
    /// What is on disk cannot be used, or not by this node.
    pub fn open(env: E, options: NodeOptions) -> Result<Arc<Node<E>>, OpenError> {
        let NodeOptions { config, endpoints, controller_endpoints } = options;
        let voter_endpoints = voter_endpoints::own(controller_endpoints);
        let timers = Arc::new(Timers::default());
        let (log_store, cluster_id) = LogStore::open(&env, &config, &timers)?;
        let controller = match config.node.is_controller {
            true => {
                let opening = Opening { env: &env, config: &config, cluster_id };
                opening.open(&log_store, voter_endpoints.clone(), &timers)?
            }
            false => {
                let controller = Controller::new(Arc::clone(&config), cluster_id);
                ControllerHost::elsewhere(env.clone(), controller, Arc::clone(&timers))
            }
        };
        let image = controller.image();
        let chance = Arc::new(Chance(env.clone()));
        let settings = Settings::new(Arc::clone(&config), cluster_id, chance);
        let slots = config.network.max_incremental_fetch_session_cache_slots.max(0) as usize;
        let lease = Arc::new(Lease::unlimited());
        let session = config.membership.session_timeout();
        let isolation = Arc::new(Isolation::new(Arc::clone(&lease), session));
        let lease_wait = LeaseWait::new(&timers, &lease);
        let node = Arc::new(Node {
            metadata: Arc::new(MetadataCache::new(Arc::clone(&image))),
            partitions: Arc::default(),
            log_store,
            controller,
            groups: Arc::new(GroupHost::new(
                env.clone(),
                Arc::clone(&timers),
                group_config(&config),
                Arc::clone(&lease_wait),
            )),
            fetch_sessions: FetchSessions::new(slots),
            cold_reads: ColdReads::new(&env),
            producer_ids: ProducerIds::default(),
            assignments: DirectoryAssignments::default(),
            halt: Halt::default(),
            cleaners: Cleaners::default(),
            moves: ReplicaMoves::new(&env),
            fetchers: ReplicaFetchers::default(),
            throttles: Arc::new(Throttles::new(&config.replication)),
            isr_changes: IsrChanges::default(),
            lost_leaders: Arc::new(LostLeaders::new(Arc::clone(&isolation))),
            expected_followers: Arc::default(),
            isolation,
            lease_wait,
            observers: Observers::default(),
            voter_endpoints,
            peers: Peers::new(Arc::clone(&timers)),
            to_controller: ToController::new(ControllerFinder::new(&config.quorum)),
            lifecycle: Lifecycle::new(&env, lease),
            controller_registration: ControllerRegistration::default(),
            publishing: Mutex::default(),
            metrics: Arc::default(),
            timers,
            settings,
            env,
        });
        node.fetchers.attach(&node);
        node.to_controller.attach(&node);
        node.lifecycle.attach(&node);
        node.moves.attach(&node);
        node.take_place(&image, &endpoints)?;
        Ok(node)
    }

    fn take_place(
        self: &Arc<Self>,
        image: &Arc<MetadataImage>,
        endpoints: &[Endpoint],
    ) -> Result<(), OpenError> {
        let node = &self.settings.config.node;
        let publisher = MetadataPublisher { node: Arc::downgrade(self) };
        if !node.is_controller {
            MetadataFollower::start(self);
            self.lifecycle.join(registration::request(self, endpoints));
            return Ok(());
        }
        if !node.controller_listeners.is_empty() {
            ControllerTasks::start(self);
        }
        if self.controller.is_quorum() {
            self.controller.subscribe(Arc::new(publisher));
            quorum::start(self);
            if node.is_broker {
                self.lifecycle.join(registration::request(self, endpoints));
            }
            return Ok(());
        }
        if !node.is_broker {
            self.controller.subscribe(Arc::new(publisher));
            return registration::give_up_unserved_features(self);
        }
        let unfinished = publisher.open_existing(self, image, self.env.clock().wall())?;
        self.publishing.lock().unwrap_or_else(PoisonError::into_inner).begin_to_follow();
        self.controller.subscribe(Arc::new(publisher));
        registration::give_up_unserved_features(self)?;
        let epoch = registration::register(self, endpoints)?;
        registration::tell_directories(self);
        self.begin_work(unfinished);
        if !node.controller_listeners.is_empty() {
            self.lifecycle.resume(epoch);
        }
        Ok(())
    }

    /// What a broker does beside serving requests, once its logs are open.
    pub(crate) fn begin_work(self: &Arc<Self>, unfinished: Vec<(TopicPartition, DirIndex)>) {
        let links = PeerReplicationLinks { node: Arc::downgrade(self) };
        self.fetchers.connect(Arc::new(links));
        FailedDirs::watch(self);
        FullDisks::watch(self);
        self.resume_moves(unfinished);
        Housekeeping::start(self);
        Cleaners::start(self);
    }

    /// Ready once clients can be served here.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.lifecycle.poll_ready(cx)
    }

    /// Ready once the cluster knows this broker to be in service.
    pub fn poll_running(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.lifecycle.poll_running(cx)
    }

    /// Asks the controller to let others take over what this broker leads.
    pub fn begin_leaving(&self) {
        self.lifecycle.begin_leaving();
    }

    /// Ready once nothing is led here any more, as far as the controller can arrange it.
    pub fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.lifecycle.poll_gone(cx)
    }

    /// Requests to other nodes, for whoever drives the network.
    pub fn peers(&self) -> &Arc<Peers> {
        &self.peers
    }

    fn resume_moves(self: &Arc<Self>, unfinished: Vec<(TopicPartition, DirIndex)>) {
        for (id, target) in unfinished {
            let Some(partition) = self.partitions.get(&id.topic, id.partition) else { continue };
            if let Err(error) = self.moves.begin(&partition, target) {
                log::error!(target: "kafka.log.LogManager", "{id} stays where it is: {error}");
            }
        }
    }

    pub fn env(&self) -> &E {
        &self.env
    }

    pub fn timers(&self) -> &Arc<Timers> {
        &self.timers
    }

    /// What the rooms count. The shell adds what only it sees.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The log files that are open, which must leave room for connections.
    pub fn open_files(&self) -> &Arc<storage::OpenFiles<E::Disk>> {
        self.log_store.open_files()
    }

    /// Why the node must stop, once it must.
    pub fn halt(&self) -> &Halt {
        &self.halt
    }

    pub fn broker_id(&self) -> BrokerId {
        self.settings.broker_id()
    }

    /// The life of this broker that the metadata knows.
    pub(crate) fn broker_epoch(&self) -> BrokerEpoch {
        let image = self.metadata.image();
        image.cluster.broker(self.broker_id()).map_or(BrokerEpoch::NONE, |broker| broker.epoch)
    }

    pub fn cluster_id(&self) -> Uuid {
        self.settings.cluster_id
    }

    /// `socket.request.max.bytes`.
    pub fn request_bytes_max(&self) -> usize {
        self.settings.config.network.socket_request_max_bytes.max(0) as usize
    }

    /// The newest committed metadata.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.metadata.image()
    }

    /// Closes every log, so that the next start scans nothing. Requests that come later are
    /// refused.
    pub fn shutdown(&self) {
        let now = self.env.clock().wall();
        self.groups.unload_all();
        self.lease_wait.close(self.env.clock().mono());
        self.moves.suspend_all();
        for partition in self.partitions.all() {
            partition.settle(now);
            let closed = partition
                .take_log(ErrorCode::NotLeaderOrFollower, now)
                .map_or(Ok(()), storage::PartitionLog::close);
            if let Err(error) = closed {
                log::error!(target: "kafka.log.LogManager", "{}: {error}", partition.id);
            }
        }
        self.controller.close();
        self.log_store.close(self.broker_epoch().0);
    }
}

/// The world's chance, for those who need no more of the world.
struct Chance<E>(E);

impl<E: Env> Rng for Chance<E> {
    fn next_u64(&self) -> u64 {
        self.0.rng().next_u64()
    }
}
