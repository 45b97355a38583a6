use std::fmt;

/// Counts the leaders a partition has had. A request that carries an older one comes from the past.
///
/// Source: KIP-101, KIP-279, KIP-320. Unrelated to producer, broker, group and controller epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// What the wire says for "the client does not know".
    pub const NONE: LeaderEpoch = LeaderEpoch(-1);
}

/// Counts the incarnations of a producer id. An older one is a fenced zombie. Source: KIP-98.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerEpoch(pub i16);

impl ProducerEpoch {
    pub const NONE: ProducerEpoch = ProducerEpoch(-1);
}

impl fmt::Display for LeaderEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ProducerEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
