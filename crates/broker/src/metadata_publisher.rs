//! Makes the broker follow the metadata: starts and stops partitions, refreshes their settings.

mod settings;

use std::sync::{Arc, PoisonError, Weak};

use consensus::{Epoch, NodeId, OutboundMessage};
use env::{Clock, Env};
use metadata::{Loaded, LocalPartition, MetadataImage, PartitionImage};
use protocol::messages::AssignReplicasToDirsRequest;
use replication::{PartitionState, RoleChange};
use storage::PartitionLog;
use types::{BrokerId, ErrorCode, PartitionEpoch, TopicPartition, Uuid, WallTime};

use crate::cluster::quorum;
use crate::controller_host::ImageSubscriber;
use crate::internal_topics::OFFSETS_TOPIC;
use crate::log_store::{DirIndex, OpenedLog};
use crate::node::{Node, OpenError};
use crate::partitions::{Partition, PartitionParts};
use crate::registration;
use crate::settings::PartitionSettings;
use crate::voter_endpoints;

/// Whether the partitions here follow the metadata. Held while they do, so that one change is made
/// after another.
#[derive(Debug, Default)]
pub struct Publishing {
    follows: bool,
}

impl Publishing {
    fn follows(&self) -> bool {
        self.follows
    }

    /// The logs are open.
    pub fn begin_to_follow(&mut self) {
        self.follows = true;
    }
}

/// Subscribes a node to its own controller, or to what it fetches from another.
///
/// The image is published between stopping and starting the rest: nobody finds a deleted topic's
/// partitions, and nobody is told of a new topic before it can be used.
#[doc(alias = "BrokerMetadataPublisher")]
pub struct MetadataPublisher<E: Env> {
    /// Weak: the node owns the controller host, which owns this.
    pub node: Weak<Node<E>>,
}

impl<E: Env> ImageSubscriber for MetadataPublisher<E> {
    fn handle_image(&self, loaded: &Loaded, now: WallTime) {
        let Some(node) = self.node.upgrade() else { return };
        let Loaded { delta, before, image } = loaded;
        node.controller_registration.handle_image(&node, image);
        let publishing = node.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        if !publishing.follows() {
            // The logs are opened by what is known then.
            node.metadata.publish(Arc::clone(image));
            drop(publishing);
            return node.lifecycle.handle_image(image);
        }
        count_group_partitions(&node, image);
        let changes = delta.topics().local_changes(&before.topics, node.broker_id());
        for partition in &changes.stop {
            stop(&node, partition, now);
        }
        // A set is never smaller than the metadata allows: the least size first, then the set.
        settings::refresh(&node, delta, image, now);
        for held in changes.lead.iter().chain(&changes.follow) {
            hold(&node, held, image, now);
        }
        let mono = node.env().clock().mono();
        for broker in newly_fenced(loaded) {
            node.lost_leaders.note_fenced(broker, mono);
        }
        node.metadata.publish(Arc::clone(image));
        node.expected_followers.note_led(&changes.lead, before, node.broker_id(), mono);
        node.lost_leaders.handle_new_leaders(mono);
        if !delta.cluster().is_empty() {
            // Whoever has come may be in sync already.
            node.isr_changes.note_hint();
            // Nobody waits for a broker that is gone.
            node.partitions.all().iter().for_each(|partition| partition.check_deletions());
        }
        forget_offsets(&node, &changes.stop);
        drop(publishing);
        if node.controller.is_quorum() || !node.controller.is_active() {
            // A lone controller asks for them itself.
            registration::tell_directories(&node);
        }
        node.lifecycle.handle_image(image);
    }

    fn take_assignments(&self) -> Option<AssignReplicasToDirsRequest> {
        let node = self.node.upgrade().filter(|node| !node.controller.is_quorum())?;
        let image = node.metadata.image();
        // Before the registration nothing is told: it has another epoch.
        let broker = image.cluster.broker(node.broker_id()).filter(|broker| !broker.fenced)?;
        node.assignments.take(broker.id, broker.epoch)
    }

    fn send(&self, message: OutboundMessage) {
        if let Some(node) = self.node.upgrade() {
            quorum::send(&node, message);
        }
    }

    fn handle_leader(&self, leader: Option<NodeId>, epoch: Epoch) {
        let Some(node) = self.node.upgrade() else { return };
        match leader {
            Some(leader) => {
                let quorum = node.controller.quorum();
                let at = voter_endpoints::address_of(leader, quorum.as_ref(), &node.settings);
                node.to_controller.handle_leader(BrokerId(leader.0), epoch.0, at);
                quorum::tell_where_we_listen(&node);
            }
            None if node.controller.is_active() => {
                node.to_controller.handle_leader_here(epoch.0);
                quorum::tell_where_we_listen(&node);
            }
            None => {}
        }
    }

    fn handle_fatal(&self, why: &str) {
        let Some(node) = self.node.upgrade() else { return };
        node.halt.because(format!(
            "the node stops · the metadata log has failed: {why} · check the disk, then start the \
             node again · METADATA_LOG_FAILED"
        ));
    }
}

impl<E: Env> MetadataPublisher<E> {
    /// Opens the logs by what is known of the metadata, and follows it from there on.
    ///
    /// # Errors
    /// A log cannot be opened.
    pub fn open_and_follow(&self, node: &Arc<Node<E>>) -> Result<(), OpenError> {
        let mut publishing = node.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let image = node.metadata.image();
        let unfinished = self.open_existing(node, &image, node.env().clock().wall())?;
        publishing.begin_to_follow();
        drop(publishing);
        node.begin_work(unfinished);
        registration::tell_directories(node);
        Ok(())
    }

    /// At the start: opens the logs on disk, and makes those that are missing. Returns the moves
    /// that are to begin anew.
    ///
    /// # Errors
    /// A log cannot be opened.
    pub fn open_existing(
        &self,
        node: &Node<E>,
        image: &Arc<MetadataImage>,
        now: WallTime,
    ) -> Result<Vec<(TopicPartition, DirIndex)>, OpenError> {
        count_group_partitions(node, image);
        node.throttles.set_rates(node.settings.replication_rates(image));
        let settings_of = |topic: &str| node.settings.for_topic(topic, image);
        let opened = node.log_store.open_logs(image, settings_of, now).map_err(OpenError::Logs)?;
        for OpenedLog { dir, topic_id, log, settings } in opened.logs {
            let id = log.partition().clone();
            let partition = image.topics.by_id(topic_id).and_then(|t| t.partition(id.partition));
            let Some(partition) = partition else { continue };
            let settings = node.settings.of_partition(settings, &id, image);
            take_up(node, (id, topic_id), partition, (dir, log), settings);
        }
        for topic in image.topics.iter() {
            for (index, partition) in topic.partitions() {
                if partition.replicas.contains(&node.broker_id()) {
                    let found = LocalPartition {
                        topic: Arc::clone(&topic.name),
                        topic_id: topic.id,
                        index,
                        image: Arc::clone(partition),
                        topic_deleted: false,
                        is_new: false,
                    };
                    hold(node, &found, image, now);
                }
            }
        }
        Ok(opened.unfinished_moves)
    }
}

fn count_group_partitions<E: Env>(node: &Node<E>, image: &MetadataImage) {
    let offsets = image.topics.by_name(OFFSETS_TOPIC);
    node.groups.set_partition_count(offsets.map_or(0, |topic| topic.partition_count()));
}

/// Serves a partition whose log was opened or made.
fn take_up<E: Env>(
    node: &Node<E>,
    (id, topic_id): (TopicPartition, Uuid),
    partition: &PartitionImage,
    (dir, log): (DirIndex, PartitionLog<E::Disk>),
    settings: PartitionSettings,
) {
    note_directory(node, topic_id, id.partition, partition, dir);
    let metrics = node.metrics.topics.of(&id.topic);
    let Some(commit) = node.log_store.commit_of(dir) else { return };
    // A sole replica has everything that ever was committed.
    let high_watermark = match partition.replicas.len() {
        1 => log.log_end(),
        _ => node.log_store.high_watermark(dir, &id).unwrap_or(log.log_start()),
    };
    let parts = PartitionParts {
        id,
        topic_id,
        dir,
        log,
        broker: node.broker_id(),
        state: state_of(partition),
        high_watermark,
        now: node.env().clock().mono(),
        settings,
        metrics,
        commit,
        on_synced: node.fetchers.on_synced(),
        isr_hint: node.isr_changes.hint(),
    };
    start(node, Partition::new(parts));
}

/// What the metadata says, as a replica takes it.
fn state_of(partition: &PartitionImage) -> PartitionState {
    PartitionState {
        leader: partition.leader,
        leader_epoch: partition.leader_epoch,
        partition_epoch: PartitionEpoch(partition.partition_epoch),
        replicas: partition.replicas.to_vec(),
        isr: partition.isr.to_vec(),
        recovering: partition.recovering,
    }
}

fn start<E: Env>(node: &Node<E>, partition: Arc<Partition<E::Disk>>) {
    node.partitions.insert(Arc::clone(&partition));
    node.fetchers.refresh(&partition);
    if *partition.id.topic == *OFFSETS_TOPIC && partition.leads() {
        node.groups.load(partition);
    }
}

/// Brokers that are out of service from this step on.
fn newly_fenced(step: &Loaded) -> impl Iterator<Item = BrokerId> {
    let is_fenced = |image: &MetadataImage, id| image.cluster.broker(id).is_some_and(|b| b.fenced);
    let changed = step.delta.cluster().brokers().keys().copied();
    changed.filter(move |id| is_fenced(&step.image, *id) && !is_fenced(&step.before, *id))
}

fn stop<E: Env>(node: &Node<E>, partition: &LocalPartition, now: WallTime) {
    let id = TopicPartition::new(Arc::clone(&partition.topic), partition.index);
    node.moves.cancel(&id);
    let Some(stopped) = node.partitions.remove(&id, partition.topic_id) else { return };
    if *partition.topic == *OFFSETS_TOPIC {
        node.groups.unload(partition.index);
    }
    node.fetchers.forget(&stopped);
    let Some(log) = stopped.take_log(ErrorCode::UnknownTopicOrPartition, now) else { return };
    if let Err(error) = node.log_store.delete(stopped.dir(), log) {
        log::error!(target: "kafka.log.LogManager", "cannot delete {id}: {error}");
    }
}

/// Lets a partition that has a replica here lead or follow as the metadata has it.
fn hold<E: Env>(node: &Node<E>, held: &LocalPartition, image: &Arc<MetadataImage>, now: WallTime) {
    let LocalPartition { topic_id, index, image: partition, .. } = held;
    let topic_id = *topic_id;
    let id = TopicPartition::new(Arc::clone(&held.topic), *index);
    if let Some(here) = node.partitions.get(&id.topic, id.partition) {
        return change_role(node, here, partition, now);
    }
    let settings = node.settings.for_partition(&id, image);
    let assigned = partition.directory_of(node.broker_id());
    let place = match node.log_store.place(assigned, held.is_new) {
        Ok(place) => place,
        Err(why) => return out_of_reach(node, id, topic_id, &why.to_string()),
    };
    match node.log_store.create(&id, topic_id, place, &settings, now) {
        Ok((dir, log)) => {
            take_up(node, (id, topic_id), partition, (dir, log), settings);
        }
        Err(error) => out_of_reach(node, id, topic_id, &error.to_string()),
    }
}

fn change_role<E: Env>(
    node: &Node<E>,
    here: Arc<Partition<E::Disk>>,
    partition: &PartitionImage,
    now: WallTime,
) {
    let mono = node.env().clock().mono();
    let change = here.handle_partition_state(&state_of(partition), mono, now);
    node.fetchers.refresh(&here);
    let is_of_groups = *here.id.topic == *OFFSETS_TOPIC;
    match change {
        Ok(RoleChange::Stale | RoleChange::SameReign) => {}
        Ok(RoleChange::Elected) if is_of_groups => {
            node.groups.unload(here.id.partition);
            node.groups.load(here);
        }
        Ok(RoleChange::Follows) if is_of_groups => node.groups.unload(here.id.partition),
        Ok(RoleChange::Elected | RoleChange::Follows) => {}
        Err(error) => {
            let id = &here.id;
            log::error!(target: "kafka.log.LogManager", "cannot begin an epoch of {id}: {error}");
        }
    }
}

/// Makes partitions that could not be made when they were to be, if they can be now.
pub fn make_unmade<E: Env>(node: &Node<E>) {
    let unmade = node.partitions.out_of_reach();
    if unmade.is_empty() {
        return;
    }
    let now = node.env().clock().wall();
    // No topic is deleted meanwhile.
    let _publishing = node.publishing.lock().unwrap_or_else(PoisonError::into_inner);
    let image = node.metadata.image();
    for (id, topic_id) in unmade {
        let topic = image.topics.by_id(topic_id);
        let Some(partition) = topic.and_then(|t| t.partition(id.partition)) else { continue };
        let settings = node.settings.for_partition(&id, &image);
        let assigned = partition.directory_of(node.broker_id());
        let Ok(place) = node.log_store.place(assigned, false) else { continue };
        // It was said before that there is no room.
        let made = node.log_store.create(&id, topic_id, place, &settings, now);
        if let Ok((dir, log)) = made {
            log::info!(target: "kafka.log.LogManager", "{id} is there now");
            take_up(node, (id, topic_id), partition, (dir, log), settings);
        }
    }
}

/// The partition is here and cannot be served: not a word of it may be made up.
fn out_of_reach<E: Env>(node: &Node<E>, id: TopicPartition, topic_id: Uuid, why: &str) {
    if node.partitions.set_out_of_reach(id.clone(), topic_id) {
        // One line a topic: with a thousand partitions the reason is the same.
        log::error!(
            target: "kafka.log.LogManager",
            "{id} is offline, perhaps with others of its topic · {why} · bring the directory back \
             or make room, or delete the topic · KAFKA_STORAGE_ERROR"
        );
    }
}

/// The controller is to know where a replica is: nobody must take it for lost, or make it anew.
fn note_directory<E: Env>(
    node: &Node<E>,
    topic_id: Uuid,
    index: i32,
    partition: &PartitionImage,
    dir: DirIndex,
) {
    if let Some(directory) = node.log_store.id_of(dir)
        && directory != partition.directory_of(node.broker_id())
    {
        node.assignments.add(topic_id, index, directory);
    }
}

/// Offsets of partitions that are gone are forgotten.
fn forget_offsets<E: Env>(node: &Node<E>, stopped: &[LocalPartition]) {
    let deleted: Vec<_> = stopped
        .iter()
        .filter(|partition| partition.topic_deleted)
        .map(|partition| TopicPartition::new(Arc::clone(&partition.topic), partition.index))
        .collect();
    if !deleted.is_empty() {
        node.groups.tell_all(|shard, now| shard.partitions_deleted(now, &deleted));
    }
}
