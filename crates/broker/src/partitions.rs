//! The partitions of this broker.

mod partition;
mod table;

pub use partition::{Append, AppendRefused, Partition, PartitionParts};
pub use table::PartitionTable;
