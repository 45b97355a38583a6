use crate::{OsBackground, OsClock, OsDisk, OsRng};
use env::Env;

/// The real world.
#[derive(Clone, Debug, Default)]
pub struct OsEnv {
    clock: OsClock,
    disk: OsDisk,
    rng: OsRng,
    background: OsBackground,
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
    type Background = OsBackground;

    fn clock(&self) -> &OsClock {
        &self.clock
    }

    fn disk(&self) -> &OsDisk {
        &self.disk
    }

    fn rng(&self) -> &OsRng {
        &self.rng
    }

    fn background(&self) -> &OsBackground {
        &self.background
    }
}
