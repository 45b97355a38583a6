//! The replicated, fenced metadata log behind one port. Records are opaque bytes here.
//!
//! [`ConsensusEngine`] is the contract; [`SingleVoter`] keeps it over one durable log,
//! [`MemoryEngine`] over none (tests). A quorum of voters or an external coordinator is another
//! implementation, not another contract. [`Gate`] stands in front of whatever applies the batches
//! and makes a batch from the past harmless on every engine.
//!
//! **Architecture Invariant:** nothing here reads a clock, draws a random number or opens a file;
//! the log is reached through [`MetadataLog`], which the host implements.

mod engine;
mod epoch;
mod gate;
pub mod limits;
mod memory;
mod metadata_log;
mod single_voter;

pub use engine::{
    CommittedBatch, ConsensusEngine, EngineEvent, ProposeError, QuorumStatus, VoterStatus,
};
pub use epoch::{Epoch, NodeId};
pub use gate::{Gate, GateVerdict};
pub use memory::{MemoryEngine, MemoryLog, MemoryQuorum};
pub use metadata_log::{LogBatch, MetadataLog};
pub use single_voter::SingleVoter;
