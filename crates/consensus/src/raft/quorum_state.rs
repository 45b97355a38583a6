//! `quorum-state`: what a voter must not forget.   docs/formats/quorum-state.md
//!
//! ```text
//! version 1
//! directory 3Db5QLSqSZieL3rJBUUegA
//! self 2
//! term 5
//! vote 3
//! commit 812
//! first 9 4 97
//! restarting
//! voters-index 17
//! voter 1 AAAAAAAAAAAAAAAAAAAAAA CONTROLLER://10.0.0.1:9093
//! peer 1 3Db5QLSqSZieL3rJBUUegA
//! retired 9223372036854775811
//! crc32c 0f3a9c11
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use types::{Offset, Uuid};

use super::peers::raft_id;
use crate::limits::REMEMBERED_MAX;
use crate::{NodeId, Voter, VoterEndpoint, VoterKey};

/// **Invariant:** durable before any message that follows from it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuorumState {
    /// The log directory that this state belongs to.
    pub(super) directory: Uuid,
    /// The Raft id of this node.
    pub(super) self_id: u64,
    pub(super) term: u64,
    /// Whom this node voted for in `term`, or 0.
    pub(super) vote: u64,
    /// A lower bound of what is committed; the configuration below is the one at this index, or
    /// older.
    pub(super) commit: u64,
    /// The index of the first batch in the log, and the term before it.
    pub(super) first: (u64, u64),
    /// Where that batch begins. What the log has before it has been let go of.
    pub(super) start: Offset,
    /// Nothing in the log counts: it is to begin anew at `start`, where a snapshot ends.
    pub(super) restarts: bool,
    /// Who votes, as of `voters_index`.
    pub(super) voters: Vec<Voter>,
    pub(super) voters_index: u64,
    /// The directory by which a voter that was named without one was first met, or with which it
    /// votes since `kraft.version` 1. It keeps its Raft id.
    pub(super) peers: BTreeMap<NodeId, Uuid>,
    /// Raft ids that were removed: they do not come back.
    pub(super) retired: BTreeSet<u64>,
}

const VERSION: &str = "1";

/// Whether these are bytes of ours, whole or not. Kafka's file of the same name is JSON.
pub(super) fn is_ours(bytes: &[u8]) -> bool {
    !bytes.starts_with(b"{")
}

impl QuorumState {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut text = format!(
            "version {VERSION}\ndirectory {}\nself {}\nterm {}\nvote {}\ncommit {}\nfirst {} {}",
            self.directory,
            self.self_id,
            self.term,
            self.vote,
            self.commit,
            self.first.0,
            self.first.1,
        );
        // A log that was never trimmed starts at 0.
        if self.start > Offset::ZERO {
            let _ = write!(text, " {}", self.start);
        }
        let _ = writeln!(text, "\nvoters-index {}", self.voters_index);
        if self.restarts {
            text.push_str("restarting\n");
        }
        for Voter { key, endpoints } in &self.voters {
            let _ = write!(text, "voter {} {}", key.id, key.directory);
            for VoterEndpoint { listener, host, port } in endpoints {
                let _ = write!(text, " {listener}://{host}:{port}");
            }
            text.push('\n');
        }
        for (id, directory) in &self.peers {
            let _ = writeln!(text, "peer {id} {directory}");
        }
        for id in &self.retired {
            let _ = writeln!(text, "retired {id}");
        }
        let _ = writeln!(text, "crc32c {:08x}", crc(text.as_bytes()));
        text.into_bytes()
    }

    /// `None` if it is not what [`encode`](Self::encode) wrote.
    pub(super) fn decode(bytes: &[u8]) -> Option<QuorumState> {
        let text = std::str::from_utf8(bytes).ok()?;
        let body_bytes = text.trim_end_matches('\n').rfind('\n')? + 1;
        let (body, seal) = text.split_at(body_bytes);
        let sum = seal.strip_prefix("crc32c ")?.strip_suffix('\n')?;
        if u32::from_str_radix(sum, 16).ok()? != crc(body.as_bytes()) {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != format!("version {VERSION}") {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let directory = field("directory")?.parse().ok()?;
        let mut number = |name: &str| field(name)?.parse::<u64>().ok();
        let (self_id, term) = (number("self")?, number("term")?);
        let (vote, commit) = (number("vote")?, number("commit")?);
        let mut words = field("first")?.split(' ');
        let first = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let start = Offset(words.next().map_or(Some(0), |start| start.parse().ok())?);
        let voters_index = field("voters-index")?.parse().ok()?;
        let (voters, peers, retired) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let mut state = QuorumState {
            directory,
            self_id,
            term,
            vote,
            commit,
            first,
            start,
            restarts: false,
            voters,
            voters_index,
            peers,
            retired,
        };
        lines.try_for_each(|line| state.read_line(line))?;
        Some(state)
    }

    pub(super) fn raft_id(&self, key: VoterKey) -> u64 {
        raft_id(key, &self.peers)
    }

    fn read_line(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        match words.next()? {
            "voter" => {
                let key = read_key(&mut words)?;
                let endpoints = words.map(read_endpoint).collect::<Option<_>>()?;
                self.voters.push(Voter { key, endpoints });
            }
            "peer" => {
                let key = read_key(&mut words)?;
                self.peers.insert(key.id, key.directory);
            }
            "restarting" => self.restarts = true,
            "retired" => {
                self.retired.insert(words.next()?.parse().ok()?);
            }
            _ => return None,
        }
        Some(())
    }

    /// Remembers that the identity was removed. The oldest ids are not known as such, so the
    /// smallest makes room.
    pub(super) fn retire(&mut self, raft_id: u64) {
        self.retired.insert(raft_id);
        if self.retired.len() > REMEMBERED_MAX {
            self.retired.pop_first();
        }
    }
}

fn read_key<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<VoterKey> {
    Some(VoterKey {
        id: NodeId(words.next()?.parse().ok()?),
        directory: words.next()?.parse().ok()?,
    })
}

fn read_endpoint(word: &str) -> Option<VoterEndpoint> {
    let (listener, address) = word.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let (listener, host) = (listener.to_owned(), host.to_owned());
    Some(VoterEndpoint { listener, host, port: port.parse().ok()? })
}

fn crc(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> QuorumState {
        let endpoint =
            VoterEndpoint { listener: "CONTROLLER".to_owned(), host: "::1".to_owned(), port: 9093 };
        let key = |id, byte| VoterKey { id: NodeId(id), directory: Uuid([byte; 16]) };
        QuorumState {
            directory: Uuid([7; 16]),
            self_id: 2,
            term: 5,
            vote: 3,
            commit: 812,
            first: (10, 4),
            start: Offset(97),
            restarts: true,
            voters: vec![
                Voter { key: key(1, 0), endpoints: vec![endpoint] },
                Voter { key: key(2, 9), endpoints: vec![] },
            ],
            voters_index: 17,
            peers: BTreeMap::from([(NodeId(1), Uuid([7; 16]))]),
            retired: BTreeSet::from([u64::MAX]),
        }
    }

    #[test]
    fn a_quorum_state_reads_as_it_was_written_and_a_torn_one_not_at_all() {
        let bytes = state().encode();
        assert_eq!(QuorumState::decode(&bytes), Some(state()));
        for cut in 0..bytes.len() {
            assert_eq!(QuorumState::decode(&bytes[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_byte_in_a_quorum_state_is_found() {
        let bytes = state().encode();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(QuorumState::decode(&changed), None, "byte {at}");
        }
    }
}
