use std::sync::Arc;

use types::{BrokerId, TopicName, Uuid};

use crate::{PartitionImage, TopicImage, TopicsDelta, TopicsImage};

/// What a delta asks of one broker's replicas.
///
/// Each list is in topic id order, then by partition. A partition that was recreated under its
/// name appears under its old id in `stop` and under its new id in `lead` or `follow`; stop first.
#[derive(Clone, Debug, Default)]
pub struct LocalReplicaChanges {
    /// The broker holds these no more.
    pub stop: Vec<LocalPartition>,
    pub lead: Vec<LocalPartition>,
    /// Also partitions that nobody leads.
    pub follow: Vec<LocalPartition>,
}

/// A partition that the broker holds, or held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPartition {
    pub topic: TopicName,
    pub topic_id: Uuid,
    pub index: i32,
    pub image: Arc<PartitionImage>,
    /// The topic is gone, or the replica moved away: its bytes may go too.
    pub topic_deleted: bool,
    /// The broker did not hold it before this delta.
    pub is_new: bool,
}

impl TopicsDelta {
    /// What this delta, built on `base`, asks of `broker`.
    pub fn local_changes(&self, base: &TopicsImage, broker: BrokerId) -> LocalReplicaChanges {
        let mut changes = LocalReplicaChanges::default();
        for topic in self.deleted().values() {
            for (index, image) in topic.partitions() {
                if image.replicas.contains(&broker) {
                    changes.stop.push(LocalPartition {
                        topic_deleted: true,
                        ..local(topic, index, image, false)
                    });
                }
            }
        }
        for delta in self.changed().values() {
            let before = base.by_id(delta.topic.id).filter(|_| !delta.created);
            for (index, image) in delta.partitions() {
                let before = before.and_then(|topic| topic.partition(index));
                let held = before.is_some_and(|image| image.replicas.contains(&broker));
                let holds = image.replicas.contains(&broker);
                let partition = local(&delta.topic, index, image, !held);
                match (holds, image.leader == Some(broker)) {
                    (true, true) => changes.lead.push(partition),
                    (true, false) => changes.follow.push(partition),
                    (false, _) if held => changes.stop.push(partition),
                    (false, _) => {}
                }
            }
        }
        changes
    }
}

fn local(
    topic: &TopicImage,
    index: i32,
    image: &Arc<PartitionImage>,
    is_new: bool,
) -> LocalPartition {
    LocalPartition {
        topic: Arc::clone(&topic.name),
        topic_id: topic.id,
        index,
        image: Arc::clone(image),
        topic_deleted: false,
        is_new,
    }
}
