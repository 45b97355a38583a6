//! The partitions of this broker.

mod early_refusals;
mod few;
mod owner;
mod partition;
mod refused_runs;
mod table;
mod turns;

pub use owner::{
    Acks, Append, AppendDone, AppendRefused, GatePassed, HearAppended, NotAppended, RequestPlace,
};
pub use partition::{Followed, OnSynced, Partition, PartitionParts};
pub use table::PartitionTable;
pub use turns::DueTurns;
