//! Snapshots on their way to voters that are behind the leader's log.
//!
//! Raft's own message becomes an offer: it names a snapshot, its place and the voters as of there.
//! Who is offered one asks for it part by part, whoever leads meanwhile, and shows it to Raft once
//! it is whole and durable. A lost word is said again: the leader offers anew, the other asks anew.

use std::collections::BTreeMap;
use std::io;

use raft::StateRole;
use raft::eraftpb::{ConfState, Message, MessageType, Snapshot};
use raft::{ProgressState, SnapshotStatus};
use types::{Offset, Uuid};

use super::RaftEngine;
use super::message::{Address, Body};
use super::peers::raft_id;
use super::store::{epoch_of, term_of};
use crate::limits::{SNAPSHOT_BYTES_MAX, SNAPSHOT_PART_BYTES};
use crate::{EngineEvent, LogMark, MetadataLog, NodeId, Voter, VoterKey};

/// After so many heartbeats a snapshot is asked for, or offered, again.
const AGAIN_HEARTBEATS: u32 = 5;
/// After so many without a part another snapshot is as good.
const SILENT_HEARTBEATS: u32 = 20;

/// What a leader says of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// Of the leader.
    pub(super) term: u64,
    /// The last batch that is in it.
    pub(super) index: u64,
    pub(super) index_term: u64,
    pub(super) end: Offset,
    /// Who votes as of there, and who does not any more.
    pub(super) voters: Vec<Voter>,
    pub(super) retired: Vec<u64>,
    /// The directories of those that were named without one when the log began.
    pub(super) pinned: Vec<VoterKey>,
}

impl Offer {
    pub(super) fn pinned(&self) -> BTreeMap<NodeId, Uuid> {
        self.pinned.iter().map(|key| (key.id, key.directory)).collect()
    }

    pub(super) fn mark(&self) -> LogMark {
        LogMark { end: self.end, epoch: epoch_of(self.index_term) }
    }
}

/// A part of a snapshot; a size of 0 says that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) of: LogMark,
    pub(super) size: u64,
    pub(super) position: u64,
    pub(super) bytes: bytes::Bytes,
}

/// A snapshot that is on its way here, or is here and was not shown to Raft yet.
#[derive(Debug)]
pub(super) struct Incoming {
    offer: Offer,
    from: Address,
    position: u64,
    is_whole: bool,
    /// Ticks since the last part.
    silence: u32,
}

impl<L: MetadataLog> RaftEngine<L> {
    /// What a voter says.
    pub(super) fn hear(&mut self, from: Address, body: Body) {
        match body {
            Body::Raft(message) => self.step(*message),
            Body::Offer(offer) => self.handle_offer(from, offer),
            Body::Ask { of, position } => self.handle_ask(from, of, position),
            Body::Part(part) => self.handle_part(part),
            Body::NotThatVoter { .. } | Body::Observe { .. } | Body::Told { .. } => {}
        }
    }

    /// Lets go of the log up to where a snapshot ends that the host has delivered.
    pub(super) fn trim_to(&mut self, snapshot: LogMark) -> io::Result<bool> {
        let store = self.node.store();
        let Some(index) = store.index_of(snapshot).filter(|_| !self.has_failed) else {
            return Ok(false);
        };
        // At least one batch stays: it tells the epoch of the log.
        let is_gone = index < store.state().first.0;
        if is_gone || index > self.delivered.0 || index >= store.last() || self.shown.is_some() {
            return Ok(false);
        }
        let term = term_of(snapshot.epoch);
        let trimmed = self.node.mut_store().trim(index, term);
        trimmed.inspect_err(|error| {
            self.fail(io::Error::new(error.kind(), error.to_string()));
        })
    }

    /// Raft wants `to` to have a snapshot.
    pub(super) fn offer(&mut self, to: Address, message: &Message) {
        let store = self.node.store();
        let metadata = message.get_snapshot().get_metadata();
        let pinned = store.state().peers.iter().map(|(id, directory)| (*id, *directory));
        let offer = Offer {
            term: message.term,
            index: metadata.index,
            index_term: metadata.term,
            end: store.end_of(metadata.index),
            voters: store.state().voters.clone(),
            retired: store.state().retired.iter().copied().collect(),
            pinned: match self.is_dynamic() {
                true => pinned.map(|(id, directory)| VoterKey { id, directory }).collect(),
                // Everybody has met them by itself.
                false => Vec::new(),
            },
        };
        self.put(to, Body::Offer(offer));
    }

    pub(super) fn handle_offer(&mut self, from: Address, offer: Offer) {
        let raft = &self.node.raft;
        let follows = raft.state == StateRole::Follower && raft.leader_id == from.raft_id;
        if offer.term != raft.term || !follows || self.shown.is_some() {
            return;
        }
        let raft_log = &raft.raft_log;
        if offer.index <= raft_log.committed || raft_log.match_term(offer.index, offer.index_term) {
            // Raft takes the commit from it and nothing else.
            return self.show(offer);
        }
        let heartbeat = self.timing.heartbeat_ticks as u32;
        if let Some(incoming) = &mut self.incoming {
            let is_same = incoming.offer.mark() == offer.mark();
            if is_same {
                (incoming.from, incoming.offer.term) = (from, offer.term);
            }
            if is_same || incoming.is_whole || incoming.silence < SILENT_HEARTBEATS * heartbeat {
                return self.go_on_with_snapshot();
            }
        }
        let (position, is_whole, silence) = (0, false, 0);
        self.incoming = Some(Incoming { offer, from, position, is_whole, silence });
        self.ask_for_part();
    }

    fn ask_for_part(&mut self) {
        let Some(Incoming { offer, from, position, is_whole: false, .. }) = &self.incoming else {
            return;
        };
        let (of, from, position) = (offer.mark(), *from, *position);
        self.put(from, Body::Ask { of, position });
    }

    /// Whoever asks is sent what there is of it, one part an asking.
    pub(super) fn handle_ask(&mut self, from: Address, of: LogMark, position: u64) {
        let read = self.log().read_snapshot(of, position, SNAPSHOT_PART_BYTES);
        let (size, bytes) = match read {
            Ok(part) => part.unwrap_or_default(),
            // The other asks again, or takes another.
            Err(error) => {
                let end = of.end;
                return log::warn!(
                    target: "kafka.raft.KafkaRaftClient",
                    "read the metadata snapshot up to offset {end}: {error}"
                );
            }
        };
        self.put(from, Body::Part(Part { of, size, position, bytes }));
    }

    pub(super) fn handle_part(&mut self, part: Part) {
        let Some(incoming) = self.incoming.as_mut().filter(|incoming| !incoming.is_whole) else {
            return;
        };
        if incoming.offer.mark() != part.of || incoming.position != part.position {
            return;
        }
        let end = part.position.saturating_add(part.bytes.len() as u64);
        if part.bytes.is_empty() || end > part.size || part.size > SNAPSHOT_BYTES_MAX {
            // It is gone for a newer one, which will be offered.
            self.incoming = None;
            return;
        }
        (incoming.position, incoming.silence) = (end, 0);
        let log = self.node.mut_store().log_mut();
        let mut kept = log.put_snapshot_part(part.of, part.position, &part.bytes).map(|()| true);
        if end == part.size {
            kept = kept.and_then(|_| log.complete_snapshot(part.of));
        }
        match kept {
            Ok(true) if end == part.size => {
                if let Some(incoming) = &mut self.incoming {
                    incoming.is_whole = true;
                }
                self.go_on_with_snapshot();
            }
            Ok(true) => self.ask_for_part(),
            // It came damaged. It is offered again, or another.
            Ok(false) => self.incoming = None,
            Err(error) => self.fail(error),
        }
    }

    /// Shows Raft a snapshot that is whole, as a follower of whoever leads now: what is in it is
    /// committed in every later term.
    fn go_on_with_snapshot(&mut self) {
        let raft = &self.node.raft;
        let follows = raft.state == StateRole::Follower && raft.leader_id != 0;
        let is_free = follows && self.shown.is_none();
        if let Some(incoming) = self.incoming.take_if(|incoming| incoming.is_whole && is_free) {
            self.show(incoming.offer);
        }
    }

    fn show(&mut self, offer: Offer) {
        let raft = &self.node.raft;
        let (own, from, term) = (self.address.raft_id, raft.leader_id, raft.term);
        let pinned = offer.pinned();
        let voters = offer.voters.iter().map(|voter| raft_id(voter.key, &pinned)).collect();
        let mut conf_state = ConfState { voters, ..ConfState::default() };
        if !conf_state.voters.contains(&own) {
            conf_state.learners.push(own);
        }
        let mut snapshot = Snapshot::default();
        let metadata = snapshot.mut_metadata();
        (metadata.index, metadata.term) = (offer.index, offer.index_term);
        metadata.set_conf_state(conf_state);
        let msg_type = MessageType::MsgSnapshot;
        let mut message = Message { msg_type, from, to: own, term, ..Message::default() };
        message.set_snapshot(snapshot);
        self.shown = Some(offer);
        self.step(message);
        if self.node.raft.snap().is_none() {
            self.shown = None;
        }
    }

    /// Raft goes on from the snapshot that it was shown: so does the log, and so must the host.
    pub(super) fn install(&mut self, index: u64) -> io::Result<()> {
        let offer = self.shown.take().filter(|offer| offer.index == index);
        let offer = offer.ok_or_else(|| io::Error::other("Raft goes on from another snapshot"))?;
        self.peers.know(&offer.voters, &offer.pinned());
        let (mark, wall) = (offer.mark(), self.wall);
        self.node.mut_store().install(offer, wall)?;
        self.delivered = (index, mark.end);
        self.events.push_back(EngineEvent::Installed(mark));
        log::info!(
            target: "kafka.raft.KafkaRaftClient",
            "node {} goes on from the metadata snapshot up to offset {}",
            self.address.node,
            mark.end
        );
        Ok(())
    }

    /// Says again what may have been lost.
    pub(super) fn tick_snapshots(&mut self) {
        let again = AGAIN_HEARTBEATS * self.timing.heartbeat_ticks as u32;
        self.ticks = self.ticks.wrapping_add(1);
        if let Some(incoming) = &mut self.incoming {
            incoming.silence = incoming.silence.saturating_add(1);
            if incoming.silence.is_multiple_of(again) {
                self.go_on_with_snapshot();
                self.ask_for_part();
            }
        }
        let leads = self.node.raft.state == StateRole::Leader;
        if self.has_failed || !leads || !self.ticks.is_multiple_of(2 * again) {
            return;
        }
        // Raft says nothing to whom it has offered one. As if it had failed: it offers again.
        let prs = self.node.raft.prs();
        let offered = prs.iter().filter(|(_, progress)| progress.state == ProgressState::Snapshot);
        let offered: Vec<_> = offered.map(|(id, _)| *id).collect();
        for id in offered {
            self.node.report_snapshot(id, SnapshotStatus::Failure);
        }
    }
}
