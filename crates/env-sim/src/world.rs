use std::time::Duration;

use env::Env;

use crate::{SimBackground, SimClock, SimDisk, SimRng};

/// One simulated machine.
#[derive(Clone, Debug)]
pub struct SimEnv {
    clock: SimClock,
    disk: SimDisk,
    rng: SimRng,
    background: SimBackground,
}

impl SimEnv {
    pub fn new(seed: u64) -> SimEnv {
        let clock = SimClock::default();
        let chance = SimRng::new(seed ^ 0x1a9e);
        SimEnv {
            background: SimBackground::new(clock.clone(), chance, Duration::ZERO),
            clock,
            disk: SimDisk::new(seed),
            // Its own stream, so that the broker's draws do not shift those of the world.
            rng: SimRng::new(seed ^ 0xb10c),
        }
    }

    /// Another machine at the same time: with a disk, chance and hands of its own.
    pub fn beside(&self, seed: u64) -> SimEnv {
        let other = SimEnv::new(seed);
        let clock = self.clock.clone();
        let chance = SimRng::new(seed ^ 0x1a9e);
        let background = SimBackground::new(clock.clone(), chance, Duration::ZERO);
        SimEnv { clock, background, ..other }
    }

    /// The machine as the process that starts now has it: its disk is dead after the next crash,
    /// and what it leaves to other hands is its own.
    pub fn for_process(&self) -> SimEnv {
        let background = self.background.for_process();
        SimEnv { disk: self.disk.for_process(), background, ..self.clone() }
    }
}

impl Env for SimEnv {
    type Clock = SimClock;
    type Disk = SimDisk;
    type Rng = SimRng;
    type Background = SimBackground;

    fn clock(&self) -> &SimClock {
        &self.clock
    }

    fn disk(&self) -> &SimDisk {
        &self.disk
    }

    fn rng(&self) -> &SimRng {
        &self.rng
    }

    fn background(&self) -> &SimBackground {
        &self.background
    }
}
