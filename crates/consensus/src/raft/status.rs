//! The quorum as this voter sees it.

use raft::StateRole;
use types::WallTime;

use super::peers;
use super::store::{epoch_of, term_of};
use super::{RaftEngine, Reign};
use crate::{Epoch, MetadataLog, QuorumStatus, Voter, VoterStatus};

impl<L: MetadataLog> RaftEngine<L> {
    /// The reign, if it is one of `epoch` that the host knows of.
    pub(super) fn reign_of(&mut self, epoch: Epoch) -> Option<&mut Reign> {
        let leads = self.node.raft.state == StateRole::Leader;
        let term = self.node.raft.term;
        let reign = self.reign.as_mut().filter(|reign| reign.is_announced && leads)?;
        (reign.term == term && term == term_of(epoch)).then_some(reign)
    }

    pub(super) fn quorum_status(&self) -> QuorumStatus {
        let raft = &self.node.raft;
        let is_leader = raft.state == StateRole::Leader;
        let leader = match &self.reign {
            Some(reign) => reign.is_announced.then_some(self.address.node),
            None => self.peers.node(raft.leader_id).filter(|_| !is_leader),
        };
        let voters = self.voters().iter().map(|voter| self.voter_status(voter)).collect();
        let observers = self.observers.values().filter(|_| is_leader);
        let observers = observers.map(|observer| self.voter_status(observer)).collect();
        QuorumStatus {
            leader: leader.filter(|_| !self.has_failed),
            leader_epoch: epoch_of(raft.term),
            high_watermark: self.delivered.1,
            voters,
            observers,
            told: self.told.clone(),
        }
    }

    fn voter_status(&self, voter: &Voter) -> VoterStatus {
        let Voter { key, endpoints } = voter;
        let (raft, store) = (&self.node.raft, self.node.store());
        let id = store.state().raft_id(*key);
        let is_self = id == self.address.raft_id;
        let progress = raft.prs().get(id).filter(|_| raft.state == StateRole::Leader);
        let peer = self.peers.get(id);
        let log_end = match (is_self, progress) {
            (true, _) => Some(store.log().log_end()),
            (false, Some(progress)) => Some(store.end_of(progress.matched.min(store.last()))),
            (false, None) => None,
        };
        let known = store.state().peers.get(&key.id).filter(|_| key.directory.is_zero());
        let directory = match is_self {
            true => self.address.directory,
            false => known.copied().unwrap_or(key.directory),
        };
        let at = |of: fn(&peers::Peer) -> Option<WallTime>| match is_self {
            true => Some(self.wall),
            false => peer.and_then(of).filter(|_| progress.is_some()),
        };
        let (heard_at, caught_up_at) = (at(|peer| peer.heard_at), at(|peer| peer.caught_up_at));
        let (id, endpoints) = (key.id, endpoints.clone());
        VoterStatus { id, directory, endpoints, log_end, heard_at, caught_up_at }
    }
}
