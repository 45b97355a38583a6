//! Who votes, and who says to be one of them.

use std::collections::BTreeMap;
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
    ControlBatch, Epoch, MessageError, MetadataLog, NodeId, Voter, VoterChange, VoterChangeError,
};

/// What the log is to say, and what Raft is to make of it: nothing, where it says nothing of
/// voters.
struct Proposed {
    change: Option<(ConfChangeType, u64)>,
    control: ControlBatch,
}

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
        if self.node.raft.has_pending_conf() {
            return Err(VoterChangeError::Busy);
        }
        let raft_log = &self.node.raft.raft_log;
        if raft_log.last_index() - raft_log.committed >= UNSYNCED_BATCHES_MAX as u64 {
            return Err(VoterChangeError::Busy);
        }
        let Proposed { change, control } = self.batch_of_change(change)?;
        let end = next.plus(control.offsets() as i64);
        let payload = Payload::control(now, control).encode();
        if !self.log().has_room(payload.len()) {
            return Err(VoterChangeError::NoRoom);
        }
        let proposed = match change {
            // What Raft makes of the change stays in this process; others get the payload.
            Some((change_type, node_id)) => {
                let change = ConfChange { change_type, node_id, ..ConfChange::default() };
                self.node.propose_conf_change(payload.to_vec(), change)
            }
            None => self.propose_entry(payload),
        };
        proposed.map_err(|_| VoterChangeError::NotLeader)?;
        if let Some(reign) = &mut self.reign {
            reign.next = end;
        }
        self.settle();
        Ok(end)
    }

    fn batch_of_change(&self, change: VoterChange) -> Result<Proposed, VoterChangeError> {
        let (change, voters, control) = match change {
            VoterChange::FinalizeKRaftVersion(_) if self.is_dynamic() => {
                let control = ControlBatch::KRaftVersion { level: 1, voters: Vec::new() };
                return Ok(Proposed { change: None, control });
            }
            VoterChange::FinalizeKRaftVersion(voters) => {
                let voters = self.voters_with_directories(voters)?;
                let control = ControlBatch::KRaftVersion { level: 1, voters: voters.clone() };
                // Raft hears of no change: who votes, votes.
                ((ConfChangeType::AddNode, self.address.raft_id), voters, control)
            }
            change => {
                let (change_type, id, voters) = self.voters_after(change)?;
                ((change_type, id), voters.clone(), ControlBatch::Voters(voters))
            }
        };
        match self.hears_majority_of(&voters) {
            true => Ok(Proposed { change: Some(change), control }),
            false => Err(VoterChangeError::NoMajority),
        }
    }

    /// The voters that were named without directories, all of them, with those that this voter
    /// knows them by.
    fn voters_with_directories(
        &self,
        mut voters: Vec<Voter>,
    ) -> Result<Vec<Voter>, VoterChangeError> {
        voters.sort_by_key(|voter| voter.key);
        let mut known: Vec<_> = self.voters().iter().map(|voter| voter.key.id).collect();
        known.sort_unstable();
        if !voters.iter().map(|voter| voter.key.id).eq(known) {
            return Err(VoterChangeError::NotFound);
        }
        let Address { node: own, directory: here, .. } = self.address;
        let pinned = &self.node.store().state().peers;
        for Voter { key, endpoints } in &voters {
            let met = if key.id == own { Some(&here) } else { pinned.get(&key.id) };
            match met {
                None => return Err(VoterChangeError::NoDirectory),
                Some(met) if *met != key.directory => return Err(VoterChangeError::NotFound),
                Some(_) if !are_sayable(endpoints) => return Err(VoterChangeError::BadEndpoint),
                Some(_) => {}
            }
        }
        Ok(voters)
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
                let id = self.raft_id(voter.key);
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
                Ok((ConfChangeType::RemoveNode, self.raft_id(removed.key), voters))
            }
            VoterChange::Update(voter) => {
                if !are_sayable(&voter.endpoints) {
                    return Err(VoterChangeError::BadEndpoint);
                }
                let id = self.raft_id(voter.key);
                let known = voters.iter_mut().find(|member| member.key == voter.key);
                *known.ok_or(VoterChangeError::NotFound)? = voter;
                // Raft hears of the change of nobody: that one, who votes, votes.
                Ok((ConfChangeType::AddNode, id, voters))
            }
            VoterChange::FinalizeKRaftVersion(_) => Err(VoterChangeError::Unsupported),
        }
    }

    /// Voters that were named without directories have these from here on. Their numbers stay.
    ///
    /// # Errors
    /// This node is named with another directory than its own: it is not the voter that is meant.
    pub(super) fn apply_kraft_version(&mut self, voters: Vec<Voter>, index: u64) -> io::Result<()> {
        if voters.is_empty() || index <= self.node.store().state().voters_index {
            return Ok(());
        }
        let pinned: BTreeMap<_, _> =
            voters.iter().map(|voter| (voter.key.id, voter.key.directory)).collect();
        let own = self.address;
        let named = pinned.get(&own.node).filter(|_| is_named_without_directory(own.raft_id));
        if let Some(known) = named.filter(|known| **known != own.directory) {
            return Err(not_that_voter(own, *known, "the quorum"));
        }
        self.go_over_to(voters, pinned, index)
    }

    /// From here on these are the voters. A node that joins comes from none to all of them.
    pub(super) fn apply_voters(&mut self, voters: Vec<Voter>, index: u64) -> io::Result<()> {
        let state = self.node.store().state();
        if index <= state.voters_index {
            return Ok(());
        }
        let pinned = state.peers.clone();
        self.go_over_to(voters, pinned, index)
    }

    fn go_over_to(
        &mut self,
        voters: Vec<Voter>,
        pinned: BTreeMap<NodeId, Uuid>,
        index: u64,
    ) -> io::Result<()> {
        let number = |voter: &Voter| raft_id(voter.key, &pinned);
        let now: Vec<_> = voters.iter().map(number).collect();
        let before: Vec<_> = self.voters().iter().map(number).collect();
        let added = now.iter().filter(|id| !before.contains(id));
        let removed: Vec<_> = before.iter().filter(|id| !now.contains(id)).copied().collect();
        let leads = self.node.raft.state == StateRole::Leader;
        let is_gone = |voter: &&Voter| !now.contains(&number(voter));
        let gone: Vec<Voter> = self.voters().iter().filter(is_gone).cloned().collect();
        self.peers.know(&voters, &pinned);
        self.node.mut_store().change_state(|state| {
            (state.voters, state.voters_index) = (voters, index);
            state.commit = state.commit.max(index);
            state.peers.clone_from(&pinned);
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
            let gone = gone.into_iter().map(|voter| (number(&voter), voter));
            self.observers.extend(gone.filter(|(id, _)| *id != own));
        }
        for (change_type, node_id) in changes {
            let change = ConfChange { change_type, node_id, ..ConfChange::default() };
            self.node.apply_conf_change(&change).map_err(io::Error::other)?;
        }
        self.follow_anew();
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
            // Who knows no voters yet hears of them from one of these.
            None if self.is_dynamic() && !self.voters().is_empty() => {
                Err(MessageError::Malformed("its sender votes without a directory"))
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
        let by = format!("node {}", from.node);
        self.fail(not_that_voter(self.address, known, &by));
    }
}

fn not_that_voter(own: Address, known: Uuid, by: &str) -> io::Error {
    let why = format!(
        "voter {} of the metadata quorum is known to {by} by log directory {known}, this is {}: a \
         voter whose disk was replaced is removed from the quorum, then added anew",
        own.node, own.directory
    );
    io::Error::new(io::ErrorKind::InvalidData, why)
}
