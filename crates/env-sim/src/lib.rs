//! A simulated world: the ports of `env`, deterministic and full of faults.
//!
//! **Architecture Invariant:** the same seed and the same calls give the same world. No real clock,
//! no thread, no hash order, no real file.

mod background;
mod clock;
pub mod disk;
mod rng;
mod world;

pub use background::{SimBackground, SimLane};
pub use clock::SimClock;
pub use disk::{Crash, Operation, SimDisk, SimFile, SimLock};
pub use rng::SimRng;
pub use world::SimEnv;
