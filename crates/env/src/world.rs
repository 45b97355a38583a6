use crate::{Background, Clock, Disk, Rng};

/// One world: a clock, a disk, a source of chance and other hands, which belong together.
///
/// **Invariant:** clones share the same world.
pub trait Env: Clone + Send + Sync + 'static {
    type Clock: Clock;
    type Disk: Disk;
    type Rng: Rng;
    type Background: Background;

    fn clock(&self) -> &Self::Clock;
    fn disk(&self) -> &Self::Disk;
    fn rng(&self) -> &Self::Rng;
    fn background(&self) -> &Self::Background;
}
