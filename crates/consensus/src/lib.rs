//! The replicated, fenced metadata log behind one port. Records are opaque bytes here.
//!
//! [`ConsensusEngine`] is the contract; [`RaftEngine`] keeps it over the logs of a quorum of
//! voters, [`SingleVoter`] over one durable log, [`MemoryEngine`] over none (tests). An external
//! coordinator is another implementation, not another contract. [`Gate`] stands in front of
//! whatever applies the batches and makes a batch from the past harmless on every engine.
//!
//! **Architecture Invariant:** nothing here reads a clock, draws a random number or opens a file;
//! the log is reached through [`MetadataLog`], which the host implements.

mod engine;
mod epoch;
mod gate;
pub mod limits;
mod memory;
mod memory_log;
mod metadata_log;
mod raft;
mod single_voter;
mod voter;

pub use engine::{
    CommittedBatch, ConsensusEngine, DeposedLeader, EngineEvent, ProposeError, QuorumStatus,
    VoterStatus,
};
pub use epoch::{Epoch, NodeId};
pub use gate::{Gate, GateVerdict};
pub use memory::{MemoryEngine, MemoryQuorum};
pub use memory_log::{MemoryLog, SNAPSHOT_END};
pub use metadata_log::{ControlBatch, LogBatch, LogMark, MetadataLog};
pub use raft::{RaftEngine, RaftOptions, RaftTiming};
pub use single_voter::SingleVoter;
pub use voter::{
    ANY_VOTER, MessageError, OutboundMessage, Voter, VoterChange, VoterChangeError, VoterEndpoint,
    VoterKey,
};
