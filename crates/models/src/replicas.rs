//! One partition on three brokers: in-sync set, high watermark, truncation, election.
//!
//! Fetches and their answers, changes of the in-sync set and their answers, metadata, syncs,
//! crashes, power losses, false suspicions and moves of the leader happen in every order. Time does
//! not pass: whatever a timer would do may happen at any moment.
//!
//! What is left out: a fetch and what the leader does with it are one step (the answer takes its
//! time); a broker that starts is registered at once; two messages to the same broker that say the
//! same are one.

mod checks;
mod decider;
mod defect;
mod following;
mod leading;
mod model;
mod world;
mod worlds;

pub use decider::{Command, Decider, Metadata};
pub use defect::Defect;
pub use model::{Bounds, ReplicasModel, Step};
pub use world::World;
pub use worlds::{FINDS, LARGE, SMALL, find};

/// Each holds a replica.
pub const BROKERS: usize = 3;
