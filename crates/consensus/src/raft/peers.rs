//! Who is who: Raft's numbers, nodes and their directories.

use std::collections::BTreeMap;

use types::{Uuid, WallTime};

use super::message::Address;
use super::timing::mix;
use crate::limits::REMEMBERED_MAX;
use crate::{NodeId, Voter, VoterKey};

/// The ids of voters with a directory have this bit, those of the others do not.
const OF_DIRECTORY: u64 = 1 << 63;

/// The number by which Raft knows a voter.
///
/// **Invariant:** never 0 and never given to another identity: directory ids are random. A stale
/// answer to a voter that was removed and came back is an answer to somebody else. Source: the
/// defect that etcd's and this Raft have when an id is used again within a term.
///
/// `pinned` are the directories of those that were named without one: with it they keep the number
/// that they have without.
pub(super) fn raft_id(key: VoterKey, pinned: &BTreeMap<NodeId, Uuid>) -> u64 {
    if key.directory.is_zero() || pinned.get(&key.id) == Some(&key.directory) {
        return u64::from(key.id.0.unsigned_abs()) + 1;
    }
    let (high, low) = key.directory.0.split_at(8);
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let directory = mix(mix(number(high)) ^ number(low));
    mix(directory ^ u64::from(key.id.0.unsigned_abs())) | OF_DIRECTORY
}

/// Whether a sender's number is one that its node and directory may have.
pub(super) fn is_consistent(address: Address) -> bool {
    let Address { raft_id: number, node, directory } = address;
    let (named, none) = (VoterKey { id: node, directory: Uuid::ZERO }, BTreeMap::new());
    let directed = VoterKey { id: node, directory };
    let numbers = [raft_id(named, &none), raft_id(directed, &none)];
    !directory.is_zero() && numbers.contains(&number)
}

pub(super) fn is_named_without_directory(raft_id: u64) -> bool {
    raft_id & OF_DIRECTORY == 0
}

/// What is known of the others, for answers and for `DescribeQuorum`. Nothing here is kept.
#[derive(Debug, Default)]
pub(super) struct Peers(BTreeMap<u64, Peer>);

#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) address: Address,
    pub(super) heard_at: Option<WallTime>,
    pub(super) caught_up_at: Option<WallTime>,
}

impl Peers {
    pub(super) fn know(&mut self, voters: &[Voter], pinned: &BTreeMap<NodeId, Uuid>) {
        for Voter { key, .. } in voters {
            let raft_id = raft_id(*key, pinned);
            let address = Address { raft_id, node: key.id, directory: key.directory };
            let peer = Peer { address, heard_at: None, caught_up_at: None };
            self.0.entry(raft_id).or_insert(peer);
        }
    }

    /// A message came from there.
    pub(super) fn hear(&mut self, from: Address, now: WallTime) {
        if self.0.len() >= REMEMBERED_MAX && !self.0.contains_key(&from.raft_id) {
            return;
        }
        let unknown = Peer { address: from, heard_at: None, caught_up_at: None };
        let peer = self.0.entry(from.raft_id).or_insert(unknown);
        (peer.address, peer.heard_at) = (from, Some(now));
    }

    pub(super) fn note_caught_up(&mut self, raft_id: u64, now: WallTime) {
        if let Some(peer) = self.0.get_mut(&raft_id) {
            peer.caught_up_at = Some(now);
        }
    }

    pub(super) fn get(&self, raft_id: u64) -> Option<&Peer> {
        self.0.get(&raft_id)
    }

    pub(super) fn node(&self, raft_id: u64) -> Option<NodeId> {
        self.0.get(&raft_id).map(|peer| peer.address.node)
    }

    /// The numbers of a node; two after its disk was replaced.
    pub(super) fn of_node(&self, node: NodeId) -> impl Iterator<Item = u64> + '_ {
        let of_node = self.0.values().filter(move |peer| peer.address.node == node);
        of_node.map(|peer| peer.address.raft_id)
    }
}
