//! What administrators ask of a cluster, one subject a file.

pub mod cluster;
pub mod compaction;
pub mod configs;
pub mod groups;
pub mod members;
pub mod records;
pub mod topics;
