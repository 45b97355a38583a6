use crate::{OsClock, OsDisk, OsRng};
use env::Env;

/// The real world.
#[derive(Clone, Debug, Default)]
pub struct OsEnv {
    clock: OsClock,
    disk: OsDisk,
    rng: OsRng,
}

impl OsEnv {
    pub fn new() -> OsEnv {
        OsEnv::default()
    }
}

impl Env for OsEnv {
    type Clock = OsClock;
    type Disk = OsDisk;
    type Rng = OsRng;

    fn clock(&self) -> &OsClock {
        &self.clock
    }

    fn disk(&self) -> &OsDisk {
        &self.disk
    }

    fn rng(&self) -> &OsRng {
        &self.rng
    }
}
