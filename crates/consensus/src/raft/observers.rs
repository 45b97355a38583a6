//! Nodes that are sent the log without voting.
//!
//! A node that does not vote asks to observe; whoever leads takes it up as a learner of Raft's, by
//! itself and for its own reign: no record says so, and no other voter knows. A learner counts
//! nowhere, so a leader's view of who learns needs no agreement. Once one has the log it may be
//! added to the voters, and nobody waits for it then. Source: KIP-853, "observer".

use std::collections::BTreeSet;

use raft::StateRole;
use raft::eraftpb::{ConfChange, ConfChangeType};

use super::RaftEngine;
use super::message::{Address, Body};
use crate::limits::{
    CAUGHT_UP_BATCHES, OBSERVER_LEASES, OBSERVERS_MAX, VOTER_ENDPOINTS_MAX, VOTER_LEASES,
};
use crate::{ANY_VOTER, MetadataLog, Voter, VoterEndpoint, VoterKey};

impl<L: MetadataLog> RaftEngine<L> {
    /// Whether the voters are those of the log: named with their directories (`kraft.version` 1).
    pub(super) fn is_dynamic(&self) -> bool {
        self.voters().iter().all(|voter| !voter.key.directory.is_zero())
    }

    /// Asks whoever may know the quorum, while this node hears from no leader, or from one that it
    /// cannot answer: one that does not vote soon, one that does once it may have been removed
    /// without hearing of it.
    pub(super) fn ask_to_observe(&mut self) {
        let (silence, lease) = (self.heard.silent(), self.timing.lease_ticks);
        let own = self.address.raft_id;
        let patience = if self.is_voter(own) { VOTER_LEASES * lease } else { lease };
        let is_lost = silence > patience || !(self.is_voter(own) || self.can_answer_leader());
        let is_silent = self.has_failed || self.node.raft.state == StateRole::Leader;
        self.asked_ago += 1;
        if !is_lost || self.asked_ago < lease || is_silent || !self.is_dynamic() {
            return;
        }
        self.asked_ago = 0;
        let known = self.voters().iter().chain(&self.told).map(|voter| voter.key.id);
        let asked: BTreeSet<_> = known.chain([ANY_VOTER]).collect();
        for node in asked {
            let to = Address { raft_id: 0, node, directory: types::Uuid::ZERO };
            let endpoints = self.endpoints.clone();
            self.put(to, Body::Observe { endpoints, is_relayed: false });
        }
    }

    fn can_answer_leader(&self) -> bool {
        let leader = self.peers.node(self.node.raft.leader_id);
        let mut known = self.voters().iter().chain(&self.told);
        known.any(|voter| Some(voter.key.id) == leader)
    }

    /// A leader takes the sender up; a voter that knows the leader passes it on, once.
    pub(super) fn handle_observe(
        &mut self,
        from: Address,
        endpoints: Vec<VoterEndpoint>,
        is_relayed: bool,
    ) {
        let raft = &self.node.raft;
        if raft.state != StateRole::Leader {
            let leader = self.peers.get(raft.leader_id).filter(|_| !is_relayed);
            if let Some(to) = leader.map(|peer| peer.address) {
                self.put_from(from, to, Body::Observe { endpoints, is_relayed: true });
            }
            return;
        }
        let is_full = self.observers.len() >= OBSERVERS_MAX;
        let is_known = self.observers.contains_key(&from.raft_id);
        let key = VoterKey { id: from.node, directory: from.directory };
        let is_itself = self.raft_id(key) == from.raft_id && !self.is_voter(from.raft_id);
        if !self.is_dynamic() || !is_itself || (is_full && !is_known) {
            return;
        }
        self.peers.hear(from, self.wall);
        self.observers.insert(from.raft_id, Voter { key, endpoints });
        if self.node.raft.prs().get(from.raft_id).is_none() {
            self.change_learner(ConfChangeType::AddLearnerNode, from.raft_id);
        }
        self.put(from, Body::Told { voters: self.voters().to_vec() });
    }

    /// A leader says where the voters are, to whom it may have sent the log before.
    pub(super) fn handle_told(&mut self, voters: Vec<Voter>) {
        self.told = voters;
        self.follow_anew();
        self.settle();
    }

    /// Changes whom this leader sends the log, and nothing else.
    pub(super) fn change_learner(&mut self, change_type: ConfChangeType, node_id: u64) {
        assert!(!self.is_voter(node_id), "who votes is changed by the log alone");
        let change = ConfChange { change_type, node_id, ..ConfChange::default() };
        let changed = self.node.apply_conf_change(&change);
        assert!(changed.is_ok(), "one learner more or less can be: {changed:?}");
        self.settle();
    }

    pub(super) fn forget_silent_observers(&mut self) {
        let patience_ms = self.lease_ms() * i64::from(OBSERVER_LEASES);
        let silent = self.observers.keys().filter(|id| !self.is_heard(**id, patience_ms));
        for id in silent.copied().collect::<Vec<_>>() {
            self.observers.remove(&id);
            if self.node.raft.prs().conf().learners().contains(&id) {
                self.change_learner(ConfChangeType::RemoveNode, id);
            }
        }
    }

    pub(super) fn lease_ms(&self) -> i64 {
        let lease = self.timing.tick * self.timing.lease_ticks as u32;
        i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 64)
    }

    /// Whether something came from there not longer ago.
    pub(super) fn is_heard(&self, id: u64, patience_ms: i64) -> bool {
        let heard_at = self.peers.get(id).and_then(|peer| peer.heard_at);
        id == self.address.raft_id || heard_at.is_some_and(|at| self.wall.0 - at.0 <= patience_ms)
    }

    /// Whether it has as much of the log as one that votes: its acknowledgements come at once.
    pub(super) fn is_caught_up(&self, key: VoterKey) -> bool {
        let (id, raft) = (self.raft_id(key), &self.node.raft);
        let matched = raft.prs().get(id).map(|progress| progress.matched);
        let is_near = |matched: u64| matched + CAUGHT_UP_BATCHES >= raft.raft_log.last_index();
        let has_any = matched.is_some_and(|matched| matched > 0 && is_near(matched));
        has_any && self.is_heard(id, 2 * self.lease_ms())
    }

    /// Whether a majority of `voters` was heard of lately.
    pub(super) fn hears_majority_of(&self, voters: &[Voter]) -> bool {
        let is_heard = |voter: &&Voter| self.is_heard(self.raft_id(voter.key), 2 * self.lease_ms());
        2 * voters.iter().filter(is_heard).count() > voters.len()
    }
}

/// Whether the endpoints of a voter can be written down and read again.
pub(super) fn are_sayable(endpoints: &[VoterEndpoint]) -> bool {
    let bytes_max = crate::limits::ENDPOINT_NAME_BYTES_MAX;
    let is_plain = |text: &str| {
        !text.is_empty()
            && text.len() <= bytes_max
            && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/')
    };
    (1..=VOTER_ENDPOINTS_MAX).contains(&endpoints.len())
        && endpoints
            .iter()
            .all(|at| is_plain(&at.listener) && !at.listener.contains(':') && is_plain(&at.host))
}
