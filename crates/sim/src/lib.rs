//! The simulator: a whole node, clients, a network and faults on one seeded queue.
//!
//! **Architecture Invariant:** the same seed gives the same trace. Production code does not know
//! that it runs here: the world comes in through `env`, bytes through `broker::Connection`.

pub mod actors;
pub mod cluster;
pub mod run;
pub mod trace;
pub mod wire;
pub mod world;
