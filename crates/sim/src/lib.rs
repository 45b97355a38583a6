//! A simulated world: the ports of `env`, deterministic and full of faults.
//!
//! **Architecture Invariant:** the same seed and the same calls give the same world. No clock, no
//! thread, no hash order, no real file.

pub mod disk;

pub use disk::{Crash, SimDisk, SimFile, SimLock};
