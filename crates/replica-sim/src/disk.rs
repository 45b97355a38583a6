use replication::LogEnds;
use storage::LeaderEpochCache;
use types::{EpochEnd, LeaderEpoch, Offset};

use crate::chance::Chance;
use crate::message::Record;

/// The log of a replica and what its machine has of it on disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub records: Vec<Record>,
    /// Records that survive the loss of power.
    pub durable: usize,
    pub high_watermark_checkpoint: Offset,
    pub epochs: LeaderEpochCache,
    /// Something that had been synced is gone.
    pub is_damaged: bool,
    /// Epochs that have no records stay when records of earlier ones follow
    /// ([`Defect::EmptyEpochKept`](crate::Defect::EmptyEpochKept)).
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

    /// Cutting is durable before it is done.
    pub fn truncate_to(&mut self, to: Offset) {
        self.records.truncate(to.0 as usize);
        self.durable = self.durable.min(self.records.len());
        self.epochs.truncate_from_end(to);
    }

    pub fn end_of(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        self.epochs.end_of(epoch, self.log_end())
    }

    /// The power fails: of what was not synced some part at the beginning may be there.
    pub fn lose_power(&mut self, chance: &mut Chance) {
        let open = self.records.len() - self.durable;
        let kept = self.durable + chance.below(open as u64 + 1) as usize;
        self.records.truncate(kept);
    }

    /// Something that was synced cannot be read: all from there on is cut off.
    pub fn rot(&mut self, chance: &mut Chance) {
        if self.durable > 0 {
            self.records.truncate(chance.below(self.durable as u64) as usize);
            self.durable = self.records.len();
            self.is_damaged = true;
        }
    }

    pub fn wipe(&mut self) {
        self.empty();
        self.is_damaged = true;
    }

    /// The log is deleted, and with it all that was known of it.
    pub fn empty(&mut self) {
        let Disk { is_damaged, keeps_empty_epochs, .. } = *self;
        *self = Disk { is_damaged, keeps_empty_epochs, ..Disk::default() };
    }

    /// Recovery: epochs are read from the records, and what is there is synced.
    pub fn recover(&mut self) {
        self.durable = self.records.len();
        let mut epochs = LeaderEpochCache::default();
        for (offset, record) in self.records.iter().enumerate() {
            if epochs.latest().is_none_or(|latest| latest.epoch < record.epoch) {
                epochs.assign(record.epoch, Offset(offset as i64));
            }
        }
        self.epochs = epochs;
    }
}
