//! The ports to the world: traits only. Production implements them in `env-os`, the simulator in
//! `env-sim`.
//!
//! **Architecture Invariant:** white and grey crates reach clocks, chance, disks and threads only
//! through this crate. Sockets are not a port: the broker is a machine that is handed frames and
//! yields frames (`broker::connection`), so a simulator needs no network to drive it.

mod background;
mod clock;
mod disk;
mod rng;
mod world;

pub use background::{Background, Job, Lane};
pub use clock::Clock;
pub use disk::{DirEntry, Disk, DiskFile, OpenMode};
pub use rng::Rng;
pub use world::Env;
