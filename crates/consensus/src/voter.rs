use std::fmt;

use bytes::Bytes;
use types::Uuid;

use crate::NodeId;

/// Who votes: a node with one log directory. The same node with another disk is somebody else.
///
/// **Invariant:** a directory id is random, so an identity that was removed never comes back.
/// Source: KIP-853.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "ReplicaKey")]
pub struct VoterKey {
    pub id: NodeId,
    /// Zero for a voter that was named by its node id alone (`controller.quorum.voters`).
    pub directory: Uuid,
}

impl fmt::Display for VoterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.directory.is_zero() {
            return self.id.fmt(f);
        }
        write!(f, "{}-{}", self.id, self.directory)
    }
}

/// A member of the quorum and where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "VoterNode")]
pub struct Voter {
    pub key: VoterKey,
    pub endpoints: Vec<VoterEndpoint>,
}

/// Where a voter listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoterEndpoint {
    pub listener: String,
    pub host: String,
    pub port: u16,
}

/// A message from this voter, to be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundMessage {
    pub to: NodeId,
    pub bytes: Bytes,
}

/// To whom a node speaks that does not know who votes: the host sends it wherever it may be that
/// the quorum is known.
pub const ANY_VOTER: NodeId = NodeId(-1);

/// One step of a change of members. Larger ones are several steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoterChange {
    Add(Voter),
    Remove(VoterKey),
    /// The same voter listens elsewhere.
    Update(Voter),
    /// `kraft.version` 1. Voters that were named without directories have these from then on: all
    /// of them are listed, with the directories that were met. Where they have directories already
    /// nothing is listed, and the log says the level. Source: Kafka
    /// `LeaderState.maybeAppendUpgradedKRaftVersion`.
    FinalizeKRaftVersion(Vec<Voter>),
}

/// Why the voters stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoterChangeError {
    /// The engine's voters are not ours to change, or were named by their node ids alone
    /// (`controller.quorum.voters`, `kraft.version` 0) → `UNSUPPORTED_VERSION`.
    Unsupported,
    /// This node does not lead, or leads in another epoch → `NOT_CONTROLLER`.
    NotLeader,
    /// An earlier change is not committed yet → `REQUEST_TIMED_OUT`, wait for it.
    Busy,
    /// The disk is full → `REQUEST_TIMED_OUT`, later there may be room.
    NoRoom,
    /// It does not observe, or has not all of the log yet: commits would wait for it →
    /// `REQUEST_TIMED_OUT`.
    NotCaughtUp,
    /// Fewer than a majority of those that would vote were heard of lately → `REQUEST_TIMED_OUT`.
    NoMajority,
    /// An endpoint that cannot be written down → `INVALID_REQUEST`.
    BadEndpoint,
    /// Such a node votes already → `DUPLICATE_VOTER`.
    Duplicate,
    /// It does not vote → `VOTER_NOT_FOUND`.
    NotFound,
    /// It was a voter once and was removed → format its directory anew, for another id.
    Retired,
    /// A voter is added with the id of its directory → name it; or it was not met yet, and its
    /// directory is not known.
    NoDirectory,
    /// The last voter stays, and there are at most [`VOTERS_MAX`](crate::limits::VOTERS_MAX).
    BadCount,
}

impl fmt::Display for VoterChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VoterChangeError::Unsupported => {
                "the voters were named without log directories: they are not changed online"
            }
            VoterChangeError::NotLeader => "this node does not lead the metadata log",
            VoterChangeError::Busy => "another change of voters is on its way",
            VoterChangeError::NoRoom => "the disk of the metadata log is full",
            VoterChangeError::NotCaughtUp => "the node does not have all of the metadata log yet",
            VoterChangeError::NoMajority => {
                "fewer than a majority of those that would vote were heard of lately"
            }
            VoterChangeError::BadEndpoint => {
                "a voter has 1 to 16 endpoints, each a name, a host and a port"
            }
            VoterChangeError::Duplicate => "the node votes already",
            VoterChangeError::NotFound => "there is no such voter",
            VoterChangeError::Retired => {
                "this directory voted once and was removed; format it anew, then add the node"
            }
            VoterChangeError::NoDirectory => "a voter is added with the id of its directory",
            VoterChangeError::BadCount => "a quorum has 1 to 31 voters",
        })
    }
}

impl std::error::Error for VoterChangeError {}

/// Why a message was not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// The engine's voters do not talk through us.
    NoVoters,
    /// The bytes are no message of a version that is known here.
    Malformed(&'static str),
    /// It was meant for another node, or for another directory of this one.
    NotForUs,
    /// The sender votes with another directory than this node knows it by: its disk was replaced,
    /// or two nodes have one id.
    WrongDirectory { sender: NodeId, known: Uuid, found: Uuid },
    /// The engine failed earlier.
    Failed,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MessageError::NoVoters => f.write_str("the voters of this engine send no messages"),
            MessageError::Malformed(why) => write!(f, "no message between voters: {why}"),
            MessageError::NotForUs => f.write_str("the message is for another voter"),
            MessageError::WrongDirectory { sender, known, found } => write!(
                f,
                "voter {sender} is known by log directory {known} and came with {found}; remove it \
                 from the quorum, then add it with its directory"
            ),
            MessageError::Failed => f.write_str("the metadata log has failed"),
        }
    }
}

impl std::error::Error for MessageError {}
