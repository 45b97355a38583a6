//! What hosts the coordinators' machines.

mod answer_timeouts;
mod group_host;
mod load;
mod shard_host;

pub use group_host::GroupHost;
