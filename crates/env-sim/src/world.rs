use env::Env;

use crate::{SimClock, SimDisk, SimRng};

/// One simulated machine.
#[derive(Clone, Debug)]
pub struct SimEnv {
    clock: SimClock,
    disk: SimDisk,
    rng: SimRng,
}

impl SimEnv {
    pub fn new(seed: u64) -> SimEnv {
        SimEnv {
            clock: SimClock::default(),
            disk: SimDisk::new(seed),
            // Its own stream, so that the broker's draws do not shift those of the world.
            rng: SimRng::new(seed ^ 0xb10c),
        }
    }

    /// The machine as the process that starts now has it: its disk is dead after the next crash.
    pub fn for_process(&self) -> SimEnv {
        SimEnv { disk: self.disk.for_process(), ..self.clone() }
    }
}

impl Env for SimEnv {
    type Clock = SimClock;
    type Disk = SimDisk;
    type Rng = SimRng;

    fn clock(&self) -> &SimClock {
        &self.clock
    }

    fn disk(&self) -> &SimDisk {
        &self.disk
    }

    fn rng(&self) -> &SimRng {
        &self.rng
    }
}
