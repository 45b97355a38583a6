use replication::{FetchAnswer, FetchFrom, IsrOutcome, IsrProposal, LogEnds, Replica};
use storage::LeaderEpochCache;
use types::{EpochEnd, LeaderEpoch, Offset, PartitionEpoch};

use crate::replicas::BROKERS;
use crate::replicas::decider::Metadata;

/// The whole of a small world at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub metadata: Metadata,
    pub brokers: [Broker; BROKERS],
    /// Changes of the in-sync set and their answers on their way, in any order.
    pub alters: Vec<Alter>,
    /// What was ever shown to be committed.
    pub committed: Vec<Record>,
    pub spent: Spent,
    /// What somebody saw that must not be.
    pub broken: Option<&'static str>,
}

/// What there is a bound on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spent {
    pub records: u8,
    pub crashes: u8,
    pub wipes: u8,
    pub suspicions: u8,
    pub alters: u8,
    pub doubts: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub epoch: LeaderEpoch,
    /// No two are equal.
    pub value: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Broker {
    pub life: u8,
    pub disk: Disk,
    pub process: Option<Process>,
    /// The process before said good-bye.
    pub stopped_cleanly: bool,
    /// Its disk has been replaced, and nobody has heard of it yet.
    pub is_wiped: bool,
}

/// What a crash takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    pub seen: Metadata,
    /// What it saw before; only where a defect makes something of it.
    pub seen_before: Option<Metadata>,
    pub replica: Replica,
    /// It has asked its leader once whether their logs differ; only where a defect makes something
    /// of it.
    pub has_compared: bool,
    /// The change of the in-sync set whose answer it waits for.
    pub altering: Option<PartitionEpoch>,
    pub answer: Option<Answer>,
    /// What consumers were shown here beyond the machine's high watermark.
    pub shown: Offset,
}

/// An answer to a fetch, on its way to the follower.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    pub asked: FetchFrom,
    pub answer: FetchAnswer,
    pub records: Vec<Record>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Alter {
    Asked { by: usize, life: u8, proposal: IsrProposal },
    Told { by: usize, life: u8, asked: PartitionEpoch, outcome: IsrOutcome },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    pub records: Vec<Record>,
    pub durable: usize,
    pub checkpoint: Offset,
    pub epochs: LeaderEpochCache,
    /// [`Defect::EmptyEpochKept`](crate::replicas::Defect::EmptyEpochKept).
    pub keeps_empty_epochs: bool,
}

impl Disk {
    pub fn log_end(&self) -> Offset {
        Offset(self.records.len() as i64)
    }

    pub fn ends(&self) -> LogEnds {
        LogEnds {
            log_start: Offset::ZERO,
            log_end: self.log_end(),
            durable: Offset(self.durable as i64),
            last_epoch: self.last_epoch(),
        }
    }

    fn last_epoch(&self) -> LeaderEpoch {
        let Some(last) = self.records.last() else { return LeaderEpoch::NONE };
        // A log on disk asks its cache.
        let cached = self.epochs.epoch_at(self.log_end().plus(-1));
        cached.filter(|_| self.keeps_empty_epochs).unwrap_or(last.epoch)
    }

    pub fn append(&mut self, record: Record) {
        let end = self.log_end();
        if !self.keeps_empty_epochs {
            self.epochs.note_batch(record.epoch, end, end);
        } else if self.epochs.latest().is_none_or(|latest| latest.epoch < record.epoch) {
            self.epochs.assign(record.epoch, end);
        }
        self.records.push(record);
    }

    pub fn truncate_to(&mut self, to: Offset) {
        self.records.truncate(to.0 as usize);
        self.durable = self.durable.min(self.records.len());
        self.epochs.truncate_from_end(to);
    }

    pub fn end_of(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        self.epochs.end_of(epoch, self.log_end())
    }

    /// What is there is synced, and epochs are read from the records.
    pub fn recover(&mut self) {
        self.durable = self.records.len();
        self.epochs = LeaderEpochCache::default();
        for (offset, record) in (0_i64..).zip(&self.records) {
            if self.epochs.latest().is_none_or(|latest| latest.epoch < record.epoch) {
                self.epochs.assign(record.epoch, Offset(offset));
            }
        }
    }

    /// Whether it holds all of `records` so that no loss of power takes them.
    pub fn keeps(&self, records: &[Record]) -> bool {
        self.records.starts_with(records) && self.durable >= records.len()
    }
}

impl World {
    pub fn broken(&mut self, what: &'static str) {
        self.broken.get_or_insert(what);
    }

    pub fn send(&mut self, alter: Alter) {
        self.alters.push(alter);
        // Nothing orders them on their way: worlds that differ in that alone are one.
        self.alters.sort_unstable_by_key(|alter| match alter {
            Alter::Asked { by, life, proposal } => {
                (*by, *life, proposal.partition_epoch, 0, proposal.isr.len())
            }
            Alter::Told { by, life, asked, outcome } => {
                let kind = match outcome {
                    IsrOutcome::Committed { .. } => 1,
                    IsrOutcome::Refused(_) => 2,
                    IsrOutcome::Unanswered => 3,
                };
                (*by, *life, *asked, kind, 0)
            }
        });
    }
}
