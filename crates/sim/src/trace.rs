use types::MonoTime;

/// A fingerprint of everything that happened, in order: equal for equal seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    hash: u64,
    pub events: u64,
}

impl Default for Trace {
    fn default() -> Trace {
        // FNV-1a's offset basis.
        Trace { hash: 0xcbf2_9ce4_8422_2325, events: 0 }
    }
}

impl Trace {
    pub fn note(&mut self, at: MonoTime, what: &str, bytes: &[u8]) {
        self.events += 1;
        let parts = [&at.0.to_be_bytes()[..], what.as_bytes(), bytes];
        for byte in parts.into_iter().flatten() {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub fn fingerprint(&self) -> u64 {
        self.hash
    }
}
