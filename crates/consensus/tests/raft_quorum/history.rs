use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use consensus::{CommittedBatch, Epoch, NodeId};
use types::Offset;

/// What all nodes together have seen, and whether it may be.
#[derive(Default)]
pub struct History {
    /// The one sequence of batches, as far as any node delivered it.
    pub agreed: Vec<CommittedBatch>,
    leaders: BTreeMap<Epoch, NodeId>,
    /// Ids that were acknowledged, and where.
    pub acked: BTreeMap<Bytes, Offset>,
    seen: BTreeSet<Bytes>,
    pub violations: Vec<String>,
}

impl History {
    pub fn violate(&mut self, why: String) {
        self.violations.push(why);
    }

    /// `node` was told that it leads.
    pub fn note_leader(&mut self, node: NodeId, epoch: Epoch, next: Offset) {
        if let Some(other) = self.leaders.insert(epoch, node) {
            self.violate(format!("epoch {epoch} has two reigns: of {other} and of {node}"));
        }
        // Whoever leads in the newest epoch knows all that was ever acknowledged.
        if self.leaders.keys().next_back() == Some(&epoch) {
            let acked = self.acked.values().max().copied();
            if acked.is_some_and(|acked| acked >= next) {
                self.violate(format!("{node} leads from {next} and misses {acked:?}"));
            }
        }
    }

    /// `node` delivered `batch` as its `at`-th.
    pub fn note_commit(&mut self, node: NodeId, at: usize, batch: &CommittedBatch) {
        match self.agreed.get(at) {
            Some(agreed) if agreed == batch => {}
            Some(agreed) => {
                let (agreed, own) = (summary(agreed), summary(batch));
                self.violate(format!("batch {at}: others have {agreed}, {node} has {own}"));
            }
            None if at == self.agreed.len() => {
                for id in &batch.records {
                    if !self.seen.insert(id.clone()) {
                        self.violate(format!("{id:?} is committed twice"));
                    }
                }
                self.agreed.push(batch.clone());
            }
            None => self.violate(format!("{node} skipped to batch {at}")),
        }
    }

    pub fn note_ack(&mut self, batch: &CommittedBatch) {
        for (id, offset) in batch.records.iter().zip(batch.base_offset.0..) {
            self.acked.insert(id.clone(), Offset(offset));
        }
    }

    /// At the end, when every node has delivered everything.
    pub fn check_acked(&mut self) {
        let places: BTreeMap<_, _> = self
            .agreed
            .iter()
            .flat_map(|batch| batch.records.iter().cloned().zip(batch.base_offset.0..))
            .collect();
        for (id, offset) in std::mem::take(&mut self.acked) {
            if places.get(&id) != Some(&offset.0) {
                self.violate(format!("{id:?} was acknowledged at {offset} and is not there"));
            }
        }
    }

    pub fn leaders(&self) -> usize {
        self.leaders.len()
    }
}

fn summary(batch: &CommittedBatch) -> String {
    format!("{} to {} of epoch {}", batch.base_offset, batch.last_offset, batch.epoch)
}
