//! Makes the broker follow the metadata: starts and stops partitions, refreshes their settings.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use env::{Clock, Env};
use metadata::{
    ConfigResourceKind, Loaded, LocalPartition, MetadataDelta, MetadataImage, PartitionImage,
};
use protocol::messages::AssignReplicasToDirsRequest;
use storage::PartitionLog;
use types::{ErrorCode, TopicPartition, Uuid, WallTime};

use crate::controller_host::ImageSubscriber;
use crate::internal_topics::OFFSETS_TOPIC;
use crate::log_store::{DirIndex, OpenedLog};
use crate::node::{Node, OpenError};
use crate::partitions::{Partition, PartitionParts};
use crate::settings::PartitionSettings;

/// Subscribes a node to its own controller.
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
        let changes = delta.topics().local_changes(&before.topics, node.broker_id());
        for partition in &changes.stop {
            stop(&node, partition, now);
        }
        for led in &changes.lead {
            lead(&node, led, image, now);
        }
        node.metadata.publish(Arc::clone(image));
        forget_offsets(&node, &changes.stop);
        refresh_settings(&node, delta, image, now);
    }

    fn take_assignments(&self) -> Option<AssignReplicasToDirsRequest> {
        let node = self.node.upgrade()?;
        let image = node.metadata.image();
        // Before the registration nothing is told: it has another epoch.
        let broker = image.cluster.broker(node.broker_id()).filter(|broker| !broker.fenced)?;
        node.assignments.take(broker.id, broker.epoch)
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
        let settings_of = |topic: &str| node.settings.for_topic(topic, image);
        let opened = node.log_store.open_logs(image, settings_of, now).map_err(OpenError::Logs)?;
        for OpenedLog { dir, topic_id, log, settings } in opened.logs {
            let id = log.partition().clone();
            let partition = image.topics.by_id(topic_id).and_then(|t| t.partition(id.partition));
            let Some(partition) = partition else { continue };
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
                    lead(node, &found, image, now);
                }
            }
        }
        Ok(opened.unfinished_moves)
    }
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
    let leader_epoch = partition.leader_epoch;
    let metrics = node.metrics.topics.of(&id.topic);
    let Some(commit) = node.log_store.commit_of(dir) else { return };
    let parts = PartitionParts { id, topic_id, dir, log, leader_epoch, settings, metrics, commit };
    start(node, Partition::new(parts));
}

fn start<E: Env>(node: &Node<E>, partition: Arc<Partition<E::Disk>>) {
    node.partitions.insert(Arc::clone(&partition));
    if *partition.id.topic == *OFFSETS_TOPIC {
        node.groups.load(partition);
    }
}

fn stop<E: Env>(node: &Node<E>, partition: &LocalPartition, now: WallTime) {
    let id = TopicPartition::new(Arc::clone(&partition.topic), partition.index);
    node.moves.cancel(&id);
    let Some(stopped) = node.partitions.remove(&id, partition.topic_id) else { return };
    if *partition.topic == *OFFSETS_TOPIC {
        node.groups.unload(partition.index);
    }
    let Some(log) = stopped.take_log(ErrorCode::UnknownTopicOrPartition, now) else { return };
    if let Err(error) = node.log_store.delete(stopped.dir(), log) {
        log::error!(target: "kafka.log.LogManager", "cannot delete {id}: {error}");
    }
}

fn lead<E: Env>(node: &Node<E>, led: &LocalPartition, image: &Arc<MetadataImage>, now: WallTime) {
    let LocalPartition { topic_id, index, image: partition, .. } = led;
    let (topic_id, leader_epoch) = (*topic_id, partition.leader_epoch);
    let id = TopicPartition::new(Arc::clone(&led.topic), *index);
    if let Some(led) = node.partitions.get(&id.topic, id.partition) {
        return led.set_leader_epoch(leader_epoch);
    }
    let settings = node.settings.for_topic(&id.topic, image);
    let assigned = partition.directory_of(node.broker_id());
    let place = match node.log_store.place(assigned, led.is_new) {
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

/// Makes partitions that could not be made when they were to be, if they can be now.
pub fn make_unmade<E: Env>(node: &Node<E>) {
    let unmade = node.partitions.out_of_reach();
    if unmade.is_empty() {
        return;
    }
    let now = node.env().clock().wall();
    // Under the controller's lock: no topic is deleted meanwhile.
    node.controller.ask(|_| {
        let image = node.metadata.image();
        for (id, topic_id) in unmade {
            let topic = image.topics.by_id(topic_id);
            let Some(partition) = topic.and_then(|t| t.partition(id.partition)) else { continue };
            let settings = node.settings.for_topic(&id.topic, &image);
            let assigned = partition.directory_of(node.broker_id());
            let Ok(place) = node.log_store.place(assigned, false) else { continue };
            // It was said before that there is no room.
            let made = node.log_store.create(&id, topic_id, place, &settings, now);
            if let Ok((dir, log)) = made {
                log::info!(target: "kafka.log.LogManager", "{id} is there now");
                take_up(node, (id, topic_id), partition, (dir, log), settings);
            }
        }
    });
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

fn refresh_settings<E: Env>(
    node: &Node<E>,
    delta: &MetadataDelta,
    image: &Arc<MetadataImage>,
    now: WallTime,
) {
    let changed: Vec<_> = delta.configs().changed().map(|(resource, _)| resource).collect();
    if changed.is_empty() {
        return;
    }
    let broker_changed = changed.iter().any(|r| r.kind == ConfigResourceKind::Broker);
    let topics = changed.iter().filter(|r| r.kind == ConfigResourceKind::Topic);
    let topics: BTreeSet<&str> = topics.map(|resource| &*resource.name).collect();
    for partition in node.partitions.all() {
        if broker_changed || topics.contains(&*partition.id.topic) {
            let settings = node.settings.for_topic(&partition.id.topic, image);
            partition.set_settings(settings, now);
        }
    }
}
