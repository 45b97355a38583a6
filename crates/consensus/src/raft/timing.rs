use std::time::Duration;

/// How long a voter waits for another. Not persisted; may differ from voter to voter.
///
/// **Invariant:** `heartbeat_ticks < lease_ticks <= election_ticks_min < election_ticks_max`.
/// Source: what `controller.quorum.election.timeout.ms` and `controller.quorum.fetch.timeout.ms`
/// are for in Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaftTiming {
    /// The engine's unit of time.
    pub tick: Duration,
    /// A leader speaks to every voter this often, at least.
    pub heartbeat_ticks: usize,
    /// A voter that heard from the leader less than this ago lets nobody else lead, and a leader
    /// that heard from no majority for so long leads no more.
    pub lease_ticks: usize,
    /// A voter that heard nothing from the leader for so long stands for election: later than the
    /// lease, so that the others are free to follow. Shorter, and a burdened machine changes its
    /// leader for nothing; longer, and a dead one is missed later.
    pub election_ticks_min: usize,
    /// Voters wait for different times below this, so that they do not stand against each other.
    pub election_ticks_max: usize,
}

impl Default for RaftTiming {
    /// Leaders speak every 100 ms and are missed after 460 to 840 ms.
    fn default() -> RaftTiming {
        RaftTiming {
            tick: Duration::from_millis(20),
            heartbeat_ticks: 5,
            lease_ticks: 20,
            election_ticks_min: 23,
            election_ticks_max: 43,
        }
    }
}

impl RaftTiming {
    /// How many ticks this voter waits in `term` after `campaigns` candidacies: a pure function, so
    /// that the same run is the same run. Raft's own draw is never used.
    pub(super) fn election_ticks(
        &self,
        seed: u64,
        raft_id: u64,
        term: u64,
        campaigns: u64,
    ) -> usize {
        let mut mixed = seed;
        for part in [raft_id, term, campaigns] {
            mixed = mix(mixed ^ part);
        }
        let range = (self.election_ticks_max - self.election_ticks_min) as u64;
        self.election_ticks_min + (mixed % range) as usize
    }
}

/// SplitMix64's step and output.
pub(super) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
