//! Changes of the set of replicas: first those that come are added, and once all that stay hold
//! everything those that go are removed.
//!
//! **Source:** KIP-455; Kafka `PartitionReassignmentReplicas`, `PartitionChangeBuilder`.

use types::BrokerId;

use super::Controller;
use crate::defect::Defect;
use crate::stage::Stage;

impl Controller {
    /// From now on `target` is where the partition is to be. One change takes the place of another.
    pub fn reassign(&mut self, target: Vec<BrokerId>, stage: &mut Stage) {
        let leaving = self.state.replicas.iter().filter(|old| !target.contains(old));
        let replicas: Vec<BrokerId> = target.iter().chain(leaving).copied().collect();
        stage.met.reassignments += 1;
        self.state.replicas = replicas;
        self.target = Some(target);
        self.change();
        self.complete_move(stage);
        self.publish(stage);
    }

    /// Whether the replicas are where they are to be.
    pub fn is_moving(&self) -> bool {
        self.target.is_some()
    }

    /// Removes the replicas on their way out once the others hold everything.
    pub(super) fn complete_move(&mut self, stage: &mut Stage) {
        let Some(target) = &self.target else { return };
        let is_in_sync = target.iter().all(|replica| self.state.isr.contains(replica));
        let hurries = stage.has(Defect::MovedBeforeInSync);
        if !is_in_sync && !hurries {
            return;
        }
        let Some(target) = self.target.take() else { return };
        let leaves = self.state.replicas.len() > target.len();
        self.state.isr.retain(|member| target.contains(member));
        self.eligible.retain(|broker| target.contains(broker));
        if self.state.isr.is_empty() {
            self.state.isr.clone_from(&target);
        }
        self.state.replicas = target;
        stage.met.moves_completed += 1;
        let leader = self.state.leader.filter(|leader| self.state.isr.contains(leader));
        if leader.is_none() {
            self.lead(None);
            self.elect();
        } else if leaves && !stage.has(Defect::RemovalWithinReign) {
            // Whoever left may come back without what it had: what it said in this reign is void.
            self.lead(leader);
        }
        self.change();
    }
}
