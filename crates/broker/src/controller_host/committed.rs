//! For those who fetch the metadata log.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use env::Env;
use storage::{LogReader, ReadError};
use types::{ErrorCode, Offset};

use super::ControllerHost;
use crate::metadata_fetch::CommitWait;
use crate::metadata_snapshot::SnapshotId;

impl<E: Env> ControllerHost<E> {
    /// Whole committed batches from the one that holds `from` on, as they lie in the log.
    ///
    /// # Errors
    /// What a fetch is answered.
    pub fn read_committed(&self, from: Offset, bytes_max: usize) -> Result<Bytes, ErrorCode> {
        let log = self.log.as_ref().ok_or(ErrorCode::NotLeaderOrFollower)?;
        let committed = self.committed();
        if from >= committed {
            return Ok(Bytes::new());
        }
        match log.read(from, bytes_max, committed, true) {
            Ok(slice) => Ok(slice.bytes),
            Err(ReadError::OffsetOutOfRange { .. }) => Err(ErrorCode::OffsetOutOfRange),
            Err(_) => Err(ErrorCode::KafkaStorageError),
        }
    }

    /// Whether [`read_committed`](Self::read_committed) would not have to wait for the disk.
    pub fn is_at_hand(&self, from: Offset, bytes_max: usize) -> bool {
        self.log.as_ref().is_none_or(|log| log.is_at_hand(from, bytes_max))
    }

    /// The first offset that [`read_committed`](Self::read_committed) has.
    pub fn log_start(&self) -> Offset {
        self.log.as_ref().map_or(Offset::ZERO, LogReader::log_start)
    }

    /// The oldest snapshot behind which the log goes on.
    pub fn oldest_snapshot(&self) -> Option<SnapshotId> {
        self.snapshots.oldest()
    }

    /// The newest snapshot of what is committed.
    pub fn newest_snapshot(&self) -> Option<SnapshotId> {
        self.snapshots.newest()
    }

    /// How long a snapshot is, and a part of it.
    ///
    /// # Errors
    /// What a fetch of it is answered.
    pub fn read_snapshot(
        &self,
        id: SnapshotId,
        position: i64,
        bytes_max: usize,
    ) -> Result<(u64, Bytes), ErrorCode> {
        self.snapshots.read(id, position, bytes_max)
    }

    /// `wait` is completed by the next commit.
    pub fn add_wait(&self, wait: Arc<CommitWait>) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.retain(|wait| !wait.is_over());
        waits.push(wait);
    }
}
