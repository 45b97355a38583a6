//! The ports to the world: traits only. Production implements them in `env-os`, the simulator in `sim`.
//!
//! **Architecture Invariant:** white and grey crates reach clocks, chance and disks only through
//! this crate. Sockets are not a port: the broker is a machine that is handed frames and yields
//! frames (`broker::connection`), so a simulator needs no network to drive it.

mod clock;
mod disk;
mod rng;

pub use clock::Clock;
pub use disk::{DirEntry, Disk, DiskFile, OpenMode};
pub use rng::Rng;

/// One world: a clock, a disk and a source of chance that belong together.
///
/// **Invariant:** clones share the same world.
pub trait Env: Clone + Send + Sync + 'static {
    type Clock: Clock;
    type Disk: Disk;
    type Rng: Rng;

    fn clock(&self) -> &Self::Clock;
    fn disk(&self) -> &Self::Disk;
    fn rng(&self) -> &Self::Rng;
}
