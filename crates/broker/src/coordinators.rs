//! What hosts the coordinators' machines.

mod group_host;
mod load;

pub use group_host::GroupHost;
