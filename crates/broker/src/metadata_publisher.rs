//! Makes the broker follow the metadata: starts and stops partitions, refreshes their settings.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use env::Env;
use metadata::{
    ConfigResourceKind, Loaded, LocalPartition, MetadataDelta, MetadataImage, PartitionImage,
};
use types::{ErrorCode, TopicPartition, Uuid, WallTime};

use crate::controller_host::ImageSubscriber;
use crate::internal_topics::OFFSETS_TOPIC;
use crate::log_store::OpenedLog;
use crate::node::{Node, OpenError};
use crate::partitions::{Partition, PartitionParts};

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
        for LocalPartition { topic, topic_id, index, image: partition, .. } in &changes.lead {
            let id = TopicPartition::new(Arc::clone(topic), *index);
            lead(&node, id, *topic_id, partition, image, now);
        }
        node.metadata.publish(Arc::clone(image));
        forget_offsets(&node, &changes.stop);
        refresh_settings(&node, delta, image, now);
    }
}

impl<E: Env> MetadataPublisher<E> {
    /// At the start: opens the logs on disk, and makes those that are missing.
    ///
    /// # Errors
    /// A log cannot be opened.
    pub fn open_existing(
        &self,
        node: &Node<E>,
        image: &Arc<MetadataImage>,
        now: WallTime,
    ) -> Result<(), OpenError> {
        let settings_of = |topic: &str| node.settings.for_topic(topic, image);
        let opened = node.log_store.open_logs(image, settings_of, now).map_err(OpenError::Logs)?;
        for OpenedLog { dir, topic_id, log, settings } in opened {
            let id = log.partition().clone();
            let partition = image.topics.by_id(topic_id).and_then(|t| t.partition(id.partition));
            let Some(partition) = partition else { continue };
            let leader_epoch = partition.leader_epoch;
            let metrics = node.metrics.topics.of(&id.topic);
            let parts = PartitionParts { id, topic_id, dir, log, leader_epoch, settings, metrics };
            start(node, Partition::new(parts));
        }
        for topic in image.topics.iter() {
            for (index, partition) in topic.partitions() {
                if partition.replicas.contains(&node.broker_id()) {
                    let id = TopicPartition::new(Arc::clone(&topic.name), index);
                    lead(node, id, topic.id, partition, image, now);
                }
            }
        }
        Ok(())
    }
}

fn start<E: Env>(node: &Node<E>, partition: Partition<E::Disk>) {
    let partition = Arc::new(partition);
    node.partitions.insert(Arc::clone(&partition));
    if *partition.id.topic == *OFFSETS_TOPIC {
        node.groups.load(partition);
    }
}

fn stop<E: Env>(node: &Node<E>, partition: &LocalPartition, now: WallTime) {
    let id = TopicPartition::new(Arc::clone(&partition.topic), partition.index);
    let Some(stopped) = node.partitions.remove(&id, partition.topic_id) else { return };
    if *partition.topic == *OFFSETS_TOPIC {
        node.groups.unload(partition.index);
    }
    let Some(log) = stopped.take_log(ErrorCode::UnknownTopicOrPartition, now) else { return };
    if let Err(error) = node.log_store.delete(stopped.dir(), log) {
        log::error!(target: "kafka.log.LogManager", "cannot delete {id}: {error}");
    }
}

fn lead<E: Env>(
    node: &Node<E>,
    id: TopicPartition,
    topic_id: Uuid,
    partition: &PartitionImage,
    image: &Arc<MetadataImage>,
    now: WallTime,
) {
    let leader_epoch = partition.leader_epoch;
    if let Some(led) = node.partitions.get(&id.topic, id.partition) {
        return led.set_leader_epoch(leader_epoch);
    }
    let settings = node.settings.for_topic(&id.topic, image);
    match node.log_store.create(&id, topic_id, &settings, now) {
        Ok((dir, log)) => {
            let metrics = node.metrics.topics.of(&id.topic);
            let parts = PartitionParts { id, topic_id, dir, log, leader_epoch, settings, metrics };
            start(node, Partition::new(parts));
        }
        Err(error) => log::error!(target: "kafka.log.LogManager", "cannot make {id}: {error}"),
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
