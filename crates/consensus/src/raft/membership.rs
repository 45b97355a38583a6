//! Who votes, and who says to be one of them.

use std::io;

use raft::StateRole;
use raft::eraftpb::{ConfChange, ConfChangeType};
use types::{Offset, Uuid, WallTime};

use super::RaftEngine;
use super::message::{Address, Body};
use super::observers::are_sayable;
use super::payload::Payload;
use super::peers::{is_named_without_directory, raft_id};
use crate::limits::{REMEMBERED_MAX, UNSYNCED_BATCHES_MAX, VOTERS_MAX};
use crate::{
    ControlBatch, Epoch, MessageError, MetadataLog, Voter, VoterChange, VoterChangeError, VoterKey,
};

impl<L: MetadataLog> RaftEngine<L> {
    pub(super) fn propose_voters(
        &mut self,
        epoch: Epoch,
        change: VoterChange,
        now: WallTime,
    ) -> Result<Offset, VoterChangeError> {
        let reign = self.reign_of(epoch).map(|reign| reign.next);
        let Some(next) = reign.filter(|_| !self.has_failed) else {
            return Err(VoterChangeError::NotLeader);
        };
        let end = next.plus(1);
        if self.node.raft.has_pending_conf() {
            return Err(VoterChangeError::Busy);
        }
        let raft_log = &self.node.raft.raft_log;
        if raft_log.last_index() - raft_log.committed >= UNSYNCED_BATCHES_MAX as u64 {
            return Err(VoterChangeError::Busy);
        }
        let (change_type, id, voters) = self.voters_after(change)?;
        if !self.hears_majority_of(&voters) {
            return Err(VoterChangeError::NoMajority);
        }
        let payload = Payload::control(now, ControlBatch::Voters(voters)).encode();
        if !self.log().has_room(payload.len()) {
            return Err(VoterChangeError::NoRoom);
        }
        let change = ConfChange { change_type, node_id: id, ..ConfChange::default() };
        // What Raft makes of the change stays in this process; others get the payload.
        let proposed = self.node.propose_conf_change(payload.to_vec(), change);
        proposed.map_err(|_| VoterChangeError::NotLeader)?;
        if let Some(reign) = &mut self.reign {
            reign.next = end;
        }
        self.settle();
        Ok(end)
    }

    fn voters_after(
        &self,
        change: VoterChange,
    ) -> Result<(ConfChangeType, u64, Vec<Voter>), VoterChangeError> {
        if !self.is_dynamic() {
            return Err(VoterChangeError::Unsupported);
        }
        let mut voters = self.voters().to_vec();
        match change {
            VoterChange::Add(voter) => {
                if voter.key.directory.is_zero() {
                    return Err(VoterChangeError::NoDirectory);
                }
                if !are_sayable(&voter.endpoints) {
                    return Err(VoterChangeError::BadEndpoint);
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
                if !self.is_caught_up(voter.key) {
                    return Err(VoterChangeError::NotCaughtUp);
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
            VoterChange::Update(voter) => {
                if !are_sayable(&voter.endpoints) {
                    return Err(VoterChangeError::BadEndpoint);
                }
                let id = raft_id(voter.key);
                let known = voters.iter_mut().find(|member| member.key == voter.key);
                *known.ok_or(VoterChangeError::NotFound)? = voter;
                // Raft hears of the change of nobody: that one, who votes, votes.
                Ok((ConfChangeType::AddNode, id, voters))
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
        let leads = self.node.raft.state == StateRole::Leader;
        let is_gone = |voter: &&Voter| !now.contains(&raft_id(voter.key));
        let gone: Vec<Voter> = self.voters().iter().filter(is_gone).cloned().collect();
        self.peers.know(&voters);
        self.node.mut_store().change_state(|state| {
            (state.voters, state.voters_index) = (voters, index);
            state.commit = state.commit.max(index);
            removed.iter().for_each(|id| state.retire(*id));
        })?;
        // Who was removed hears from its leader that this is committed: it learns from now on.
        let removal = |id: u64| match leads && id != self.address.raft_id {
            true => ConfChangeType::AddLearnerNode,
            false => ConfChangeType::RemoveNode,
        };
        let added = added.map(|id| (ConfChangeType::AddNode, *id));
        let changes = added.chain(removed.iter().map(|id| (removal(*id), *id)));
        let changes: Vec<_> = changes.collect();
        self.observers.retain(|id, _| !now.contains(id));
        if leads {
            let own = self.address.raft_id;
            let gone = gone.into_iter().map(|voter| (raft_id(voter.key), voter));
            self.observers.extend(gone.filter(|(id, _)| *id != own));
        }
        for (change_type, node_id) in changes {
            let change = ConfChange { change_type, node_id, ..ConfChange::default() };
            self.node.apply_conf_change(&change).map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// A leader that was voted out hands over once that is committed.
    pub(super) fn leave_if_removed(&mut self) {
        if !self.is_voter(self.address.raft_id) && self.node.raft.state == StateRole::Leader {
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
