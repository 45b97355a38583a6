use std::fmt;

use crate::Offset;

/// Counts the leaders a partition has had. A request that carries an older one comes from the past.
///
/// Source: KIP-101, KIP-279, KIP-320. Unrelated to producer, broker, group and controller epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// What the wire says for "the client does not know".
    pub const NONE: LeaderEpoch = LeaderEpoch(-1);
}

/// An epoch and the offset after its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "EpochEndOffset")]
pub struct EpochEnd {
    pub epoch: LeaderEpoch,
    /// Where the next epoch begins, or the log end.
    pub end_offset: Offset,
}

/// Counts the changes of a partition in the metadata, whatever they change. Goes up with each; a
/// request that carries an older one was decided on what is past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionEpoch(pub i32);

/// Counts the registrations of brokers: the offset of the record that made one. A request that
/// carries an older one comes from an earlier life of the broker. Source: KIP-631, KIP-903.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerEpoch(pub i64);

impl BrokerEpoch {
    pub const NONE: BrokerEpoch = BrokerEpoch(-1);
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

impl fmt::Display for PartitionEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BrokerEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
