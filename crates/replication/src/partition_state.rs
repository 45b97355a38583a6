use types::{BrokerId, LeaderEpoch, Offset, PartitionEpoch};

/// What the metadata says of a partition that has a replica here.
#[doc(alias = "LeaderAndIsr")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionState {
    /// `None` while no replica may lead.
    pub leader: Option<BrokerId>,
    pub leader_epoch: LeaderEpoch,
    pub partition_epoch: PartitionEpoch,
    /// In order of preference.
    pub replicas: Vec<BrokerId>,
    /// **Invariant:** a subset of `replicas`.
    pub isr: Vec<BrokerId>,
    /// The leader was elected although it may miss committed records. Source: KIP-704.
    pub recovering: bool,
}

/// How far the log of a replica goes.
///
/// **Invariant:** `log_start <= log_end && durable <= log_end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEnds {
    pub log_start: Offset,
    pub log_end: Offset,
    /// Everything below survives power loss here.
    pub durable: Offset,
    /// The epoch of the last record; [`LeaderEpoch::NONE`] if there is none. Never what a fetch
    /// happened to return last: an answer without records says nothing of it (KAFKA-15510).
    pub last_epoch: LeaderEpoch,
}
