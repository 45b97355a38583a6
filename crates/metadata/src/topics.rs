//! Topics and their partitions.

mod delta;
mod local_changes;
mod partition;

use std::sync::Arc;

use types::{TopicName, Uuid};

use crate::OrderedMap;

pub use delta::{TopicDelta, TopicsDelta};
pub use local_changes::{LocalPartition, LocalReplicaChanges};
pub use partition::{LEADER_UNCHANGED, NO_LEADER, PartitionImage, RECOVERED, RECOVERING};

/// One topic as of an image.
///
/// **Invariant:** partition indexes are dense: the place in `partitions` is the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    pub name: TopicName,
    pub id: Uuid,
    partitions: Vec<Arc<PartitionImage>>,
}

impl TopicImage {
    pub fn partition(&self, index: i32) -> Option<&Arc<PartitionImage>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }

    /// With their indexes, in order.
    pub fn partitions(&self) -> impl Iterator<Item = (i32, &Arc<PartitionImage>)> {
        (0..).zip(&self.partitions)
    }

    pub fn partition_count(&self) -> i32 {
        // Bounded by limits::TOPIC_PARTITIONS_MAX when they are added.
        self.partitions.len() as i32
    }

    /// The number of replicas of partition 0, which is what Kafka calls the topic's.
    pub fn replication_factor(&self) -> i16 {
        self.partitions.first().map_or(0, |p| i16::try_from(p.replicas.len()).unwrap_or(i16::MAX))
    }
}

/// All topics, by id and by name.
///
/// **Invariant:** both maps hold the same topics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicsImage {
    by_id: OrderedMap<Uuid, Arc<TopicImage>>,
    by_name: OrderedMap<TopicName, Arc<TopicImage>>,
    partition_count: usize,
}

impl TopicsImage {
    pub fn by_id(&self, id: Uuid) -> Option<&Arc<TopicImage>> {
        self.by_id.get(&id)
    }

    pub fn by_name(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.by_name.get(name)
    }

    /// In name order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.by_name.values()
    }

    /// The topics named `first` or later, in name order: a page of `DescribeTopicPartitions`.
    pub fn iter_from(&self, first: &str) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.by_name.iter_from(first).map(|(_, topic)| topic)
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Of all topics together.
    pub fn partition_count(&self) -> usize {
        self.partition_count
    }

    /// This image with `delta` in it. `delta` must have been built on this image.
    pub fn apply(&self, delta: &TopicsDelta) -> TopicsImage {
        let mut image = self.clone();
        // First out, then in: a topic may have been deleted and made anew under its name.
        for id in delta.deleted().keys() {
            if let Some(old) = image.by_id.remove(id) {
                image.by_name.remove(&*old.name);
                image.partition_count -= old.partitions.len();
            }
        }
        for (id, changed) in delta.changed() {
            let topic = &changed.topic;
            image.by_name.insert(Arc::clone(&topic.name), Arc::clone(topic));
            let old = image.by_id.insert(*id, Arc::clone(topic));
            image.partition_count += topic.partitions.len();
            image.partition_count -= old.map_or(0, |old| old.partitions.len());
        }
        image
    }
}
