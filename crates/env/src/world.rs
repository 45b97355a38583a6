use crate::{Clock, Disk, Rng};

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
