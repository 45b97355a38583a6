//! Which partitions live here. Finds, adds and removes; nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use env::Disk;
use types::{ErrorCode, TopicName, TopicPartition, Uuid};

use super::Partition;
use super::early_refusals::EarlyRefusals;

/// Lookup of this broker's partitions by name. Not a manager: acks live with the partition, waits
/// in
/// `fetch_wait`, starting and stopping in `metadata_publisher`.
#[doc(alias = "ReplicaManager")]
pub struct PartitionTable<D: Disk> {
    topics: RwLock<BTreeMap<TopicName, Topic<D>>>,
    /// Partitions that belong here and cannot be opened or made: their directory is out of use, or
    /// there was no room.
    out_of_reach: RwLock<BTreeMap<TopicPartition, Uuid>>,
    /// What was refused because a partition was not found.
    pub early_refusals: EarlyRefusals,
}

struct Topic<D: Disk> {
    id: Uuid,
    partitions: BTreeMap<i32, Arc<Partition<D>>>,
}

impl<D: Disk> Default for PartitionTable<D> {
    fn default() -> Self {
        PartitionTable {
            topics: RwLock::default(),
            out_of_reach: RwLock::default(),
            early_refusals: EarlyRefusals::default(),
        }
    }
}

impl<D: Disk> PartitionTable<D> {
    pub fn get(&self, topic: &str, partition: i32) -> Option<Arc<Partition<D>>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.get(topic)?.partitions.get(&partition).cloned()
    }

    /// # Errors
    /// `KAFKA_STORAGE_ERROR` – it belongs here, out of reach.
    /// `UNKNOWN_TOPIC_OR_PARTITION` – it does not.
    pub fn find(&self, topic: &str, partition: i32) -> Result<Arc<Partition<D>>, ErrorCode> {
        if let Some(found) = self.get(topic, partition) {
            return match found.check_here() {
                Err(ErrorCode::KafkaStorageError) => Err(ErrorCode::KafkaStorageError),
                _ => Ok(found),
            };
        }
        let lost = self.out_of_reach.read().unwrap_or_else(PoisonError::into_inner);
        match !lost.is_empty() && lost.contains_key(&TopicPartition::new(topic, partition)) {
            true => Err(ErrorCode::KafkaStorageError),
            false => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    /// Notes that a partition belongs here and cannot be served. True if it is the first of its
    /// topic.
    pub fn set_out_of_reach(&self, id: TopicPartition, topic_id: Uuid) -> bool {
        let mut lost = self.out_of_reach.write().unwrap_or_else(PoisonError::into_inner);
        let from = TopicPartition { topic: Arc::clone(&id.topic), partition: 0 };
        let is_first = lost.range(from..).next().is_none_or(|(other, _)| other.topic != id.topic);
        lost.insert(id, topic_id);
        is_first
    }

    /// Partitions that belong here and cannot be served, in name order.
    pub fn out_of_reach(&self) -> Vec<(TopicPartition, Uuid)> {
        let lost = self.out_of_reach.read().unwrap_or_else(PoisonError::into_inner);
        lost.iter().map(|(id, topic)| (id.clone(), *topic)).collect()
    }

    pub fn insert(&self, partition: Arc<Partition<D>>) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let topic = topics
            .entry(Arc::clone(&partition.id.topic))
            .or_insert_with(|| Topic { id: partition.topic_id, partitions: BTreeMap::new() });
        topic.id = partition.topic_id;
        let mut lost = self.out_of_reach.write().unwrap_or_else(PoisonError::into_inner);
        lost.remove(&partition.id);
        topic.partitions.insert(partition.id.partition, partition);
    }

    /// Takes a partition out, unless one of a newer topic of that name has taken its place.
    pub fn remove(&self, id: &TopicPartition, topic_id: Uuid) -> Option<Arc<Partition<D>>> {
        let mut lost = self.out_of_reach.write().unwrap_or_else(PoisonError::into_inner);
        if lost.get(id) == Some(&topic_id) {
            lost.remove(id);
        }
        drop(lost);
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let topic = topics.get_mut(&id.topic).filter(|topic| topic.id == topic_id)?;
        let removed = topic.partitions.remove(&id.partition);
        if topic.partitions.is_empty() {
            topics.remove(&id.topic);
        }
        removed
    }

    /// Those that this broker leads, in name order.
    pub fn led(&self) -> Vec<Arc<Partition<D>>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let all = topics.values().flat_map(|topic| topic.partitions.values());
        all.filter(|partition| partition.leads()).cloned().collect()
    }

    /// All partitions, in name order.
    pub fn all(&self) -> Vec<Arc<Partition<D>>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.values().flat_map(|topic| topic.partitions.values().cloned()).collect()
    }
}
