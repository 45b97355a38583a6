use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use env::Rng;

/// SplitMix64: small, seeded, the same everywhere.
#[derive(Clone, Debug)]
pub struct SimRng {
    state: Arc<AtomicU64>,
}

impl SimRng {
    pub fn new(seed: u64) -> SimRng {
        SimRng { state: Arc::new(AtomicU64::new(seed)) }
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    /// True once in `times`.
    pub fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }
}

impl Rng for SimRng {
    fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
