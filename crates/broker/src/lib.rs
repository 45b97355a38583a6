//! The broker: requests in, responses out. Rooms and corridors; no socket, no thread, no clock.
//!
//! Start reading at `api.rs`, the table of everything served; each row names its handler and the
//! rooms that it enters. `node.rs` puts the rooms together.
//!
//! **Architecture Invariant:** a handler is a plain function that answers at once or keeps its
//! `Reply`. Nothing here is async; whoever drives a [`Connection`] and the [`Timers`] is the world.
//! **Architecture Invariant:** wire versions end in `handlers`.

pub mod api;
mod authorized;
mod auto_creation;
mod cleaners;
mod cluster;
mod cold_reads;
mod controller_host;
mod coordinators;
mod deletion_wait;
mod directory_assignments;
mod failed_dirs;
mod fetch_changes;
mod fetch_reader;
mod fetch_sessions;
mod fetch_wait;
mod full_disks;
mod halt;
mod handlers;
pub mod health;
mod housekeeping;
mod internal_topics;
mod kraft_version;
mod leader_hints;
pub mod limits;
mod log_store;
mod metadata_cache;
mod metadata_fetch;
mod metadata_log;
mod metadata_publisher;
mod metadata_snapshot;
mod metadata_wait;
pub mod metrics;
mod network;
mod node;
mod observers;
mod partitions;
pub mod peers;
mod pending_produce;
mod producer_ids;
mod raft_voters;
mod registration;
mod removals;
mod replica_moves;
mod replicas;
mod request;
mod settings;
mod steady_time;
#[cfg(test)]
mod tests;
mod timers;
mod voter_endpoints;

pub use halt::Halt;
pub use network::{Company, Connection, ConnectionInfo, Disconnect, ResponseQueue};
pub use node::{Endpoint, Node, NodeOptions, OpenError};
pub use replicas::{Answered, NoAnswer, ReplicationLinks};
pub use timers::{Expire, TimerId, Timers};
