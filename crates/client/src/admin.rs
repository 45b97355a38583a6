//! What administrators ask of a cluster, one subject a file.

pub mod cluster;
pub mod compaction;
pub mod configs;
pub mod features;
pub mod groups;
pub mod members;
pub mod quorum;
pub mod reassignments;
pub mod records;
pub mod replica_dirs;
pub mod topics;
