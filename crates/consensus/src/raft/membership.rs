//! Who votes, and who says to be one of them.

use std::io;

use raft::StateRole;
use raft::eraftpb::{ConfChange, ConfChangeType};
use types::{Uuid, WallTime};

use super::RaftEngine;
use super::message::{Address, Body};
use super::payload::Payload;
use super::peers::{is_named_without_directory, raft_id};
use crate::limits::{REMEMBERED_MAX, VOTER_ENDPOINTS_MAX, VOTERS_MAX};
use crate::{
    ControlBatch, Epoch, MessageError, MetadataLog, Voter, VoterChange, VoterChangeError, VoterKey,
};

impl<L: MetadataLog> RaftEngine<L> {
    pub(super) fn propose_voters(
        &mut self,
        epoch: Epoch,
        change: VoterChange,
        now: WallTime,
    ) -> Result<(), VoterChangeError> {
        if self.has_failed || self.reign_of(epoch).is_none() {
            return Err(VoterChangeError::NotLeader);
        }
        if self.node.raft.has_pending_conf() {
            return Err(VoterChangeError::Busy);
        }
        let (change_type, id, voters) = self.voters_after(change)?;
        let payload = Payload::control(now, ControlBatch::Voters(voters)).encode();
        let change = ConfChange { change_type, node_id: id, ..ConfChange::default() };
        // What Raft makes of the change stays in this process; others get the payload.
        let proposed = self.node.propose_conf_change(payload.to_vec(), change);
        proposed.map_err(|_| VoterChangeError::NotLeader)?;
        if let Some(reign) = &mut self.reign {
            reign.next = reign.next.plus(1);
        }
        self.settle();
        Ok(())
    }

    fn voters_after(
        &self,
        change: VoterChange,
    ) -> Result<(ConfChangeType, u64, Vec<Voter>), VoterChangeError> {
        let mut voters = self.voters().to_vec();
        match change {
            VoterChange::Add(voter) => {
                if voter.key.directory.is_zero() || voter.endpoints.len() > VOTER_ENDPOINTS_MAX {
                    return Err(VoterChangeError::NoDirectory);
                }
                if voters.iter().any(|member| member.key.id == voter.key.id) {
                    return Err(VoterChangeError::Duplicate);
                }
                let id = raft_id(voter.key);
                if self.node.store().state().retired.contains(&id) {
                    return Err(VoterChangeError::Retired);
                }
                if voters.len() >= VOTERS_MAX {
                    return Err(VoterChangeError::BadCount);
                }
                voters.push(voter);
                voters.sort_by_key(|voter| voter.key);
                Ok((ConfChangeType::AddNode, id, voters))
            }
            VoterChange::Remove(key) => {
                let at = voters.iter().position(|member| member.key == key);
                let removed = voters.remove(at.ok_or(VoterChangeError::NotFound)?);
                if voters.is_empty() {
                    return Err(VoterChangeError::BadCount);
                }
                Ok((ConfChangeType::RemoveNode, raft_id(removed.key), voters))
            }
        }
    }

    /// From here on these are the voters. A node that joins comes from none to all of them.
    pub(super) fn apply_voters(&mut self, voters: Vec<Voter>, index: u64) -> io::Result<()> {
        if index <= self.node.store().state().voters_index {
            return Ok(());
        }
        let now: Vec<_> = voters.iter().map(|voter| raft_id(voter.key)).collect();
        let before: Vec<_> = self.voters().iter().map(|voter| raft_id(voter.key)).collect();
        let added = now.iter().filter(|id| !before.contains(id));
        let removed: Vec<_> = before.iter().filter(|id| !now.contains(id)).copied().collect();
        self.peers.know(&voters);
        self.node.mut_store().change_state(|state| {
            (state.voters, state.voters_index) = (voters, index);
            state.commit = state.commit.max(index);
            removed.iter().for_each(|id| state.retire(*id));
        })?;
        let added = added.map(|id| (ConfChangeType::AddNode, *id));
        let changes = added.chain(removed.iter().map(|id| (ConfChangeType::RemoveNode, *id)));
        for (change_type, node_id) in changes {
            let change = ConfChange { change_type, node_id, ..ConfChange::default() };
            self.node.apply_conf_change(&change).map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// A leader that was voted out hands over once that is committed.
    pub(super) fn leave_if_removed(&mut self) {
        let id = self.address.raft_id;
        let is_voter = self.voters().iter().any(|voter| raft_id(voter.key) == id);
        if !is_voter && self.node.raft.state == StateRole::Leader {
            self.step_down();
        }
    }

    pub(super) fn step_down(&mut self) {
        let raft = &mut self.node.raft;
        let (own, voters) = (self.address.raft_id, raft.prs().conf().voters().clone());
        let others = raft.prs().iter().filter(|(id, progress)| {
            **id != own && voters.contains(**id) && progress.recent_active
        });
        let heir = others.max_by_key(|(id, progress)| (progress.matched, **id)).map(|(id, _)| *id);
        if let Some(heir) = heir {
            raft.send_timeout_now(heir);
        }
        raft.become_follower(raft.term, raft::INVALID_ID);
        self.settle();
    }

    /// A voter that is named by its node id alone is the directory that was met first. Another
    /// one has forgotten what the first one promised.
    ///
    /// # Errors
    /// [`MessageError::WrongDirectory`]; the sender is told.
    pub(super) fn check_sender(&mut self, from: Address) -> Result<(), MessageError> {
        if !is_named_without_directory(from.raft_id) {
            return Ok(());
        }
        let state = self.node.store().state();
        match state.peers.get(&from.node).copied() {
            Some(known) if known == from.directory => Ok(()),
            Some(known) => {
                self.put(from, Body::NotThatVoter { known });
                let (sender, found) = (from.node, from.directory);
                Err(MessageError::WrongDirectory { sender, known, found })
            }
            None if state.peers.len() >= REMEMBERED_MAX => {
                Err(MessageError::Malformed("too many nodes say to be voters"))
            }
            None => {
                let (node, directory) = (from.node, from.directory);
                let kept = self.node.mut_store().change_state(|state| {
                    state.peers.insert(node, directory);
                });
                kept.map_err(|error| {
                    self.fail(error);
                    MessageError::Failed
                })
            }
        }
    }

    /// Others know this voter by another disk: it must not vote with this one.
    pub(super) fn handle_not_that_voter(&mut self, from: Address, to: Address, known: Uuid) {
        if to.directory != self.address.directory || known == self.address.directory {
            return;
        }
        let own = VoterKey { id: self.address.node, directory: self.address.directory };
        let why = format!(
            "voter {} of the metadata quorum is known to node {} by log directory {known}, this is \
             {}: a voter whose disk was replaced is removed from the quorum, then added anew",
            own.id, from.node, own.directory
        );
        self.fail(io::Error::new(io::ErrorKind::InvalidData, why));
    }
}
