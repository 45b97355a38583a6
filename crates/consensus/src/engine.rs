use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use types::{MonoTime, Offset, Uuid, WallTime};

use crate::limits::{PROPOSAL_BYTES_MAX, PROPOSAL_RECORDS_MAX};
use crate::{
    Epoch, LogMark, MessageError, NodeId, OutboundMessage, Voter, VoterChange, VoterChangeError,
    VoterEndpoint,
};

/// A log of batches on which the voters agree, with at most one leader in an epoch.
///
/// Call order: drain [`poll_event`](Self::poll_event) after creation, after every
/// [`propose`](Self::propose) and after every [`handle_timeout`](Self::handle_timeout); wake up at
/// [`poll_timeout`](Self::poll_timeout). `now` never goes back.
///
/// An engine whose voters talk through us, and not through a coordinator of their own, gives its
/// messages away in [`poll_message`](Self::poll_message) and takes those of others in
/// [`handle_message`](Self::handle_message). The host drains both polls after every call:
/// `while let Some(m) = poll_message() { send(m) }`, then `while let Some(e) = poll_event() {…}`,
/// until both are empty. What leaves first needs no sync; the sync is made by whichever poll finds
/// nothing else to do. The network may lose, double, delay and reorder messages. One message is
/// at most [`MESSAGE_BYTES_MAX`](crate::limits::MESSAGE_BYTES_MAX) long.
///
/// A panic of an engine means that an invariant broke: the process must end. Nobody catches it to
/// go on.
///
/// The contract, which every engine's tests hold:
/// 1. Epochs grow strictly from reign to reign, cluster-wide.
/// 2. A batch is atomic. It carries its epoch and base offset; offsets count records and are dense.
/// 3. Batches arrive as [`EngineEvent::Committed`] on every node: in order, none skipped, none
///    twice, and not before they are durable on a majority of voters. What an
///    [`EngineEvent::Installed`] covers counts as delivered.
/// 4. An accepted proposal is not an answer. The answer is its `Committed`, or `Follow`: then its
///    fate is unknown to this reign and callers are told NOT_CONTROLLER.
/// 5. [`EngineEvent::Leader`] comes after every earlier commit was delivered: whoever applied
///    those knows all there is to know.
///
/// Source: KIP-595, KIP-631.
#[doc(alias = "RaftClient")]
pub trait ConsensusEngine {
    /// Appends one batch as leader of `epoch`, if it would land at `base_offset`.
    ///
    /// `base_offset` is what the caller computed the records against; a mismatch means that they
    /// were decided from another state.
    fn propose(
        &mut self,
        epoch: Epoch,
        base_offset: Offset,
        records: Vec<Bytes>,
        now: WallTime,
    ) -> Result<(), ProposeError>;

    /// The next thing that happened. For a leader this may block on the disk: what was proposed
    /// since the last call becomes durable in one sync.
    fn poll_event(&mut self) -> Option<EngineEvent>;

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    fn poll_timeout(&self) -> Option<MonoTime>;

    fn handle_timeout(&mut self, now: MonoTime);

    /// Takes in what another voter's [`poll_message`](Self::poll_message) gave away, from a sender
    /// that was authenticated as a node of this cluster.
    ///
    /// # Errors
    /// Nothing of the message was taken in. It may be dropped: all of them may.
    fn handle_message(&mut self, message: Bytes) -> Result<(), MessageError> {
        drop(message);
        Err(MessageError::NoVoters)
    }

    /// The next message to another voter. May block on the disk, as
    /// [`poll_event`](Self::poll_event).
    fn poll_message(&mut self) -> Option<OutboundMessage> {
        None
    }

    /// A message to `node` could not be sent: the engine stops streaming to it until it answers.
    fn handle_unreachable(&mut self, node: NodeId) {
        let _ = node;
    }

    /// Adds, removes or moves one voter, as leader of `epoch`. It holds once the batch that says
    /// so is committed; then [`status`](Self::status) shows it. Returns the offset after that
    /// batch.
    ///
    /// # Errors
    /// Nothing changes.
    fn change_voters(
        &mut self,
        epoch: Epoch,
        change: VoterChange,
        now: WallTime,
    ) -> Result<Offset, VoterChangeError> {
        let _ = (epoch, change, now);
        Err(VoterChangeError::Unsupported)
    }

    /// Lets go of the log below `snapshot`, which is durable and whole in the log's directory, as
    /// is a later one. Returns false, and nothing changes, unless all below it is committed and a
    /// batch ends there.
    ///
    /// # Errors
    /// The log failed, as [`EngineEvent::Fatal`] will say too.
    fn trim(&mut self, snapshot: LogMark) -> io::Result<bool> {
        let _ = snapshot;
        Ok(false)
    }

    /// Whether another voter can only be brought up by a snapshot that this host is yet to write.
    fn wants_snapshot(&self) -> bool {
        false
    }

    /// Asks the other voters whether this node still leads in `epoch`, which it may not know: it
    /// may have slept. Returns the number of the question; `None` if it does not lead.
    ///
    /// Once [`confirmed`](Self::confirmed) is as high, it led after this was called. If that never
    /// happens, `Follow` says why, sooner or later. Source: ReadIndex, Raft §6.4.
    fn confirm(&mut self, epoch: Epoch) -> Option<u64> {
        let _ = epoch;
        None
    }

    /// The last question of [`confirm`](Self::confirm) to which a majority has said yes; so it has
    /// to all before. It is asked after the polls.
    fn confirmed(&self) -> u64 {
        0
    }

    /// Gives up the reign of `epoch`, if it still lasts. Never blocks, never fails.
    fn resign(&mut self, epoch: Epoch);

    /// While this node leads: who led before it, if this node heard of that one.
    fn deposed_leader(&self) -> Option<DeposedLeader> {
        None
    }

    /// What `DescribeQuorum` shows.
    fn status(&self) -> QuorumStatus;
}

/// The leader before the one that asks, and what is known of its silence when this reign began.
/// Time in which a voter did not run is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeposedLeader {
    pub node: NodeId,
    /// How long this node had not heard it. Others may have: nothing but their votes tells.
    pub silent: Duration,
    /// How long it had not been confirmed at the least: what was asked with
    /// [`confirm`](ConsensusEngine::confirm) later than that was not answered with yes.
    pub missed: Duration,
}

/// What an engine tells the node that it runs on.
#[derive(Debug)]
pub enum EngineEvent {
    /// This node leads from now on; the next proposal lands at `next`.
    Leader {
        epoch: Epoch,
        next: Offset,
    },
    /// Another node leads, or none is known. Proposals of this node that are not committed by now
    /// may or may not survive; nothing speculative may be kept. Said again when it has become known
    /// where voters listen, perhaps that leader.
    Follow {
        epoch: Epoch,
        leader: Option<NodeId>,
    },
    Committed(CommittedBatch),
    /// What the host knows is to be what the snapshot of this name says, which lies beside the log:
    /// at a start, or when this voter was too far behind. The next batch is the one behind it.
    Installed(LogMark),
    /// The log cannot be trusted any further (a failed write or sync, a log that ends in the
    /// middle). The node must stop serving as a controller; a restart re-reads what is durable.
    Fatal(io::Error),
}

/// A batch that no failure of a minority of voters can take back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedBatch {
    pub epoch: Epoch,
    pub base_offset: Offset,
    /// **Invariant:** `base_offset + records.len() - 1`, unless the batch is the engine's own (a
    /// leader change): such a batch has offsets and no records.
    pub last_offset: Offset,
    /// When the leader appended it.
    pub appended_at: WallTime,
    pub records: Vec<Bytes>,
    /// At which level `kraft.version` is finalized from here on, if a batch of the engine's own
    /// says so.
    pub kraft_version: Option<i16>,
}

impl CommittedBatch {
    /// The offset of the batch that follows.
    pub fn next_offset(&self) -> Offset {
        self.last_offset.plus(1)
    }
}

/// Why a proposal was not appended. Nothing of it is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposeError {
    /// This node does not lead, or leads in another epoch → `NOT_CONTROLLER`.
    NotLeader,
    /// The batch would land at `next` instead → decide again.
    WrongOffset { next: Offset },
    /// More than `bytes_max` record bytes or [`PROPOSAL_RECORDS_MAX`] records, or no record at all
    /// → split it, or refuse the request.
    BadSize { bytes: usize, bytes_max: usize },
    /// Too much is in flight → wait for a commit.
    Busy,
    /// The disk is full → later there may be room.
    NoRoom,
    /// The log failed earlier; [`EngineEvent::Fatal`] said why.
    Failed,
}

impl ProposeError {
    /// The size that every engine takes, in bytes: another engine may go on with the log.
    ///
    /// # Errors
    /// [`BadSize`](ProposeError::BadSize).
    pub(crate) fn check_size(records: &[Bytes]) -> Result<usize, ProposeError> {
        let bytes = records.iter().map(Bytes::len).sum();
        if bytes == 0 || bytes > PROPOSAL_BYTES_MAX || records.len() > PROPOSAL_RECORDS_MAX {
            return Err(ProposeError::BadSize { bytes, bytes_max: PROPOSAL_BYTES_MAX });
        }
        Ok(bytes)
    }
}

impl fmt::Display for ProposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProposeError::NotLeader => f.write_str("this node does not lead the metadata log"),
            ProposeError::WrongOffset { next } => {
                write!(f, "the next batch of the metadata log starts at offset {next}")
            }
            ProposeError::BadSize { bytes, bytes_max } => {
                write!(
                    f,
                    "a metadata batch has 1 to {bytes_max} record bytes in at most \
                     {PROPOSAL_RECORDS_MAX} records, not {bytes} bytes"
                )
            }
            ProposeError::Busy => f.write_str("too many metadata batches are in flight"),
            ProposeError::NoRoom => f.write_str("the disk of the metadata log is full"),
            ProposeError::Failed => f.write_str("the metadata log has failed"),
        }
    }
}

impl std::error::Error for ProposeError {}

/// The quorum as one node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumStatus {
    pub leader: Option<NodeId>,
    pub leader_epoch: Epoch,
    /// Offsets below are committed.
    pub high_watermark: Offset,
    /// In id order.
    pub voters: Vec<VoterStatus>,
    /// Who is sent the log without voting, as the leader knows.
    pub observers: Vec<VoterStatus>,
    /// Where voters listen, as a leader has told this node, which does not vote.
    pub told: Vec<Voter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoterStatus {
    pub id: NodeId,
    /// The log directory with which it votes; zero if the voters were named without.
    pub directory: Uuid,
    /// Where it listens, as far as the quorum knows.
    pub endpoints: Vec<VoterEndpoint>,
    /// Up to where its log is known to be equal to the leader's. Only the leader knows others'.
    pub log_end: Option<Offset>,
    /// When the leader last heard from it.
    pub heard_at: Option<WallTime>,
    /// When the leader last knew it to have everything.
    pub caught_up_at: Option<WallTime>,
}

impl VoterStatus {
    /// A voter of which nothing but its log end is to be told.
    pub fn at(id: NodeId, log_end: Offset) -> VoterStatus {
        let (heard_at, caught_up_at) = (None, None);
        let (directory, endpoints, log_end) = (Uuid::ZERO, Vec::new(), Some(log_end));
        VoterStatus { id, directory, endpoints, log_end, heard_at, caught_up_at }
    }
}
