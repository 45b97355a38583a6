//! A node in this process: simulated disk and clock, requests as bytes through `Connection`.
//!
//! Every test asks as a client would and looks at what a client sees. Time passes only when a test
//! says so.

mod adoption;
mod backpressure;
mod cold_reads;
mod compaction;
mod configs;
mod controllers;
mod deletion;
mod describing;
mod durability;
mod every_api;
mod failing_disk;
mod fetch_sessions;
mod fetch_waits;
mod group_membership;
mod group_offsets;
mod harness;
mod idempotence;
mod log_dirs;
mod log_lines;
mod metadata_snapshots;
mod metadata_trimming;
mod metrics;
mod offsets;
mod produce_refusals;
mod protocol_rules;
mod replica_moves;
mod restarts;
mod retention;
mod shorthand;
mod topic_ids;
mod topics;
mod turns;
