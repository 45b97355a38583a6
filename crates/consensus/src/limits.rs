//! Bounds of the metadata log.

/// Record bytes in one proposal. 10,000 records (the controller's bound per command) of 800 bytes
/// fit; ZooKeeper's 900 kB is a tighter bound that its own engine will announce.
pub const PROPOSAL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Batches that are appended and not yet durable. A host that drains events after every proposal
/// has one; past this the engine says `Busy` instead of growing.
pub const UNSYNCED_BATCHES_MAX: usize = 1024;
