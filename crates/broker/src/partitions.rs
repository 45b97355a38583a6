//! The partitions of this broker.

mod owner;
mod partition;
mod table;
mod turns;

pub use owner::{Acks, Append, AppendRefused, GatePassed};
pub use partition::{Followed, OnSynced, Partition, PartitionParts};
pub use table::PartitionTable;
pub use turns::DueTurns;
