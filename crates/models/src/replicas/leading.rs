//! What a broker does while it leads.

use replication::IsrOutcome;
use types::{BrokerId, ErrorCode, PartitionEpoch};

use crate::replicas::decider::Command;
use crate::replicas::defect::Defect;
use crate::replicas::model::{EARLY, LATE, NOW, ReplicasModel};
use crate::replicas::world::{Alter, Record, World};

impl ReplicasModel {
    pub(super) fn produce(&self, world: &mut World, broker: usize) {
        world.spent.records += 1;
        let value = world.spent.records;
        let here = &mut world.brokers[broker];
        let Some(leader) = here.process.as_mut().and_then(|p| p.replica.leader_mut()) else {
            return;
        };
        here.disk.append(Record { epoch: leader.leader_epoch(), value });
        leader.handle_append(here.disk.log_end());
        if self.has(Defect::LeaderCountsMemory) {
            leader.handle_durable(here.disk.log_end());
        }
        self.open_gate(world, broker);
    }

    pub(super) fn sync(&self, world: &mut World, broker: usize) {
        let here = &mut world.brokers[broker];
        here.disk.durable = here.disk.records.len();
        if let Some(leader) = here.process.as_mut().and_then(|p| p.replica.leader_mut()) {
            leader.handle_durable(here.disk.log_end());
        }
        self.open_gate(world, broker);
    }

    /// Acknowledges, and shows to consumers, what may be.
    pub(super) fn open_gate(&self, world: &mut World, broker: usize) {
        let here = &mut world.brokers[broker];
        let leader = here.process.as_mut().and_then(|process| process.replica.leader_mut());
        let Some(passed) = leader.and_then(|leader| leader.poll_high_watermark()) else { return };
        let passed = passed.0 as usize;
        let shown = here.disk.records[..passed].to_vec();
        let both = passed.min(world.committed.len());
        if shown[..both] != world.committed[..both] {
            return world.broken("another record is committed at the same offset");
        }
        let holders = world.brokers.iter().filter(|broker| broker.disk.keeps(&shown)).count();
        if passed > both && holders < self.bounds.min_insync_replicas {
            return world.broken("what is acknowledged is on too few disks");
        }
        if passed > world.committed.len() {
            world.committed = shown;
        }
    }

    pub(super) fn propose(&self, world: &mut World, broker: usize, late: bool) {
        let life = world.brokers[broker].life;
        let Some(process) = &mut world.brokers[broker].process else { return };
        let seen = process.seen;
        let live = |id: BrokerId| (!seen.is_fenced(id.0 as usize)).then(|| seen.epoch_of(id));
        let Some(leader) = process.replica.leader_mut() else { return };
        let before = self.has(Defect::NoMaximalIsr).then(|| leader.clone());
        let when = if late { LATE } else { EARLY };
        let Some(proposal) = leader.poll_isr_change(live, when) else { return };
        if let Some(before) = before {
            // As if nothing were on its way.
            *leader = before;
        }
        process.altering = Some(proposal.partition_epoch);
        world.spent.alters += 1;
        world.send(Alter::Asked { by: broker, life, proposal });
    }

    /// One of the messages about the in-sync set arrives.
    pub(super) fn carry(&self, world: &mut World, at: usize) {
        match world.alters.remove(at) {
            Alter::Asked { by, life, mut proposal } => {
                let asked = proposal.partition_epoch;
                if self.has(Defect::NoPartitionEpochCheck) {
                    proposal.partition_epoch = PartitionEpoch(world.metadata.partition_epoch);
                }
                if self.has(Defect::NoBrokerEpochCheck) {
                    let seen = world.metadata;
                    proposal.isr.iter_mut().for_each(|(id, epoch)| *epoch = seen.epoch_of(*id));
                }
                let command = Command::Alter { leader: by, life, proposal };
                let decision = self.decider.decide(&world.metadata, command);
                world.metadata = decision.after;
                let is_heard =
                    world.brokers[by].process.is_some() && world.brokers[by].life == life;
                if let Some(outcome) = decision.outcome.filter(|_| is_heard) {
                    world.send(Alter::Told { by, life, asked, outcome });
                }
            }
            Alter::Told { by, asked, outcome, .. } => {
                let Some(process) = &mut world.brokers[by].process else { return };
                if process.altering == Some(asked) {
                    process.altering = None;
                }
                if let Some(leader) = process.replica.leader_mut() {
                    leader.handle_isr_outcome(asked, &outcome, NOW);
                }
                self.open_gate(world, by);
            }
        }
    }

    /// No answer has come for too long.
    pub(super) fn doubt(&self, world: &mut World, broker: usize) {
        world.spent.doubts += 1;
        let Some(process) = &mut world.brokers[broker].process else { return };
        let Some(asked) = process.altering.take() else { return };
        let outcome = match self.has(Defect::DoubtForgotten) {
            true => IsrOutcome::Refused(ErrorCode::NotController),
            false => IsrOutcome::Unanswered,
        };
        if let Some(leader) = process.replica.leader_mut() {
            leader.handle_isr_outcome(asked, &outcome, NOW);
        }
        self.open_gate(world, broker);
    }
}
