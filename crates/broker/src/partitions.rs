//! The partitions of this broker.

mod owner;
mod partition;
mod table;

pub use owner::{Append, AppendRefused, GatePassed};
pub use partition::{Partition, PartitionParts};
pub use table::PartitionTable;
