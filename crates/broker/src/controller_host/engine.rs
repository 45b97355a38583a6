use std::sync::Arc;

use bytes::Bytes;
use consensus::{
    ConsensusEngine, DeposedLeader, LogMark, MessageError, NodeId, ProposeError, QuorumStatus,
    RaftEngine, SingleVoter, Voter,
};
use env::Disk;
use metadata::MetadataImage;
use storage::{LogReader, StorageError};
use types::Offset;

use crate::metadata_log::StoredMetadataLog;

/// What agrees on the metadata log: this node alone, or several.
pub enum Engine<D: Disk> {
    Single(Box<SingleVoter<StoredMetadataLog<D>>>),
    Quorum(Box<RaftEngine<StoredMetadataLog<D>>>),
}

impl<D: Disk> Engine<D> {
    pub fn port(&mut self) -> &mut dyn ConsensusEngine {
        match self {
            Engine::Single(engine) => &mut **engine,
            Engine::Quorum(engine) => &mut **engine,
        }
    }

    pub fn status(&self) -> QuorumStatus {
        match self {
            Engine::Single(engine) => engine.status(),
            Engine::Quorum(engine) => engine.status(),
        }
    }

    pub fn deposed_leader(&self) -> Option<DeposedLeader> {
        match self {
            Engine::Single(engine) => engine.deposed_leader(),
            Engine::Quorum(engine) => engine.deposed_leader(),
        }
    }

    pub fn is_quorum(&self) -> bool {
        matches!(self, Engine::Quorum(_))
    }

    pub fn log_start(&self) -> Offset {
        match self {
            Engine::Single(engine) => engine.log_start(),
            Engine::Quorum(engine) => engine.log_start(),
        }
    }

    pub fn reader(&self) -> LogReader<D> {
        match self {
            Engine::Single(engine) => engine.log().reader(),
            Engine::Quorum(engine) => engine.log().reader(),
        }
    }

    /// What a snapshot says that the engine speaks of.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn snapshot(&self, mark: LogMark) -> Result<Arc<MetadataImage>, String> {
        match self {
            Engine::Single(engine) => engine.log().snapshot(mark),
            Engine::Quorum(engine) => engine.log().snapshot(mark),
        }
    }

    /// Who votes, with what is applied here; nobody where there is no quorum of several.
    pub fn voters(&self) -> Vec<Voter> {
        match self {
            Engine::Single(_) => Vec::new(),
            Engine::Quorum(engine) => engine.voters().to_vec(),
        }
    }

    pub fn close(self) -> Result<(), StorageError> {
        match self {
            Engine::Single(engine) => engine.into_log().close(),
            Engine::Quorum(engine) => engine.into_log().close(),
        }
    }

    pub fn handle_message(&mut self, message: Bytes) -> Result<(), MessageError> {
        self.port().handle_message(message)
    }

    pub fn handle_unreachable(&mut self, node: NodeId) {
        self.port().handle_unreachable(node);
    }

    /// Whether the node cannot go on after this.
    pub fn is_fatal(&self, error: ProposeError) -> bool {
        match self {
            Engine::Single(_) => error != ProposeError::NoRoom,
            Engine::Quorum(_) => error == ProposeError::Failed,
        }
    }
}
