//! Which partitions live here. Finds, adds and removes; nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use env::Disk;
use types::{TopicName, TopicPartition, Uuid};

use super::Partition;

/// Lookup of this broker's partitions by name. Not a manager: acks live with the partition, waits
/// in
/// `fetch_wait`, starting and stopping in `metadata_publisher`.
#[doc(alias = "ReplicaManager")]
pub struct PartitionTable<D: Disk> {
    topics: RwLock<BTreeMap<TopicName, Topic<D>>>,
}

struct Topic<D: Disk> {
    id: Uuid,
    partitions: BTreeMap<i32, Arc<Partition<D>>>,
}

impl<D: Disk> Default for PartitionTable<D> {
    fn default() -> Self {
        PartitionTable { topics: RwLock::default() }
    }
}

impl<D: Disk> PartitionTable<D> {
    pub fn get(&self, topic: &str, partition: i32) -> Option<Arc<Partition<D>>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.get(topic)?.partitions.get(&partition).cloned()
    }

    pub fn insert(&self, partition: Arc<Partition<D>>) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let topic = topics
            .entry(Arc::clone(&partition.id.topic))
            .or_insert_with(|| Topic { id: partition.topic_id, partitions: BTreeMap::new() });
        topic.id = partition.topic_id;
        topic.partitions.insert(partition.id.partition, partition);
    }

    /// Takes a partition out, unless one of a newer topic of that name has taken its place.
    pub fn remove(&self, id: &TopicPartition, topic_id: Uuid) -> Option<Arc<Partition<D>>> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let topic = topics.get_mut(&id.topic).filter(|topic| topic.id == topic_id)?;
        let removed = topic.partitions.remove(&id.partition);
        if topic.partitions.is_empty() {
            topics.remove(&id.topic);
        }
        removed
    }

    /// All partitions, in name order.
    pub fn all(&self) -> Vec<Arc<Partition<D>>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.values().flat_map(|topic| topic.partitions.values().cloned()).collect()
    }
}
