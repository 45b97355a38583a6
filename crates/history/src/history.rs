use std::collections::{BTreeMap, BTreeSet};

use crate::Value;

/// What a client did or was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<V = String> {
    /// A batch was sent; whether it arrived is open.
    Sent { partition: i32, values: Vec<V> },
    /// The broker says that the batch starts at this offset.
    Acked { partition: i32, base: i64, values: Vec<V> },
    /// The broker says that it did not write the batch, and it was sent once.
    Refused { partition: i32, values: Vec<V> },
    /// A consumer was given this.
    Read { partition: i32, offset: i64, value: V },
    /// The broker says that this offset is committed for the group.
    Committed { group: String, partition: i32, offset: i64 },
    /// The group may have this offset from now on: a commit of it was sent.
    CommitSent { group: String, partition: i32, offset: i64 },
    /// The group was told that this is where it stands. It asked after `asked` events.
    Resumed { group: String, partition: i32, offset: i64, asked: usize },
    /// The member was told that these partitions are its own in this generation.
    Assigned { group: String, generation: i32, member: String, partitions: Vec<i32> },
    /// The broker says that the topic exists.
    TopicCreated { name: String },
    /// A deletion was sent; whether it arrived is open.
    TopicDeletionSent { name: String },
    /// The broker says that the topic is gone.
    TopicDeleted { name: String },
    /// The faults are over.
    Healed,
    /// The power failed where acknowledgements are about the page cache only: what was not synced
    /// may be gone.
    PowerLost,
}

/// Everything that happened, in order.
#[derive(Clone, Debug)]
pub struct History<V = String> {
    events: Vec<Event<V>>,
}

impl<V> Default for History<V> {
    fn default() -> Self {
        History { events: Vec::new() }
    }
}

impl<V: Value> History<V> {
    pub fn note(&mut self, event: Event<V>) {
        self.events.push(event);
    }

    pub fn events(&self) -> &[Event<V>] {
        &self.events
    }

    /// What is still promised: all of it where acknowledged means on disk. In the page cache, what
    /// came before a power loss may be gone, and then only that the rest is whole is promised.
    pub fn since_power_loss(&self) -> &[Event<V>] {
        let lost = self.events.iter().rposition(|event| *event == Event::PowerLost);
        &self.events[lost.map_or(0, |position| position + 1)..]
    }

    /// What happened after the faults.
    pub fn since_healed(&self) -> &[Event<V>] {
        let healed = self.events.iter().rposition(|event| *event == Event::Healed);
        &self.events[healed.map_or(self.events.len(), |position| position + 1)..]
    }

    /// The stretches between power losses.
    pub fn between_power_losses(&self) -> impl Iterator<Item = &[Event<V>]> {
        self.events.split(|event| *event == Event::PowerLost)
    }
}

/// What is there at the end, after the faults have stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalState<V = String> {
    /// Partition → (offset, value) in the order an ordinary client read them.
    pub records: BTreeMap<i32, Vec<(i64, V)>>,
    /// Partition → (log start, log end) as ListOffsets says.
    pub bounds: BTreeMap<i32, (i64, i64)>,
    /// (partition, broker) → what lies in that replica's own log.
    pub replicas: BTreeMap<(i32, i32), Vec<ReplicaRecord<V>>>,
    /// (group, partition) → committed offset; −1 if none.
    pub committed: BTreeMap<(String, i32), i64>,
    /// Names of the topics that clients see.
    pub topics: BTreeSet<String>,
    /// Partition → (timestamp, offset) pairs that ListOffsets gave for timestamps of records.
    pub by_timestamp: BTreeMap<i32, Vec<(i64, i64)>>,
    /// Partition → timestamps of the records, in the order of `records`.
    pub timestamps: BTreeMap<i32, Vec<i64>>,
}

/// A record as it lies in the log of one replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaRecord<V = String> {
    pub offset: i64,
    pub leader_epoch: i32,
    pub value: V,
}

impl<V> Default for FinalState<V> {
    fn default() -> Self {
        FinalState {
            records: BTreeMap::new(),
            bounds: BTreeMap::new(),
            replicas: BTreeMap::new(),
            committed: BTreeMap::new(),
            topics: BTreeSet::new(),
            by_timestamp: BTreeMap::new(),
            timestamps: BTreeMap::new(),
        }
    }
}
