use std::collections::{BTreeMap, BTreeSet};

use metadata::{Loaded, PartitionImage, TopicImage, TopicsImage};
use types::{BrokerId, Uuid};

/// A partition by its topic's id and its index.
pub(crate) type PartitionKey = (Uuid, i32);

/// Which partitions a broker's coming and going concerns, so that nobody looks through all.
///
/// **Invariant:** a function of the image's topics; every list is in key order.
#[doc(alias = "BrokersToIsrs")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BrokerPartitions {
    /// Partitions that a broker leads, is in sync for, or is an eligible leader of.
    seats: BTreeMap<BrokerId, BTreeSet<PartitionKey>>,
    leaderships: BTreeMap<BrokerId, usize>,
    leaderless: BTreeSet<PartitionKey>,
    /// Led by another than the preferred replica.
    imbalanced: BTreeSet<PartitionKey>,
}

impl BrokerPartitions {
    pub(crate) fn of(topics: &TopicsImage) -> BrokerPartitions {
        let mut index = BrokerPartitions::default();
        topics.iter().for_each(|topic| index.add_topic(topic));
        index
    }

    pub(crate) fn is_that_of(&self, topics: &TopicsImage) -> bool {
        *self == BrokerPartitions::of(topics)
    }

    /// Takes in a step from one image to the next.
    pub(crate) fn apply(&mut self, loaded: &Loaded) {
        let delta = loaded.delta.topics();
        for topic in delta.deleted().values() {
            topic.partitions().for_each(|(at, partition)| self.remove((topic.id, at), partition));
        }
        for (id, changed) in delta.changed() {
            let before = loaded.before.topics.by_id(*id).filter(|_| !changed.created);
            for (at, partition) in changed.partitions() {
                if let Some(before) = before.and_then(|topic| topic.partition(at)) {
                    self.remove((*id, at), before);
                }
                self.add((*id, at), partition);
            }
        }
    }

    /// Partitions in which `broker` has a say.
    pub(crate) fn seats(&self, broker: BrokerId) -> impl Iterator<Item = PartitionKey> {
        self.seats.get(&broker).into_iter().flatten().copied()
    }

    pub(crate) fn leads_any(&self, broker: BrokerId) -> bool {
        self.leaderships.contains_key(&broker)
    }

    pub(crate) fn leaderless(&self) -> impl Iterator<Item = PartitionKey> {
        self.leaderless.iter().copied()
    }

    pub(crate) fn imbalanced(&self) -> impl Iterator<Item = PartitionKey> {
        self.imbalanced.iter().copied()
    }

    fn add_topic(&mut self, topic: &TopicImage) {
        topic.partitions().for_each(|(at, partition)| self.add((topic.id, at), partition));
    }

    fn add(&mut self, key: PartitionKey, partition: &PartitionImage) {
        for broker in holders(partition) {
            self.seats.entry(*broker).or_default().insert(key);
        }
        match partition.leader {
            Some(leader) => *self.leaderships.entry(leader).or_default() += 1,
            None => {
                self.leaderless.insert(key);
            }
        }
        if is_imbalanced(partition) {
            self.imbalanced.insert(key);
        }
    }

    fn remove(&mut self, key: PartitionKey, partition: &PartitionImage) {
        for broker in holders(partition) {
            let Some(seats) = self.seats.get_mut(broker) else { continue };
            seats.remove(&key);
            if seats.is_empty() {
                self.seats.remove(broker);
            }
        }
        if let Some(leader) = partition.leader {
            let left = self.leaderships.get(&leader).map_or(0, |count| count - 1);
            match left {
                0 => self.leaderships.remove(&leader),
                left => self.leaderships.insert(leader, left),
            };
        }
        self.leaderless.remove(&key);
        self.imbalanced.remove(&key);
    }
}

/// A leader is always in sync.
fn holders(partition: &PartitionImage) -> impl Iterator<Item = &BrokerId> {
    partition.isr.iter().chain(partition.elr()).chain(&partition.leader)
}

fn is_imbalanced(partition: &PartitionImage) -> bool {
    partition.leader.is_some() && partition.leader != partition.preferred_leader()
}
