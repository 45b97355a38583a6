//! A partition's bytes on disk, one writer.
//!
//! A log is a directory of segments in Kafka's format. [`PartitionLog`] is the one writer's handle;
//! [`LogReader`]s share its state and never wait for it long. [`LogDir`] is a directory of logs.
//!
//! **Architecture Invariant:** this crate knows batches, not requests: no wire version, no group,
//! no broker. It reaches the world through `env` only; every call blocks until the disk has
//! answered.

pub mod checkpoints;
pub mod cleaner;
mod commit;
mod config;
mod damage;
mod error;
pub mod file_names;
mod file_system_sync;
mod flush;
mod frame;
mod index_file;
mod index_rule;
mod leader_epoch_cache;
pub mod limits;
mod log;
mod log_dir_state;
mod log_dirs;
mod log_state;
mod meta_properties;
mod metrics;
mod offset_index;
mod open_files;
mod partition_dir;
mod producer_snapshot;
mod producer_state;
mod reader;
mod recovery;
pub mod retention;
mod segment;
mod small_files;
mod space;
mod time_index;
mod timestamps;
mod txn_index;
mod unsynced;
pub mod verify;

pub use self::metrics::{LogDirMetrics, StorageErrors};
pub use commit::{CommitParts, GroupCommit, Linger, OnCommit, Replayed, RunHere, RunJob};
pub use config::LogConfig;
pub use error::{AppendError, ReadError, StorageError};
pub use flush::{LogFlusher, flush_together};
pub use leader_epoch_cache::LeaderEpochCache;
pub use log::{AppendContext, Appended, FlushDue, PartitionLog};
pub use log_dirs::{FoundPartition, LogDir, LogSettings, NotClean, Remover, can_move};
pub use meta_properties::{MalformedProperties, MetaProperties};
pub use open_files::OpenFiles;
pub use producer_state::{ProducerState, ProducerStates, WrittenBatch};
pub use reader::{LogReader, ReadSlice};
pub use recovery::{Cut, RecoveryReport};
pub use segment::LatestTimestamp;
pub use space::space_reserve;
pub use timestamps::TimestampOffset;
pub use txn_index::AbortedTransaction;
pub use types::EpochEnd;
