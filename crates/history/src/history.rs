use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::Value;

/// What a client did or was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<V = String> {
    /// A batch was sent; whether it arrived is open.
    Sent { partition: i32, values: Vec<V> },
    /// The broker says that the batch starts at this offset.
    Acked { partition: i32, base: i64, values: Vec<V> },
    /// The broker says that the batch is there, and the client was not told where.
    AckedSomewhere { partition: i32, values: Vec<V> },
    /// The broker says that it did not write the batch, and it was sent once.
    Refused { partition: i32, values: Vec<V> },
    /// A consumer was given this.
    Read { partition: i32, offset: i64, value: V },
    /// A consumer's client handed this out. It may have fetched it at any time before, and keep
    /// it for long.
    Delivered { reader: Rc<str>, partition: i32, offset: i64, value: V },
    /// The reader begins anew in this partition, wherever it likes.
    Began { reader: Rc<str>, partition: i32 },
    /// The reader was told that there is nothing where it stands.
    PlaceLost { reader: Rc<str>, partition: i32 },
    /// An idempotent producer was told that it may not go on: its numbers do not follow.
    SequenceRefused { producer: String, why: String },
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
    /// The broker says that these topics exist. It was asked after `asked` events.
    TopicsListed { names: BTreeSet<String>, asked: usize },
    /// What lies below may be gone from now on: DeleteRecords was sent.
    TrimSent { partition: i32, offset: i64 },
    /// The broker says that what lies below is gone.
    Trimmed { partition: i32, offset: i64 },
    /// The broker says that the log starts here.
    LogStart { partition: i32, offset: i64 },
    /// Whoever serves was up; what came first, an acknowledgement or the next fault, came after
    /// so long. So long is allowed.
    Served { after_ms: u64, allowed_ms: u64 },
    /// The group's commit was taken; how far is not owed.
    CommitTaken { group: String, partition: i32 },
    /// The faults are over.
    Healed,
    /// Long ago: what is served again only from here on was not served in time.
    TooLate,
    /// The power failed where acknowledgements are about the page cache only: what was not synced
    /// may be gone.
    PowerLost,
    /// The power failed where acknowledgements are about the disk: what one broker alone said
    /// (acks=1) may be gone.
    MemoryLost,
    /// Somebody else may lead: what one broker alone acknowledged may be gone, not what it showed
    /// to consumers.
    LeaderLost,
    /// All that was acknowledged is on disk: the process ended as it was asked to.
    Synced,
}

/// What happened after an event that may have taken back what it said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    power: bool,
    memory: bool,
    leader: bool,
}

impl Losses {
    /// Whether the record need not be there although it was acknowledged.
    pub fn excuse_ack<V: Value>(self, value: &V) -> bool {
        self.excuse_read(value) || (value.is_weak() && self.leader)
    }

    /// Whether the record need not be there although a consumer has it.
    pub fn excuse_read<V: Value>(self, value: &V) -> bool {
        self.power || (value.is_weak() && self.memory)
    }
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

    /// Each event with what may have taken it back by the end: nothing where acknowledged means on
    /// disk. In the page cache, what came before a loss of power may be gone, and then only that
    /// the rest is whole is promised.
    pub fn with_losses(&self) -> impl Iterator<Item = (&Event<V>, Losses)> {
        let mut later = Losses::default();
        let mut losses: Vec<Losses> = Vec::with_capacity(self.events.len());
        for event in self.events.iter().rev() {
            match event {
                Event::PowerLost => later.power = true,
                Event::MemoryLost => later.memory = true,
                Event::LeaderLost => later.leader = true,
                Event::Synced => later = Losses { leader: later.leader, ..Losses::default() },
                _ => {}
            }
            losses.push(later);
        }
        self.events.iter().zip(losses.into_iter().rev())
    }

    /// What happened after the faults, and in time.
    pub fn soon_after_healed(&self) -> &[Event<V>] {
        let healed = self.events.iter().rposition(|event| *event == Event::Healed);
        let since = &self.events[healed.map_or(self.events.len(), |position| position + 1)..];
        let end = since.iter().position(|event| *event == Event::TooLate);
        &since[..end.unwrap_or(since.len())]
    }

    /// The stretches between power losses.
    pub fn between_power_losses(&self) -> impl Iterator<Item = &[Event<V>]> {
        self.events.split(|event| *event == Event::PowerLost)
    }
}

/// Why records may be gone although nothing was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleanup {
    /// They stay until somebody asks for their deletion.
    #[default]
    None,
    /// The front of the log goes by age or size, too.
    Retention,
    /// The last record of each key stays.
    Compact,
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
    /// (partition, broker) → the batches in that replica's own log, where nobody looked at records.
    pub batches: BTreeMap<(i32, i32), Vec<ReplicaBatch>>,
    /// What the topic is told to do with its records.
    pub cleanup: Cleanup,
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

/// A batch as it lies in the log of one replica: a follower writes the bytes that its leader sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaBatch {
    pub first: i64,
    pub last: i64,
    pub leader_epoch: i32,
    pub checksum: u32,
}

impl<V> Default for FinalState<V> {
    fn default() -> Self {
        FinalState {
            records: BTreeMap::new(),
            bounds: BTreeMap::new(),
            replicas: BTreeMap::new(),
            batches: BTreeMap::new(),
            cleanup: Cleanup::None,
            committed: BTreeMap::new(),
            topics: BTreeSet::new(),
            by_timestamp: BTreeMap::new(),
            timestamps: BTreeMap::new(),
        }
    }
}
